// Worker threads as ranks: each is a rank of its own, beside the main thread and beside other processes.
import { strict as assert } from 'node:assert';
import { isMainThread, threadId } from 'node:worker_threads';
import type { CopyKind, World } from '../../lib/index.js';
import { DRIVERS, matrix, type Setting, THREAD_COPIES } from '../helpers/matrix.js';
import { assertPattern, fill, pattern } from '../helpers/pattern.js';
import { rankTest, type Tools } from '../helpers/rank-test.js';
import { compute, computeUntilWritten } from '../helpers/work.js';
import { meet } from '../helpers/worlds.js';
import { traffic } from '../stress/traffic.js';

/** Rank 0 is a main thread, 1 and 2 are its workers, 3 is another process. */
const MIXED = { ranks: 4, processes: [[0, 1, 2], [3]] } as const;
const MAIN_AND_WORKER = { ranks: 2, processes: [[0, 1]] } as const;
const TWO_WORKERS = { ranks: 3, processes: [[2, 0, 1]] } as const;

const isThread = (rank: number): boolean => rank < 3;

/** How ranks that share a process copy, told to use `copy`. */
function betweenThreads(copy: Setting['copy']): CopyKind {
  if (copy === 'auto' || copy === 'direct') return 'direct';
  return copy === 'cma' ? 'cma' : 'pipeline';
}

const SIZE = 3_000_000;

/** All to all, large. */
async function exchange(world: World, peers: number[], key: number): Promise<void> {
  const into = peers.map(() => new Uint8Array(SIZE));
  const received = peers.map((source, i) => world.irecv(into[i]!, { source }));
  await Promise.all(peers.map((dest) => world.send(pattern(key + world.rank * 100 + dest, SIZE), { dest })));
  await Promise.all(received);
  for (const [i, source] of peers.entries()) assertPattern(into[i]!, key + source * 100 + world.rank);
}

matrix(
  ({ driver, copy }) => {
    rankTest('1. each thread is a rank, and copies are chosen by where the other is', MIXED, async (world, t) => {
      assert.equal(world.rank, t.rank);
      assert.equal(world.driver, driver);
      assert.equal(isMainThread, t.rank === 0 || t.rank === 3);
      const others = [0, 1, 2, 3].filter((rank) => rank !== world.rank);
      for (const peer of others) {
        const together = isThread(peer) && isThread(world.rank);
        if (together) assert.equal(world.copy(peer), betweenThreads(copy));
        else assert.notEqual(world.copy(peer), 'direct');
        if (copy === 'direct' && !together) assert.equal(world.copy(peer), 'pipeline');
      }
      await exchange(world, others, 1);
    });

    rankTest(
      '2. large messages between threads travel as world.copy() says',
      MAIN_AND_WORKER,
      async (world) => {
        const peer = 1 - world.rank;
        await exchange(world, [peer], 2);
        await meet(world);
        // One end may have copied all of it.
        const copied = Object.entries(world.stats().copied);
        return copied.filter(([, { asReceiver, asSender }]) => asReceiver + asSender > 0).map(([kind]) => kind);
      },
      (outcomes) =>
        expect(new Set(outcomes.flatMap(({ result }) => result as CopyKind[]))).toEqual(
          new Set([betweenThreads(copy)]),
        ),
    );

    rankTest('3. messages of all sizes among threads and processes that all compute', MIXED, (world, t) =>
      traffic(world, t, { rounds: 24, sizes: [0, 1, 63, 1_000, 20_000, 65_537, 300_000, 2_000_000], work: 100 }),
    );

    rankTest('4. messages between two workers whose main thread has ended its part', TWO_WORKERS, async (world, t) => {
      if (t.rank === 2) return;
      const peer = 1 - world.rank;
      for (let round = 0; round < 40; round += 1) {
        const into = new Uint8Array(round * 30_000);
        const received = world.irecv(into, { source: peer, tag: round });
        const sent = world.isend(pattern(round, into.length), { dest: peer, tag: round });
        received.wait();
        sent.wait();
        assertPattern(into, round);
      }
    });

    rankTest('5. buffers of every kind', MAIN_AND_WORKER, async (world) => {
      const peer = 1 - world.rank;
      const buffers = (length: number) => [
        new Uint8Array(length),
        new Float64Array(length / 8),
        Buffer.alloc(length),
        new Uint8Array(new SharedArrayBuffer(length)),
        new Uint8Array(length + 100).subarray(50, 50 + length),
        new DataView(new ArrayBuffer(length)),
        world.alloc(length),
      ];
      // The smallest typed arrays lie on V8's heap until the addon asks where.
      for (const length of [8, 56, 4_096, 40_000, 1_000_000]) {
        const sending = buffers(length).map((buffer, i) => fill(buffer, length + i));
        const receiving = buffers(length).reverse();
        const requests = receiving.flatMap((into, tag) => [
          world.irecv(into, { source: peer, tag }),
          world.issend(sending[tag]!, { dest: peer, tag }),
        ]);
        await Promise.all(requests);
        for (const [i, into] of receiving.entries()) assertPattern(into, length + i);
        const without = receiving.map((_, tag) => world.irecv({ source: peer, tag }));
        for (const [tag, data] of sending.entries()) await world.send(data, { dest: peer, tag });
        for (const [i, request] of without.entries()) assertPattern((await request).data, length + i);
      }
    });
  },
  DRIVERS,
  THREAD_COPIES,
);

matrix(
  () => {
    rankTest('6. a message arrives while both threads compute', MAIN_AND_WORKER, async (world, t: Tools) => {
      const peer = 1 - world.rank;
      for (let round = 0; round < 5; round += 1) {
        t.note(`round ${round}`);
        const into = new Uint8Array(2_000_000);
        const received = world.irecv(into, { source: peer, tag: round });
        await meet(world);
        const data = pattern(round, into.length).map((byte) => byte | 1);
        const sent = world.isend(data, { dest: peer, tag: round });
        computeUntilWritten(into);
        // The other looks for its own bytes, and may need this thread's handler for them.
        while (!sent.done) compute(10);
        await received;
        assert.equal(Buffer.compare(into, data), 0);
      }
    });
  },
  ['signal', 'uintr'],
  THREAD_COPIES,
);

describe('threads', () => {
  rankTest(
    '7. have ranks by arrival as well',
    { ranks: 3, processes: [[0, 1], [2]], join: { rank: undefined } },
    (world) => [world.rank, threadId > 0],
    (outcomes) => {
      const results = outcomes.map(({ result }) => result as [number, boolean]);
      expect(results.map(([rank]) => rank).sort()).toEqual([0, 1, 2]);
      expect(results.map(([, worker]) => worker)).toEqual([false, true, false]);
    },
  );
});
