import { perPair, scaleRanks } from '../../bench/lib/scale-plan.js';

describe('memory by pairs', () => {
  test('is what talking added, over the pairs that have talked', () => {
    // 4 ranks: 2 pairs of neighbours, 6 pairs in all.
    expect(perPair(4, { joined: 100, neighbours: 140, all: 220 })).toEqual({ neighbours: 20, all: 20 });
  });

  test('of an odd number of ranks, one has no neighbour', () => {
    expect(perPair(3, { joined: 0, neighbours: 10, all: 60 })).toEqual({ neighbours: 10, all: 20 });
  });
});

test('numbers of ranks go up to 64, or as they are asked for', () => {
  expect(scaleRanks({ quick: false })).toEqual([2, 4, 8, 16, 32, 64]);
  expect(scaleRanks({ quick: true, ranks: [3] })).toEqual([3]);
});
