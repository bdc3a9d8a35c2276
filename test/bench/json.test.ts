import { format, type Line, parse } from '../../bench/lib/json.js';

const line: Line = { bench: 'samples', bytes: 8, micros: [0.5, 0.25] };

describe('JSON lines', () => {
  test('what is formatted is parsed back', () => {
    expect(parse(format(line))).toEqual(line);
  });

  test('the rank that a launcher writes before a line is no part of it', () => {
    expect(parse(`[0] ${format(line)}`)).toEqual(line);
  });

  test('other output is no line', () => {
    expect(parse('{"level":"info"}')).toBeUndefined();
    expect(parse('[1] hello')).toBeUndefined();
    expect(parse('{"bench":"samples", cut off')).toBeUndefined();
  });
});
