// 'peer-exit': who has gone, and why; and what becomes of the requests that needed it.
import { strict as assert } from 'node:assert';
import { Worker } from 'node:worker_threads';
import type { World } from '../../lib/index.js';
import { peerExited } from '../helpers/errors.js';
import { eachDriver } from '../helpers/matrix.js';
import { PACKAGE } from '../helpers/paths.js';
import { assertPattern, pattern } from '../helpers/pattern.js';
import { processTest, type Tools } from '../helpers/rank-test.js';
import { nextPeerExit } from '../helpers/worlds.js';

const ENDS = {
  closed: (world: World) => world.close(),
  exited: () => process.exit(3),
  killed: () => process.kill(process.pid, 'SIGKILL'),
} as const;

const END = 1_000;

/** Lets rank 1 end, and is done when that is known. */
async function otherHasEnded(world: World): Promise<object> {
  const gone = nextPeerExit(world);
  await world.send(new Uint8Array(0), { dest: 1, tag: END });
  return gone;
}

type Cause = keyof typeof ENDS;
const CAUSES = Object.keys(ENDS) as Cause[];
const EXITS = { closed: 0, exited: 3, killed: 'SIGKILL' } as const;
const exitOf = (cause: Cause): number | 'SIGKILL' => EXITS[cause];

/** Rank 0 stays; rank 1 ends by `cause` after `first`, once rank 0 has sent it something. */
const staysWhileOtherEnds =
  (cause: Cause, stays: (world: World) => Promise<unknown>, first: (world: World) => unknown = () => {}) =>
  async (t: Tools) => {
    const world = await t.join();
    if (t.rank === 1) {
      await first(world);
      await world.recv({ source: 0, tag: END });
      await ENDS[cause](world);
    } else {
      await stays(world);
      await world.close();
    }
  };

eachDriver(() => {
  for (const cause of CAUSES) {
    const two = { exits: [0, exitOf(cause)] } as const;

    processTest(
      `1. tells rank and cause '${cause}', once`,
      two,
      staysWhileOtherEnds(cause, async (world) => {
        const told: unknown[] = [];
        world.on('peer-exit', (info) => told.push({ ...info }));
        assert.equal(world.isAlive(1), true);
        await otherHasEnded(world);
        assert.equal(world.isAlive(1), false);
        assert.equal(world.isAlive(0), true);
        await world.close();
        assert.deepEqual(told, [{ rank: 1, cause }]);
      }),
    );

    processTest(
      `2. awaited receives and sends fail with that cause ('${cause}')`,
      two,
      staysWhileOtherEnds(cause, async (world) => {
        const requests = [
          world.irecv(new Uint8Array(10), { source: 1, tag: 7 }),
          world.irecv({ source: 1, tag: 8 }),
          world.issend(new Uint8Array(10), { dest: 1, tag: 9 }),
          world.isend(new Uint8Array(1_000_000), { dest: 1, tag: 9 }),
        ];
        await world.send(new Uint8Array(0), { dest: 1, tag: END });
        for (const request of requests) await assert.rejects(async () => request, peerExited(1, cause));
      }),
    );

    processTest(
      `3. a rank inside wait() sees it too ('${cause}')`,
      two,
      staysWhileOtherEnds(cause, async (world) => {
        const request = world.irecv(new Uint8Array(10), { source: 1, tag: 7 });
        await world.send(new Uint8Array(0), { dest: 1, tag: END });
        assert.throws(() => request.wait(), peerExited(1, cause));
      }),
    );

    processTest(
      `4. requests posted afterwards fail as well ('${cause}')`,
      two,
      staysWhileOtherEnds(cause, async (world) => {
        await otherHasEnded(world);
        for (const size of [1, 300_000]) {
          const data = new Uint8Array(size);
          await assert.rejects(world.send(data, { dest: 1 }), peerExited(1, cause));
          await assert.rejects(world.ssend(data, { dest: 1 }), peerExited(1, cause));
          await assert.rejects(world.recv(data, { source: 1 }), peerExited(1, cause));
          assert.throws(() => world.irecv({ source: 1 }).wait(), peerExited(1, cause));
        }
      }),
    );

    processTest(
      `5. what it delivered stays receivable ('${cause}')`,
      two,
      staysWhileOtherEnds(
        cause,
        async (world) => {
          await otherHasEnded(world);
          for (let i = 0; i < 30; i += 1) assertPattern((await world.recv({ source: 1, tag: i })).data, i);
          await assert.rejects(world.recv({ source: 1, tag: 0 }), peerExited(1, cause));
        },
        async (world) => {
          for (let i = 0; i < 30; i += 1) await world.send(pattern(i, 100), { dest: 0, tag: i });
        },
      ),
    );

    processTest(
      `6. a wildcard waits while any other rank is left, then fails ('${cause}')`,
      {
        ranks: 3,
        exits: [0, exitOf(cause), exitOf(cause)],
      },
      async (t) => {
        const world = await t.join();
        if (t.rank > 0) {
          await world.recv({ source: 0 });
          if (t.rank === 2) await world.send(pattern(2, 50_000), { dest: 0 });
          await ENDS[cause](world);
          return;
        }
        const first = world.irecv(new Uint8Array(50_000));
        const second = world.irecv(new Uint8Array(10));
        const gone = nextPeerExit(world);
        await world.send(new Uint8Array(0), { dest: 1 });
        assert.deepEqual(await gone, { rank: 1, cause });
        assert.equal(first.done, false);
        await world.send(new Uint8Array(0), { dest: 2 });
        assert.equal((await first).source, 2);
        await assert.rejects(async () => second, { code: 'ERR_UINTR_PEER_EXITED' });
        await world.close();
      },
    );
  }

  processTest('7. a process that runs to its end without close has exited', 2, async (t) => {
    const world = await t.join();
    if (t.rank === 1) {
      await world.recv({ source: 0 });
      return;
    }
    const gone = nextPeerExit(world);
    await world.send(new Uint8Array(0), { dest: 1 });
    assert.deepEqual(await gone, { rank: 1, cause: 'exited' });
  });

  processTest(
    '8. a message that was half transferred fails, and its buffer is free',
    { exits: [0, 'SIGKILL'] },
    async (t) => {
      const world = await t.join();
      const size = 64_000_000;
      if (t.rank === 1) {
        const data = pattern(1, size);
        await world.recv({ source: 0 });
        world.isend(data, { dest: 0 });
        process.kill(process.pid, 'SIGKILL');
      } else {
        const into = new Uint8Array(size);
        const received = world.irecv(into, { source: 1 });
        await world.send(new Uint8Array(0), { dest: 1 });
        await received.then(() => assertPattern(into, 1), peerExited(1, 'killed'));
        const copy = into.slice();
        await world.close();
        assert.equal(Buffer.compare(copy, into), 0);
      }
    },
  );

  processTest('9. a thread that ends before it is told that it has joined has exited', 1, async (t) => {
    const place = { ...t.joinOptions, size: 2 };
    const program = `
      const { workerData } = require('node:worker_threads');
      void require(${JSON.stringify(PACKAGE)}).World.join(workerData);
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);`;
    const worker = new Worker(program, { eval: true, workerData: { ...place, rank: 1 } });
    const world = await t.join(place);
    const gone = nextPeerExit(world);
    await worker.terminate();
    assert.deepEqual(await gone, { rank: 1, cause: 'exited' });
    await world.close();
  });
});
