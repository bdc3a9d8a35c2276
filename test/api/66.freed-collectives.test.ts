// What is left of collective operations when their communicator is freed: nothing.
import { strict as assert } from 'node:assert';
import type { DerivedComm, Request } from '../../lib/index.js';
import { coded } from '../helpers/errors.js';
import { eachDriver } from '../helpers/matrix.js';
import { rankTest } from '../helpers/rank-test.js';
import { allMeet, nothingLeft } from '../helpers/worlds.js';

type Start = (comm: DerivedComm, i: number) => Request<unknown>;
const i32 = (length: number): Int32Array => new Int32Array(length);

/** Each fails on at least one rank, and leaves messages that nobody receives. */
const FAILING: [string, Start][] = [
  ['of which one rank calls another', (c) => (c.rank === 1 ? c.ibcast(i32(10), 1) : c.iallgather(i32(10), i32(30)))],
  [
    'of which one rank calls another, long',
    (c) => (c.rank === 0 ? c.ibcast(i32(20_000), 0) : c.ialltoall(i32(60_000), i32(60_000))),
  ],
  ['to which one gives more', (c) => (c.rank === 0 ? c.igatherv(i32(1), i32(3), [1, 1, 1], 0) : tooMuch(c))],
  ['whose function throws', (c, i) => c.iallreduce(i32(30), i32(30), thrower(c.rank === i % 3))],
  ['whose function throws at all', (c) => c.iscan(i32(3_000), i32(3_000), thrower(true))],
];

function tooMuch(comm: DerivedComm): Request<unknown> {
  return comm.igatherv(i32(comm.rank === 2 ? 5 : 1), null, null, 0);
}

function thrower(throws: boolean) {
  return (a: number, b: number): number => {
    if (throws) throw new Error('not this one');
    return a + b;
  };
}

/** Some end well on some ranks, where what others need has been sent before it failed. */
async function failsSomewhere(requests: readonly Request<unknown>[]): Promise<void> {
  await Promise.allSettled(requests);
}

eachDriver(() => {
  for (const [what, start] of FAILING) {
    rankTest(
      `1. however often one fails ${what}, with more after it, free() leaves nothing behind`,
      { ranks: 3, join: { maxRequests: 128, unexpectedBytes: 8192, eagerLimit: 1024 } },
      async (world) => {
        for (let i = 0; i < 60; i += 1) {
          const comm = (i % 3 === 0 ? await world.split(0, -world.rank) : await world.dup())!;
          if (i % 2 === 0) await comm.barrier();
          const requests = [start(comm, i)];
          for (let k = 0; k < i % 4; k += 1) requests.push(comm.iallreduce(i32(200), i32(200), 'sum'));
          // Also while they are under way.
          if (i % 5 === 0) comm.free();
          await failsSomewhere(requests);
          comm.free();
        }
        await world.barrier();
        await nothingLeft(world);
        await allMeet(world);
      },
    );
  }
});

describe('after a failed collective', () => {
  rankTest(
    '2. free() gives the senders their credit back, also while others have not freed',
    { ranks: 2, join: { unexpectedBytes: 4096, eagerLimit: 1024 } },
    async (world) => {
      const kept: DerivedComm[] = [];
      for (let i = 0; i < 40; i += 1) {
        const comm = await world.dup();
        await failsSomewhere([world.rank === 0 ? comm.ibcast(i32(100), 0) : comm.ibcast(i32(200), 1)]);
        if (world.rank === 0) comm.free();
        else kept.push(comm);
      }
      if (world.rank === 0) await nothingLeft(world, 'sinks');
      await allMeet(world);
      for (const comm of kept) comm.free();
      await nothingLeft(world);
      await allMeet(world);
    },
  );

  rankTest(
    '3. nothing of it is left in a communicator that is not freed either',
    { ranks: 3, join: { maxRequests: 256, unexpectedBytes: 8192, eagerLimit: 1024 } },
    async (world) => {
      const comms = await Promise.all(Array.from({ length: 30 }, () => world.dup()));
      for (const [i, comm] of comms.entries()) await failsSomewhere([FAILING[i % FAILING.length]![1](comm, i)]);
      // Who was done before it failed elsewhere hears of it now.
      for (const comm of comms) await failsSomewhere([comm.ibarrier()]);
      await nothingLeft(world, 'sinks');
      await allMeet(world);
    },
  );

  rankTest(
    '4. the news of it waits for nobody, even if it has to wait for its receiver',
    { ranks: 2, join: { eagerLimit: 0 } },
    async (world) => {
      await failsSomewhere([world.rank === 0 ? world.ibarrier() : world.ibcast(i32(1), 1)]);
      await nothingLeft(world, 'sinks');
      await allMeet(world);
    },
  );
});

describe('free()', () => {
  rankTest('5. lets collective operations that are under way finish', 3, async (world) => {
    const comm = await world.dup();
    const sum = i32(10_000);
    if (world.rank === 1) await world.recv({ source: 0 });
    const requests = [comm.iallreduce(sum.slice().fill(world.rank), sum, 'sum'), comm.ibarrier()];
    comm.free();
    if (world.rank === 0) await world.send(i32(1), { dest: 1 });
    assert.throws(() => comm.ibarrier(), coded('ERR_UINTR_CLOSED', 'freed'));
    await Promise.all(requests);
    assert.ok(sum.every((value) => value === 3));
    await nothingLeft(world);
    await allMeet(world);
  });
});
