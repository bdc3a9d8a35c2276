// What happens to collective operations that cannot end well: no rank hangs, and none believes that all is well.
import { strict as assert } from 'node:assert';
import { IN_PLACE, type Request, type World } from '../../lib/index.js';
import { coded, invalid, peerExited } from '../helpers/errors.js';
import { eachDriver } from '../helpers/matrix.js';
import { processTest, rankTest } from '../helpers/rank-test.js';
import { compute } from '../helpers/work.js';
import { allMeet, nextPeerExit } from '../helpers/worlds.js';
import { inWorldsOf } from '../helpers/worlds-of-sizes.js';

const mismatch = coded('ERR_UINTR_MISMATCH', 'called');
const revoked = coded('ERR_UINTR_REVOKED');

type Start = (world: World) => Request<unknown>;
const i32 = (length: number): Int32Array => new Int32Array(length);

/** What most ranks call, and what one calls instead. */
const DIFFERENT: [string, Start, Start][] = [
  ['another operation', (w) => w.ibarrier(), (w) => w.ibcast(i32(1), 0)],
  ['another root of bcast', (w) => w.ibcast(i32(4), 0), (w) => w.ibcast(i32(4), w.size - 1)],
  ['another root of bcast, long', (w) => w.ibcast(i32(300_000), 0), (w) => w.ibcast(i32(300_000), 1)],
  ['another root of gather', (w) => w.igather(i32(1), i32(w.size), 0), (w) => w.igather(i32(1), i32(w.size), 1)],
  ['another root of scatter', (w) => w.iscatter(i32(w.size), i32(1), 0), (w) => w.iscatter(i32(w.size), i32(1), 1)],
  ['another root of reduce', (w) => w.ireduce(i32(1), i32(1), 'sum', 0), (w) => w.ireduce(i32(1), i32(1), 'sum', 1)],
  ['another length of bcast', (w) => w.ibcast(i32(4), 0), (w) => w.ibcast(i32(5), 0)],
  ['another length of allgather', (w) => w.iallgather(i32(1), i32(w.size)), (w) => w.iallgather(i32(0), i32(0))],
  [
    'another length of alltoall, long',
    (w) => w.ialltoall(i32(w.size * 20_000), i32(w.size * 20_000)),
    (w) => w.ialltoall(i32(w.size * 20_001), i32(w.size * 20_001)),
  ],
  ['another op', (w) => w.iallreduce(i32(9), i32(9), 'sum'), (w) => w.iallreduce(i32(9), i32(9), 'max')],
  [
    'another type',
    (w) => w.iscan(i32(2), i32(2), 'sum'),
    (w) => w.iscan(new Float64Array(1), new Float64Array(1), 'sum'),
  ],
  [
    'a function where others have a name',
    (w) => w.iallreduce(i32(1), i32(1), 'sum'),
    (w) => w.iallreduce(i32(1), i32(1), (a, b) => a + b),
  ],
  [
    'other counts of allgatherv',
    (w) => w.iallgatherv(i32(2), i32(2 * w.size), new Array(w.size).fill(2)),
    (w) => w.iallgatherv(i32(1), i32(w.size), new Array(w.size).fill(1)),
  ],
];

/** Each in a world of its own, for it has no more collectives after that. */
async function differ(sizes: readonly number[], t: Parameters<Parameters<typeof processTest>[2]>[0]): Promise<void> {
  for (const [i, [what, usual, different]] of DIFFERENT.entries()) {
    t.note(what);
    const name = `${t.joinOptions.name}-${i}`;
    const named = { ...t, rank: t.rank, joinOptions: { ...t.joinOptions, name } };
    await inWorldsOf(sizes, named, async (world) => {
      t.note(`${what}, ${world.size} ranks`);
      const other = i % world.size;
      const request = (world.rank === other ? different : usual)(world);
      await assert.rejects(async () => request, mismatch);
      await assert.rejects(world.barrier(), revoked);
      // Messages are not concerned.
      const into = new Uint8Array(1);
      const next = (world.rank + 1) % world.size;
      await world.sendrecv(Uint8Array.of(7), into, { dest: next, source: (world.rank + world.size - 1) % world.size });
      assert.equal(into[0], 7);
    });
  }
}

describe('ranks that do not call the same', () => {
  processTest('1. all get ERR_UINTR_MISMATCH, and have no more collectives', { ranks: 5, timeoutMs: 200_000 }, (t) =>
    differ([2, 3, 5], t),
  );

  rankTest('2. of which one sends more than expected with gatherv: all get an error', 3, async (world) => {
    const own = i32(world.rank === 2 ? 5 : 1);
    const request = world.rank === 0 ? world.igatherv(own, i32(3), [1, 1, 1], 0) : world.igatherv(own, null, null, 0);
    // Those who have sent what was expected may be done before the root finds out.
    const error = await request.then(
      () => undefined,
      (reason) => reason,
    );
    if (world.rank === 0) coded('ERR_UINTR_MISMATCH')(error);
    await assert.rejects(world.barrier(), revoked);
  });

  rankTest('3. are told what each has called', 2, async (world) => {
    const root = world.rank;
    await assert.rejects(
      world.bcast(new Float64Array(10), root),
      coded('ERR_UINTR_MISMATCH', 'bcast of 80 bytes from root 0', 'bcast of 80 bytes from root 1'),
    );
  });
});

eachDriver(() => {
  for (const moment of ['before it calls', 'after it has called', 'while the others sit in wait()']) {
    processTest(
      `4. a rank that dies ${moment}: all others get ERR_UINTR_PEER_EXITED`,
      { ranks: 5, exits: [0, 0, 'SIGKILL', 0, 0], timeoutMs: 100_000 },
      async (t) => {
        const world = await t.join();
        for (let i = 0; i < 3; i += 1) await world.allreduce(i32(5_000), i32(5_000), 'sum');
        if (t.rank === 2) {
          if (moment === 'after it has called') world.iallgather(i32(100_000), i32(500_000));
          process.kill(process.pid, 'SIGKILL');
        }
        const gone = peerExited(2, 'killed');
        const request = world.iallgather(i32(100_000), i32(500_000));
        if (moment.startsWith('while')) assert.throws(() => request.wait(), gone);
        else await assert.rejects(async () => request, gone);
        await assert.rejects(world.bcast(i32(1), 0), gone);
        await world.close();
      },
    );
  }
});

/** Large ones and small ones, towards the victim and away from it. */
const AT_WORK: [string, Start][] = [
  ['ibarrier', (w) => w.ibarrier()],
  ['ibcast', (w) => w.ibcast(i32(200_000), 2)],
  ['ireduce', (w) => w.ireduce(i32(50_000), i32(50_000), 'sum', 0)],
  ['iscan', (w) => w.iscan(i32(3_000), i32(3_000), 'max')],
  ['ialltoall', (w) => w.ialltoall(i32(5 * 9_000), i32(5 * 9_000))],
  ['igather', (w) => w.igather(i32(10), i32(50), 1)],
];

describe('a rank that dies in the middle', () => {
  for (const [name, start] of AT_WORK) {
    processTest(
      `5. of ${name}: all others get ERR_UINTR_PEER_EXITED, then or with the next`,
      { ranks: 5, exits: [0, 0, 'SIGKILL', 0, 0], timeoutMs: 100_000 },
      async (t) => {
        const world = await t.join();
        const talk = async (): Promise<void> => {
          for (let i = 0; ; i += 1) {
            const request = start(world);
            if (t.rank === 2 && i === 4) process.kill(process.pid, 'SIGKILL');
            await request;
          }
        };
        await assert.rejects(talk(), peerExited(2, 'killed'));
        await world.close();
      },
    );
  }
});

describe('a collective', () => {
  processTest('6. of which a rank closes its world: all others get ERR_UINTR_PEER_EXITED', 4, async (t) => {
    const world = await t.join();
    await world.barrier();
    if (t.rank !== 1) await assert.rejects(world.allreduce(i32(1), i32(1), 'sum'), peerExited(1, 'closed'));
    await world.close();
  });

  rankTest('7. under way when its own world closes fails with ERR_UINTR_CLOSED', 2, async (world) => {
    if (world.rank === 0) {
      const request = world.ibarrier();
      const failed = assert.rejects(async () => request, coded('ERR_UINTR_CLOSED'));
      await world.close();
      await failed;
      await assert.rejects(world.barrier(), coded('ERR_UINTR_CLOSED'));
    } else {
      await assert.rejects(world.recv({ source: 0 }), peerExited(0, 'closed'));
    }
  });

  rankTest('8. whose function throws fails with that there, and elsewhere with ERR_UINTR_REVOKED', 4, async (world) => {
    const own = new Error('not this one');
    const request = world.iallreduce(Int32Array.of(world.rank), i32(1), (a, b) => {
      if (world.rank === 3) throw own;
      return a + b;
    });
    const other = world.ibarrier();
    if (world.rank === 3) await assert.rejects(async () => request, own);
    // Some have what they need from rank 3 before its function is called.
    else await request.catch(coded('ERR_UINTR_REVOKED', 'not this one', 'rank 3'));
    await other.catch(revoked);
    await assert.rejects(world.barrier(), revoked);
    // Who closes before another has looked is gone for it, and that is then what it hears.
    await allMeet(world);
  });

  processTest(
    '9. for which no request is left fails on all ranks, and does not hang',
    { ranks: 3, join: { maxRequests: 32 } },
    async (t) => {
      const world = await t.join();
      const requests = Array.from({ length: 60 }, () => world.ibarrier());
      const outcomes = await Promise.allSettled(requests);
      const codes = outcomes.map((one) => (one.status === 'rejected' ? one.reason.code : 'done'));
      assert.ok(codes.includes('ERR_UINTR_NO_MEMORY') || codes.includes('ERR_UINTR_REVOKED'), `${codes}`);
      await world.close();
    },
  );

  processTest(
    '10. of more messages at a time than there may be requests fails on all ranks, and messages go on',
    { ranks: 9, join: { maxRequests: 16 } },
    async (t) => {
      const world = await t.join();
      await world.barrier();
      const failed = (error: { code?: string }): boolean =>
        error.code === 'ERR_UINTR_NO_MEMORY' || error.code === 'ERR_UINTR_REVOKED';
      // Long enough for each to send to each at once.
      await assert.rejects(world.alltoall(i32(900), i32(900)), failed);
      await assert.rejects(world.barrier(), revoked);
      const [dest, source] = [(t.rank + 1) % 9, (t.rank + 8) % 9];
      await world.sendrecv(i32(1), i32(1), { dest, source });
      await world.close();
    },
  );

  rankTest('11. that was not started for a bad argument is none', 2, async (world) => {
    const [a, b] = [i32(2), i32(4)];
    const bad: [Start, string][] = [
      [(w) => w.ibcast([1] as never, 0), 'buffer'],
      [(w) => w.ibcast(a, 2), 'root'],
      [(w) => w.ibcast(a, undefined as never), 'root'],
      [(w) => w.ibcast(IN_PLACE as never, 0), 'buffer'],
      [(w) => w.igather(a, i32(3), w.rank), 'into'],
      [(w) => w.igather(IN_PLACE, b, 1 - w.rank), 'from'],
      [(w) => w.igather(IN_PLACE, i32(3), w.rank), 'into'],
      [(w) => w.igather(a, null, w.rank), 'into'],
      [(w) => w.iscatter(i32(3), a, w.rank), 'from'],
      [(w) => w.iscatter(b, IN_PLACE, 1 - w.rank), 'into'],
      [(w) => w.iallgather(a, i32(5)), 'into'],
      [(w) => w.iallgather(b.subarray(1, 3), b), 'into'],
      [(w) => w.iallgather(new Float32Array(2), b), 'into'],
      [(w) => w.ialltoall(i32(3), i32(3)), 'into'],
      [(w) => w.ialltoall(a, b), 'from'],
      [(w) => w.iallgatherv(a, b, [2]), 'counts'],
      [(w) => w.iallgatherv(a, b, [2, 3]), 'into'],
      [(w) => w.iallgatherv(a, b, [2, -1]), 'counts[1]'],
      [(w) => w.iallgatherv(i32(1), b, [2, 2]), 'from'],
      [(w) => w.ialltoallv(a, b, [1, 1], [2, 2]), 'recvCounts'],
      [(w) => w.igatherv(a, b, undefined, w.rank), 'counts'],
      [(w) => w.iallreduce(a, b, 'sum'), 'into'],
      [(w) => w.iallreduce(a, a, 'sum'), 'into'],
      [(w) => w.iallreduce(a, new Uint32Array(2), 'sum'), 'into'],
      [(w) => w.iallreduce(a, i32(2), 'average' as never), 'op'],
      [(w) => w.iallreduce(new Float64Array(2), new Float64Array(2), 'bxor'), 'op'],
      [(w) => w.iallreduce(new ArrayBuffer(8) as never, a, 'sum'), 'from'],
      [(w) => w.ireduce(IN_PLACE, a, 'sum', 1 - w.rank), 'from'],
      [(w) => w.ireduceScatter(a, i32(2), 'sum'), 'from'],
      [(w) => w.ireduceScatter(IN_PLACE, i32(3), 'sum'), 'into'],
    ];
    for (const [start, name] of bad) assert.throws(() => start(world), invalid(name));
    await assert.rejects(world.bcast(a, 2), invalid('root'));
    await assert.rejects(world.allreduce(a, a, 'sum'), invalid('into'));
    assert.equal(await world.barrier(), true);
  });

  rankTest(
    '11. that fails leaves those alone that come before it, also where they are started later',
    3,
    async (world) => {
      if (world.rank === 1) {
        await world.recv({ source: 0 });
        assert.equal(await world.barrier(), true);
        await assert.rejects(world.bcast(i32(1), 0), mismatch);
        return allMeet(world);
      }
      const [before, failing] = [world.ibarrier(), world.ibcast(i32(1), world.rank)];
      await assert.rejects(async () => failing, mismatch);
      if (world.rank === 0) await world.send(i32(0), { dest: 1 });
      assert.equal(await before, true);
      return allMeet(world);
    },
  );

  processTest('12. of ranks that were all gone before it fails with ERR_UINTR_PEER_EXITED', 2, async (t) => {
    const world = await t.join();
    if (t.rank === 0) {
      await nextPeerExit(world);
      await assert.rejects(world.barrier(), peerExited(1, 'closed'));
      await assert.rejects(world.bcast(i32(1), 0), peerExited(1, 'closed'));
    }
    await world.close();
  });
});

describe('a worker that is terminated', () => {
  for (const [name, start] of AT_WORK) {
    for (const how of ['awaits', 'computes'] as const) {
      processTest(
        `13. while it ${how}, in the middle of ${name}: all others get ERR_UINTR_PEER_EXITED, then or with the next`,
        {
          ranks: 5,
          processes: [
            [0, 1, 2],
            [3, 4],
          ],
          ended: [2],
        },
        async (t) => {
          const world = await t.join();
          const talk = async (): Promise<void> => {
            for (let i = 0; ; i += 1) {
              const request = start(world);
              if (i === 4 && t.rank === 0) void t.terminate(2);
              if (i === 4 && t.rank === 2 && how === 'computes') for (;;) compute(1_000);
              await request;
            }
          };
          if (t.rank === 2) return talk();
          await assert.rejects(talk(), peerExited(2, 'exited'));
          await world.close();
          return true;
        },
      );
    }
  }
});
