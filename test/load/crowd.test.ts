// More than a machine is made for: ranks, signals, requests. UINTR_STRESS_FACTOR makes it longer: 40 is minutes.
import { strict as assert } from 'node:assert';
import type { Request, Status } from '../../lib/index.js';
import { rankTest } from '../helpers/rank-test.js';
import { storm } from '../helpers/storm.js';
import { FACTOR, FACTOR_ENV, rounds } from '../helpers/stress.js';
import { allMeet, meet } from '../helpers/worlds.js';
import { SIZES, traffic } from '../stress/traffic.js';

const timeoutMs = 120_000 + 60_000 * FACTOR;
const env = { UINTR_DRIVER: 'signal', ...FACTOR_ENV };

const RANKS = 64;
rankTest(
  `1. ${RANKS} ranks that all compute and all talk to all get through, however few processors there are`,
  { ranks: RANKS, env, timeoutMs },
  async (world, t) => {
    for (let round = 0; round < rounds(1); round += 1) {
      await traffic(world, t, { rounds: 3, sizes: [10, 5_000, 40_000], work: 200 });
      const sum = new Float64Array(1);
      await world.allreduce(Float64Array.of(world.rank), sum, 'sum');
      assert.equal(sum[0], (RANKS * (RANKS - 1)) / 2);
    }
    await allMeet(world);
    return world.stats().interrupts.handled;
  },
  (outcomes) => {
    const handled = outcomes.map(({ result }) => result as number);
    expect(Math.max(...handled)).toBeGreaterThan(0);
  },
);

// As fast as a process can send them: the kernel merges those that come while one is pending.
const FLOOD = 5_000;
for (const driver of ['signal', 'poll']) {
  rankTest(
    `2. a foreign process that sends the signal at full rate holds up nobody (driver ${driver})`,
    { env: { ...env, UINTR_DRIVER: driver }, timeoutMs, during: storm('SIGURG', [0, 1], FLOOD) },
    async (world, t) => {
      await traffic(world, t, { rounds: rounds(150), sizes: SIZES, work: 200 });
      assert.equal(world.driver, driver);
    },
  );
}

rankTest(
  '3. nor does it where threads of one process, which share its signals, are ranks',
  { ranks: 4, processes: [[0, 1, 2], [3]], env, timeoutMs, during: storm('SIGURG', [0, 3], FLOOD) },
  (world, t) => traffic(world, t, { rounds: rounds(40), sizes: SIZES, work: 100 }),
);

const MOST = 1_000_000;
const MANY = Math.min(MOST, rounds(100_000));
rankTest(
  `4. of up to a million outstanding receives, and then sends, each meets its own (${MANY})`,
  { env, timeoutMs, join: { maxRequests: 2 ** 20 }, nodeOptions: ['--max-old-space-size=6000'] },
  async (world, t) => {
    const peer = 1 - world.rank;
    const words = new Uint32Array(MANY);
    const word = (tag: number): Uint32Array => words.subarray(tag, tag + 1);
    const ready = (): Promise<unknown> => world.send(new Uint8Array(0), { dest: peer, tag: MOST });
    const whenReady = (): Promise<unknown> => world.recv(new Uint8Array(0), { source: peer, tag: MOST });
    for (const receiver of [0, 1]) {
      const requests: Request<Status>[] = [];
      const [before, after] = [world.inspect().slotsUsed, 5_000];
      const receives = world.rank === receiver;
      words.fill(0);
      // Those of rank 0 are posted before their messages are sent, and those of rank 1 after.
      if (receives === (receiver === 1)) await whenReady();
      // The one counts up and the other down: nothing comes in the order in which it is waited for.
      for (let i = 0; i < MANY; i += 1) {
        const tag = receives ? MANY - 1 - i : i;
        if (!receives) words[tag] = tag ^ 0x5555;
        requests.push(
          receives ? world.irecv(word(tag), { source: peer, tag }) : world.isend(word(tag), { dest: peer, tag }),
        );
      }
      if (receives === (receiver === 0)) {
        // But for what the other has taken in already, without a receive for it.
        assert.ok(world.inspect().slotsUsed - before > MANY - after);
        await ready();
      }
      t.note(`all are posted, receiver ${receiver}`);
      for (const request of requests) await request;
      for (let i = 0; i < MANY; i += 1) assert.equal(words[i], i ^ 0x5555);
      await meet(world);
    }
  },
);
