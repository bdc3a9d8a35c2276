// The ends of communicators: ranks that are gone, free(), and the end of the world.
import { strict as assert } from 'node:assert';
import type { Comm, World } from '../../lib/index.js';
import { coreOf } from '../../lib/point-to-point.js';
import { coded, peerExited } from '../helpers/errors.js';
import { eachDriver } from '../helpers/matrix.js';
import { assertPattern, pattern } from '../helpers/pattern.js';
import { processTest, rankTest } from '../helpers/rank-test.js';
import { compute } from '../helpers/work.js';
import { allMeet, meet, nextPeerExit, nothingLeft } from '../helpers/worlds.js';

const ENDS = {
  closed: (world: World) => world.close(),
  exited: () => process.exit(3),
  killed: () => process.kill(process.pid, 'SIGKILL'),
} as const;
type Cause = keyof typeof ENDS;
const CAUSES = Object.keys(ENDS) as Cause[];
const EXITS = { closed: 0, exited: 3, killed: 'SIGKILL' } as const;

const freed = coded('ERR_UINTR_CLOSED', 'freed');
const NOTHING = new Uint8Array(0);
const LARGE = 300_000;
const MOMENTS = [0, 30, 300, 1_000, 3_000];

/** Communicator after communicator, in each of which the survivors talk to each other, until that fails. */
async function makeAndFree(base: Comm, survivors: readonly number[]): Promise<never> {
  for (let i = 0; ; i += 1) {
    const comm = i % 2 === 0 ? await base.dup() : (await base.split(0))!;
    if (survivors.includes(comm.rank)) {
      const peers = survivors.filter((rank) => rank !== comm.rank);
      const sent = peers.map((dest) => comm.isend(new Uint8Array(i % 3 === 0 ? LARGE : 8), { dest }));
      await Promise.all([...sent, ...peers.map((source) => comm.recv({ source }))]);
    }
    comm.free();
  }
}

eachDriver(() => {
  for (const cause of CAUSES) {
    const exits = [0, EXITS[cause], EXITS[cause], 0] as const;

    // The communicator has the world's ranks 2, 1, 0 as 0, 1, 2; the world's 3 stays.
    const wildcards = (look: (request: { wait(): unknown } & PromiseLike<unknown>) => Promise<unknown> | unknown) => {
      return async (world: World, rank: number) => {
        const comm = await world.split(rank === 3 ? undefined : 0, -rank);
        if (rank === 3) {
          await world.recv({ source: 0 });
          await world.send(NOTHING, { dest: 0, tag: 3 });
        } else if (rank > 0) {
          await comm!.recv({ source: 2 });
          await comm!.send(pattern(rank, 10), { dest: 2, tag: 2 });
          await ENDS[cause](world);
        } else {
          const ofWorld = world.irecv({ tag: 3 });
          const first = comm!.irecv(new Uint8Array(10), { tag: 7 });
          const itself = comm!.irecv(new Uint8Array(10), { source: 2, tag: 9 });
          await comm!.send(NOTHING, { dest: 0 });
          assert.deepEqual(await nextPeerExit(world), { rank: 2, cause });
          assert.equal(first.done, false);
          const second = comm!.irecv({ tag: 7 });
          await comm!.send(NOTHING, { dest: 1 });
          for (const request of [first, second]) {
            await assert.rejects(async () => look(request), peerExited(1, cause));
          }
          // What they delivered is there.
          const sources = [await comm!.recv(), await comm!.recv()].map(({ source, data }) => {
            assertPattern(data, comm!.worldRank(source));
            return source;
          });
          assert.deepEqual(sources.sort(), [0, 1]);
          await assert.rejects(comm!.recv(), peerExited(1, cause));
          await assert.rejects(comm!.recv(NOTHING, { source: 0 }), peerExited(0, cause));
          await assert.rejects(comm!.send(NOTHING, { dest: 1 }), peerExited(1, cause));

          // All else goes on.
          assert.equal(itself.done, false);
          await comm!.send(NOTHING, { dest: 2, tag: 9 });
          assert.equal((await itself).source, 2);
          assert.equal(ofWorld.done, false);
          await world.send(NOTHING, { dest: 3 });
          assert.equal((await ofWorld).source, 3);
        }
        await world.close();
      };
    };

    processTest(
      `1. a receive from any rank fails when all others of the communicator are gone, though the world has more ('${cause}')`,
      { ranks: 4, exits },
      async (t) => wildcards((request) => request)(await t.join(), t.rank),
    );

    processTest(`2. likewise inside wait() ('${cause}')`, { ranks: 4, exits }, async (t) =>
      wildcards((request) => request.wait())(await t.join(), t.rank),
    );

    for (const victim of [0, 1]) {
      // Of a communicator whose ranks are the world's in reverse.
      processTest(
        `3. dup and split reject on every rank when rank ${victim} ends without calling ('${cause}')`,
        { ranks: 4, exits: [0, 1, 2, 3].map((rank) => (3 - rank === victim ? EXITS[cause] : 0)) },
        async (t) => {
          const world = await t.join();
          const exit = 3 - t.rank === victim ? undefined : nextPeerExit(world);
          const comm = (await world.split(0, -t.rank))!;
          if (exit === undefined) {
            // Some have called by then.
            for (const source of [2, 3]) await comm.recv({ source });
            return ENDS[cause](world);
          }
          const fails = (call: Promise<unknown>): Promise<void> => assert.rejects(call, peerExited(victim, cause));
          const late = comm.rank < 2;
          if (late) await exit;
          const calls = [fails(comm.dup()), fails(comm.split(t.rank))];
          if (!late) await comm.send(NOTHING, { dest: victim });
          await Promise.all(calls);
          await fails(comm.dup());
          await exit;
          return world.close();
        },
      );
    }
  }

  processTest(
    '4. a communicator that rank 0 died over while it made it ends for those who have got it',
    { ranks: 4, exits: ['SIGKILL', 0, 0, 0] },
    async (t) => {
      const world = await t.join();
      if (t.rank === 0) {
        // Between the answers to rank 2 and to rank 3.
        const core = coreOf(world);
        const { postSend } = core;
        core.postSend = (data, dest, ...rest) => {
          if (dest === 3) process.kill(process.pid, 'SIGKILL');
          return postSend.call(core, data, dest, ...rest);
        };
      }
      const made = world.split(0, -t.rank);
      if (t.rank === 3) {
        await assert.rejects(made, peerExited(0, 'killed'));
      } else {
        const comm = (await made)!;
        assert.equal(comm.worldRank(0), 3);
        const halfMade = peerExited(3, 'killed');
        // Whether they are posted before this is known or after.
        const posts = [
          () => comm.irecv({ source: 0 }),
          () => comm.issend(NOTHING, { dest: 0 }),
          () => comm.isend(new Uint8Array(LARGE), { dest: 0 }),
        ];
        await Promise.all(posts.map((post) => assert.rejects(async () => post(), halfMade)));
        assert.throws(() => comm.isend(NOTHING, { dest: 2 }), halfMade);
        comm.free();
      }
      // The three go on.
      const peers = [1, 2, 3].filter((rank) => rank !== t.rank);
      await Promise.all(peers.map((dest) => world.send(NOTHING, { dest })));
      await Promise.all(peers.map((source) => world.recv({ source })));
      await world.close();
    },
  );

  for (const victim of [0, 2]) {
    for (const moment of MOMENTS) {
      processTest(
        `5. rank ${victim} can be killed at any moment while communicators are made and freed (${moment} units of work)`,
        { ranks: 4, exits: [0, 1, 2, 3].map((rank) => (rank === victim ? 'SIGKILL' : 0)) },
        async (t) => {
          const world = await t.join();
          const base = await world.split(t.rank === 3 ? undefined : 0);
          const survivors = [0, 1, 2].filter((rank) => rank !== victim);
          if (base === null) {
            const pid = new Uint32Array(1);
            await world.recv(pid, { source: victim });
            compute(moment);
            process.kill(pid[0]!, 'SIGKILL');
          } else {
            if (t.rank === victim) await world.send(Uint32Array.of(process.pid), { dest: 3 });
            await assert.rejects(makeAndFree(base, survivors), coded('ERR_UINTR_PEER_EXITED'));
          }
          const others = [...survivors, 3].filter((rank) => rank !== t.rank);
          await Promise.all(others.map((dest) => world.send(NOTHING, { dest, tag: 9 })));
          await Promise.all(others.map((source) => world.recv({ source, tag: 9 })));
          await world.close();
        },
      );
    }
  }

  rankTest('6. after free() operations fail, and so do receives that were posted', 2, async (world) => {
    const comm = await world.dup();
    const peer = 1 - world.rank;
    const receives = [comm.irecv(), comm.irecv(new Uint8Array(5), { source: peer, tag: 1 })];
    comm.free();
    for (const request of receives) {
      assert.equal(request.done, true);
      await assert.rejects(async () => request, freed);
    }
    assert.throws(() => comm.isend(NOTHING, { dest: peer }), freed);
    assert.throws(() => comm.irecv(), freed);
    assert.throws(() => comm.iprobe(), freed);
    await assert.rejects(comm.send(NOTHING, { dest: peer }), freed);
    await assert.rejects(comm.dup(), freed);
    await assert.rejects(comm.split(0), freed);
    comm.free();
    await nothingLeft(world);
    await meet(world);
  });

  rankTest('7. sends that were under way are finished, and received by who has not freed', 2, async (world) => {
    const comm = await world.dup();
    if (world.rank === 0) {
      const sent = [10, LARGE].map((size) => comm.isend(pattern(size, size), { dest: 1, tag: size }));
      comm.free();
      await world.send(NOTHING, { dest: 1 });
      await Promise.all(sent);
    } else {
      await world.recv({ source: 0 });
      for (const size of [LARGE, 10]) assertPattern((await comm.recv({ tag: size })).data, size);
      comm.free();
    }
    await nothingLeft(world);
    await meet(world);
  });
});

describe('free()', () => {
  rankTest(
    '8. what is sent to a rank that has freed is thrown away, and its senders are done',
    { ranks: 3, join: { unexpectedBytes: 8192 } },
    async (world) => {
      const comm = await world.dup();
      if (world.rank === 0) {
        comm.free();
        for (const dest of [1, 2]) await world.send(NOTHING, { dest });
      } else {
        // Some before, some after.
        const sizes = Array.from({ length: 300 }, (_, i) => (i % 10 === 0 ? LARGE : i * 10));
        const sent = sizes.slice(0, 100).map((size) => comm.isend(new Uint8Array(size), { dest: 0 }));
        await world.recv({ source: 0 });
        for (const size of sizes.slice(100)) sent.push(comm.issend(new Uint8Array(size), { dest: 0 }));
        await Promise.all(sent);
        assert.equal(world.inspect().requests.length, 0);
        comm.free();
      }
      await nothingLeft(world);
      await allMeet(world);
    },
  );

  rankTest(
    '9. leaves nothing behind, however often',
    { ranks: 3, join: { maxRequests: 64, unexpectedBytes: 4096 } },
    async (world) => {
      const next = (world.rank + 1) % world.size;
      for (let i = 0; i < 400; i += 1) {
        const comm = i % 3 === 0 ? await world.split(0, -world.rank) : await world.dup();
        const into = new Uint32Array(1);
        await comm!.sendrecv(Uint32Array.of(i), into, { dest: next });
        assert.equal(into[0], i);
        if (i % 5 === 0) comm!.isend(new Uint8Array(30), { dest: next });
        comm!.free();
      }
      await nothingLeft(world);
      await allMeet(world);
    },
  );

  rankTest(
    '10. one that some never free does no harm',
    { ranks: 2, join: { unexpectedBytes: 4096 } },
    async (world) => {
      for (let i = 0; i < 50; i += 1) {
        const comm = await world.dup();
        if (world.rank === 0) comm.free();
        else for (const size of [10, LARGE]) await comm.ssend(new Uint8Array(size), { dest: 0 });
      }
      await meet(world);
    },
  );

  rankTest('11. lets a dup of it that is under way finish', 2, async (world) => {
    const comm = await world.dup();
    const dup = comm.dup();
    comm.free();
    const made = await dup;
    const peer = 1 - world.rank;
    const into = new Uint8Array(1);
    await made.sendrecv(Uint8Array.of(world.rank), into, { dest: peer });
    assert.deepEqual([...into], [peer]);
    await meet(world);
  });
});

describe('close()', () => {
  for (const culprit of [0, 2]) {
    rankTest(`12. of rank ${culprit} rejects its dup under way, and everybody else's`, 3, async (world) => {
      if (world.rank !== culprit) {
        const exit = nextPeerExit(world);
        await world.send(NOTHING, { dest: culprit });
        await exit;
        return assert.rejects(world.dup(), peerExited(culprit, 'closed'));
      }
      for (const source of [0, 1, 2]) if (source !== culprit) await world.recv({ source });
      const calls = [world.dup(), world.split(0)].map((call) => assert.rejects(call, coded('ERR_UINTR_CLOSED')));
      await world.close();
      return Promise.all(calls);
    });
  }

  rankTest('13. fails the operations of every communicator', 2, async (world) => {
    const comm = await world.dup();
    // From itself: the other may be closed first.
    const receives = [comm.irecv(new Uint8Array(1), { source: world.rank }), comm.irecv({ source: world.rank })];
    await meet(world);
    const closing = world.close();
    const closed = coded('ERR_UINTR_CLOSED');
    for (const request of receives) await assert.rejects(async () => request, closed);
    assert.throws(() => comm.isend(NOTHING, { dest: 0 }), closed);
    await assert.rejects(comm.dup(), closed);
    comm.free();
    await closing;
    comm.free();
    await assert.rejects(comm.split(0), closed);
  });
});
