// The heat equation by many ranks is the one by one process, to the last bit, however the plate is split.
import { join } from 'node:path';
import type { Result } from '../../examples/heat/result.js';
import { runRanks } from '../../examples/lib/ranks.js';
import { ROOT } from '../helpers/paths.js';

const script = join(ROOT, 'dist', 'examples', 'heat', 'rank.js');

function solve(ranks: number, columns: number, rows: number, steps: number, options: string[]) {
  return runRanks<Result>({ ranks, script, args: [columns, rows, steps].map(String), options });
}

describe('heat', () => {
  // By eager messages and by rendezvous; with slabs of one row, which both neighbours want; and by one rank.
  test.each([
    [1, 40, 3],
    [2, 5000, 9],
    [3, 500, 10],
    [4, 3000, 4],
  ])('%i ranks, %i columns, %i rows', async (ranks, columns, rows) => {
    for (const options of [[], ['--driver', 'poll'], ['--copy', 'pipeline']]) {
      const { code, result } = await solve(ranks, columns, rows, 30, options);
      expect(result).toMatchObject({ ranks, columns, rows, steps: 30, correct: true });
      expect(code).toBe(0);
    }
  });
});
