// Lines of several ranks can be told apart, whatever pieces they come in.
import { LinePrefix } from '../../lib/cli/prefix.js';

async function prefixed(...chunks: (string | Buffer)[]): Promise<string> {
  const lines = new LinePrefix('[7] ');
  for (const chunk of chunks) lines.write(chunk);
  lines.end();
  const out: Buffer[] = [];
  for await (const chunk of lines) out.push(chunk as Buffer);
  return Buffer.concat(out).toString();
}

describe('LinePrefix', () => {
  test('marks each line once', async () => {
    expect(await prefixed('one\ntwo\n')).toBe('[7] one\n[7] two\n');
    expect(await prefixed('o', 'n', 'e\nt', 'wo\n')).toBe('[7] one\n[7] two\n');
    expect(await prefixed('\n\n')).toBe('[7] \n[7] \n');
    expect(await prefixed()).toBe('');
  });

  test('hands on whole lines only', async () => {
    const lines = new LinePrefix('> ');
    lines.write('half');
    expect(lines.read()).toBeNull();
    lines.write(' and half\nmore');
    expect(String(lines.read())).toBe('> half and half\n');
  });

  test('ends a last line that has no end', async () => {
    expect(await prefixed('one\ntwo')).toBe('[7] one\n[7] two\n');
  });

  test('keeps a character whose bytes come apart', async () => {
    const bytes = Buffer.from('é\n');
    expect(await prefixed(bytes.subarray(0, 1), bytes.subarray(1))).toBe('[7] é\n');
  });

  test('does not hold a line without end', async () => {
    const long = Buffer.alloc(17 * 1024 * 1024, 'x');
    expect(await prefixed(long, 'y\nz\n')).toBe(`[7] ${long}y\n[7] z\n`);
  });
});
