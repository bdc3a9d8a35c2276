import { add, boundOf, countOf } from '../../bench/lib/histogram.js';
import { counterRate } from '../../bench/lib/tsc.js';

describe('a histogram by powers of two', () => {
  // 90 values from 4 to 8, 9 from 8 to 16, one from 64 to 128.
  const histogram = [0, 0, 90, 9, 0, 0, 1];

  test('bounds a part of its values by the upper end of the bucket in which the last of them is', () => {
    expect([0, 0.5, 0.9, 0.91, 0.99, 0.991, 1].map((part) => boundOf(histogram, part))).toEqual([
      8, 8, 8, 16, 16, 128, 128,
    ]);
  });

  test('is added bucket by bucket', () => {
    expect(add([1, 2], [10, 20, 30])).toEqual([11, 22, 30]);
    expect(countOf(histogram)).toBe(100);
  });

  test('of nothing has no bounds', () => {
    expect(() => boundOf([0, 0], 0.5)).toThrow(RangeError);
  });
});

describe('the rate of the time-stamp counter', () => {
  const none = '/nonexistent';

  test('is the nominal frequency, or else what the kernel says', () => {
    expect(counterRate(none, { model: 'Some(R) Processor @ 2.10GHz', speed: 3000 })?.cyclesPerMicro).toBe(2100);
    expect(counterRate(none, { model: 'Some Processor', speed: 2400 })?.cyclesPerMicro).toBe(2400);
    expect(counterRate(none, { model: 'Some Processor', speed: 0 })).toBeUndefined();
  });
});
