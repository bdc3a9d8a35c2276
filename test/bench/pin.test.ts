import { chooseCpus, orderedCpus, parseCpuList } from '../../bench/lib/pin.js';

const alone = (cpu: number) => [cpu];

describe('where the ends of a peer run', () => {
  test("the kernel's lists of processors are understood", () => {
    expect(parseCpuList('0-2,5,8-9\n')).toEqual([0, 1, 2, 5, 8, 9]);
    expect(parseCpuList('3')).toEqual([3]);
    expect(parseCpuList('')).toEqual([]);
  });

  test('with one processor nothing is pinned', () => {
    expect(chooseCpus([4], alone)).toBeUndefined();
    expect(chooseCpus([], alone)).toBeUndefined();
  });

  test('the first two that may be used are taken', () => {
    expect(chooseCpus([4, 6, 7], alone)).toEqual([4, 6]);
  });

  test('many ranks get one processor of each core before they share one', () => {
    const pairs = (cpu: number) => [cpu & ~1, cpu | 1];
    expect(orderedCpus([0, 1, 2, 3, 5], pairs)).toEqual([0, 2, 5, 1, 3]);
    expect(orderedCpus([4], alone)).toBeUndefined();
  });

  test('two hardware threads of one core are not taken while there is another core', () => {
    const pairs = (cpu: number) => [cpu & ~1, cpu | 1];
    expect(chooseCpus([0, 1, 2, 3], pairs)).toEqual([0, 2]);
    expect(chooseCpus([0, 1], pairs)).toEqual([0, 1]);
  });
});
