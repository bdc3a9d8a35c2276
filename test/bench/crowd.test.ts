import { crowdNotes } from '../../bench/lib/crowd.js';

describe('more ranks than processors', () => {
  test('are noted', () => {
    expect(crowdNotes('scale', [2, 4, 8], 2).map(({ text }) => text)).toEqual([
      '4, 8 ranks share 2 processors: who spins there keeps others from running',
    ]);
  });

  test('where there are none, there is nothing to note', () => {
    expect(crowdNotes('scale', [2, 4], 4)).toEqual([]);
  });
});
