// Ranks in namespaces of their own, as in containers: what does not work across them is not used, and all else goes on.
import { strict as assert } from 'node:assert';
import { eachDriver } from '../helpers/matrix.js';
import { assertPattern, pattern } from '../helpers/pattern.js';
import { rankTest } from '../helpers/rank-test.js';
import { SIZES, traffic } from '../stress/traffic.js';

const USER = ['unshare', '--user', '--map-root-user'];
const PID = [...USER, '--pid', '--fork', '--kill-child'];
const SIZE = 3_000_000;

// A pid means nothing there, and so neither signals nor cma reach the other.
const pipelines = ['pipeline', 'pipeline'];
const CASES = [
  ['a PID namespace', [[], PID], pipelines],
  ['PID namespaces of their own', PID, pipelines],
  ['PID namespaces with /proc of the first', [[...PID, '--mount'], PID], pipelines],
  ['one user namespace each', USER, undefined],
  ['a network and an IPC namespace', [[...USER, '--net', '--ipc'], USER], undefined],
] as const;

eachDriver((driver) => {
  for (const [what, under, copies] of driver === 'signal' ? CASES : CASES.slice(0, 2)) {
    rankTest(
      `1. ${what}: messages arrive, and each rank hears how they travel`,
      { under },
      async (world, t) => {
        const peer = 1 - world.rank;
        assert.equal(world.driver, driver);
        for (const into of [new Uint8Array(SIZE), world.alloc(SIZE)]) {
          const received = world.irecv(into, { source: peer });
          await world.send(pattern(world.rank, SIZE), { dest: peer });
          await received;
          assertPattern(into, peer);
        }
        await traffic(world, t, { rounds: 30, sizes: SIZES, work: 50 });
        return world.copy(peer);
      },
      (outcomes) => copies && expect(outcomes.map(({ result }) => result)).toEqual(copies),
    );
  }
});
