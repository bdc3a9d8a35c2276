import { median, percentile, summarize } from '../../bench/lib/stats.js';

describe('statistics of samples', () => {
  test('the median of an odd number of samples is the middle one, in whatever order they came', () => {
    expect(median([5, 1, 3])).toBe(3);
  });

  test('the median of an even number is halfway between the two in the middle', () => {
    expect(median([4, 1, 3, 2])).toBe(2.5);
    expect(median([2, 1])).toBe(1.5);
  });

  test('one outlier does not move the median', () => {
    expect(median([1, 1, 1, 1, 1_000_000])).toBe(1);
  });

  test('a percentile is a sample, by nearest rank', () => {
    const sorted = Array.from({ length: 200 }, (_, i) => i + 1);
    expect(percentile(sorted, 99)).toBe(198);
    expect(percentile(sorted, 0)).toBe(1);
    expect(percentile(sorted, 100)).toBe(200);
  });

  test('p99 of fewer than 100 samples is the worst of them', () => {
    expect(summarize([3, 9, 1])).toEqual({ count: 3, median: 3, min: 1, p99: 9 });
  });

  test('samples are ordered as numbers, and left as they were', () => {
    const samples = [10, 9, 100];
    expect(summarize(samples).median).toBe(10);
    expect(samples).toEqual([10, 9, 100]);
  });

  test('no samples, and samples that are no numbers, are errors and not figures', () => {
    expect(() => summarize([])).toThrow(RangeError);
    expect(() => summarize([1, Number.NaN])).toThrow(RangeError);
  });
});
