// Random programs of two to five ranks against a model of MPI's matching. A failure names the program; to see it again
// set UINTR_RANDOM_REPLAY to what it says. UINTR_RANDOM_SECONDS is how long all of them together may run (60).
import { COPIES, DRIVERS, matrix, type Setting } from '../helpers/matrix.js';
import { rankTest } from '../helpers/rank-test.js';
import { runSession } from './session.js';

const KiB = 1024;
const [replayDriver, replayCopy, replayRanks, replaySeed, replayIndex] = (
  process.env['RANDOM_REPLAY'] ??
  process.env['UINTR_RANDOM_REPLAY'] ??
  ''
).split('/');
const seconds = Number(process.env['RANDOM_SECONDS'] ?? process.env['UINTR_RANDOM_SECONDS'] ?? 60);
// The ranks get the seed of the test that starts them.
const seed = Number(process.env['RANDOM_SEED'] ?? replaySeed ?? Date.now() % 1_000_000_007);

/** Worlds of different size have different limits as well. */
const WORLDS = [
  { ranks: 2, eagerLimit: 8 * KiB, ringBytes: 256 * KiB, options: {} },
  { ranks: 3, eagerLimit: 1 * KiB, ringBytes: 16 * KiB, options: { unexpectedBytes: 64 * KiB } },
  { ranks: 4, eagerLimit: 4 * KiB, ringBytes: 64 * KiB, options: { maxRequests: 1_024, spinMicroseconds: 20 } },
  // Threads, two and three in a process.
  { ranks: 5, eagerLimit: 4 * KiB, ringBytes: 64 * KiB, options: {}, processes: [[0, 1, 2] as const, [3, 4] as const] },
];
const SETTINGS = COPIES.length * DRIVERS.length;
const share = seconds / (SETTINGS * WORLDS.length);

const chosen = ({ driver, copy }: Setting, ranks: number): boolean =>
  replayIndex === undefined || (driver === replayDriver && copy === replayCopy && `${ranks}` === replayRanks);

matrix((setting) => {
  for (const { ranks, eagerLimit, ringBytes, options, processes } of WORLDS) {
    if (!chosen(setting, ranks)) continue;
    rankTest(
      `1. every receive of ${ranks} ranks gets a message that MPI allows, whole (seed ${seed})`,
      {
        ranks,
        via: ranks === 3 ? 'launcher' : 'name',
        processes,
        join: { eagerLimit, ringBytes, ...options },
        env: {
          RANDOM_SEED: `${seed}`,
          RANDOM_SECONDS: `${seconds}`,
          RANDOM_REPLAY: process.env['UINTR_RANDOM_REPLAY'] ?? '',
        },
        timeoutMs: share * 1_000 + 60_000,
      },
      (world, t) =>
        runSession(world, t, {
          seed,
          seconds: share,
          limits: { eagerLimit, ringBytes, budget: 40 * 1024 * KiB },
          replay: replayIndex ? { index: Number(replayIndex), times: 300 } : undefined,
          again: (index) => `UINTR_RANDOM_REPLAY=${setting.driver}/${setting.copy}/${ranks}/${seed}/${index}`,
        }),
      (outcomes) => expect(new Set(outcomes.map(({ result }) => result)).size).toBe(1),
    );
  }
});
