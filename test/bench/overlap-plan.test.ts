import { exposures, slowest } from '../../bench/lib/overlap-plan.js';

describe('exposed communication', () => {
  test('it is what the computation took longer than alone, in units of the reference', () => {
    expect(exposures({ alone: [[100, 100, 100]], total: [[100, 150, 200]] }, 100)).toEqual([0, 0.5, 1]);
  });

  test('the computation alone is its median, so that one disturbed repetition does not hide a transfer', () => {
    expect(exposures({ alone: [[100, 100, 900]], total: [[110, 110, 110]] }, 100)).toEqual([0.1, 0.1, 0.1]);
  });

  test('where both ends compute, the slower one counts, each against its own computation', () => {
    const ends = {
      alone: [
        [100, 100],
        [120, 120],
      ],
      total: [
        [150, 100],
        [150, 180],
      ],
    };
    expect(exposures(ends, 100)).toEqual([0.5, 0.6]);
    expect(slowest(ends.total)).toEqual([150, 180]);
  });
});
