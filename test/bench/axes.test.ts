import { bytesAxis, valueAxis } from '../../bench/plots/axes.js';

const texts = (axis: { ticks: { text: string }[] }) => axis.ticks.map(({ text }) => text).join(' ');

describe('axes', () => {
  test.each([
    [[0.4, 20_000], '0.1 1 10 100 1,000 10,000 100,000'],
    [[3, 24], '2 5 10 20 50'],
    [[1, 1], '1 2'],
    [[0.19], '0.1 0.2'],
    [[10, 1000], '10 100 1,000'],
  ])('logarithmic, of %j', (values, expected) => {
    const axis = valueAxis('', values, 'log');
    expect(axis.scale).toBe('log');
    expect(texts(axis)).toBe(expected);
    for (const value of values) expect(axis.min <= value && value <= axis.max).toBe(true);
  });

  test.each([
    [[0.01, 1.65], '0 0.5 1 1.5 2'],
    [[-0.6, 0.3], '-0.6 -0.4 -0.2 0 0.2 0.4'],
    [[0, 0], '0 0.2'],
    [[-0.002, 0.8], '0 0.2 0.4 0.6 0.8'],
  ])('linear, of %j', (values, expected) => {
    expect(texts(valueAxis('', values, 'linear'))).toBe(expected);
  });

  test('a figure that has no logarithm makes it linear', () => {
    expect(valueAxis('', [0, 10], 'log').scale).toBe('linear');
  });

  test('lengths stand at their logarithms, and none beside them', () => {
    expect(texts(bytesAxis('', [65536, 8, 65536]))).toBe('8 B 64 KiB');
    expect(bytesAxis('', [0])).toMatchObject({ min: 0.5, max: 2, ticks: [{ at: 1, text: 'no data' }] });
  });
});
