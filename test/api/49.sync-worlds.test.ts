// uintr/sync in the memory of a world: for all its ranks, in whichever life, and while interrupts move their messages.
import { strict as assert } from 'node:assert';
import type { World } from '../../lib/index.js';
import { AtomicCounter, Completion, Mutex, PerCpuCounter, SpinLock } from '../../lib/sync.js';
import { coded } from '../helpers/errors.js';
import { again, die, LIFE, returned } from '../helpers/lives.js';
import { eachDriver, matrix } from '../helpers/matrix.js';
import { assertPattern, pattern } from '../helpers/pattern.js';
import { openDescriptors } from '../helpers/proc.js';
import { processTest, rankTest } from '../helpers/rank-test.js';
import { LOCKS, Peer } from '../helpers/sync.js';
import { compute, computeUntilWritten } from '../helpers/work.js';
import { allMeet, meet } from '../helpers/worlds.js';

/** Ranks 0 and 1 are threads of one process, 2 is another one. */
const MIXED = { ranks: 3, processes: [[0, 1], [2]] } as const;
const NOTHING = new Uint8Array(0);
const ownerDied = coded('ERR_UINTR_OWNER_DIED', 'consistent()');

/** So often a change of the counter that is none of its own, under each of the locks. */
function bump(world: World, times: number): void {
  for (const { kind, make } of LOCKS) {
    const name = kind.replace(', ', '-');
    const lock = make(world, name);
    const counter = new AtomicCounter(world, { name: `${name}.count` });
    for (let i = 0; i < times; i += 1) {
      const guard = lock.lock();
      const before = counter.load();
      compute(3);
      counter.exchange(before + 1n);
      guard.unlock();
    }
  }
}

function bumped(world: World): bigint[] {
  return LOCKS.map(({ kind }) => new AtomicCounter(world, { name: `${kind.replace(', ', '-')}.count` }).load());
}

eachDriver(() => {
  rankTest('1. a name is one and the same for all ranks, threads and processes', MIXED, async (world) => {
    bump(world, 300);
    await allMeet(world);
    assert.deepEqual(bumped(world), [900n, 900n, 900n, 900n]);
  });

  rankTest(
    '2. it outlives the rank that made it, and a rank that dies with it is told of',
    { ranks: 3, exits: ['SIGKILL', 0, 0] },
    async (world, t) => {
      const locks = LOCKS.map(({ kind, make }) => make(world, kind.replace(', ', '-')));
      const done = new Completion(world, { name: 'done' });
      if (t.rank === 0) {
        for (const lock of locks) lock.lock();
        done.complete();
        for (const dest of [1, 2]) await world.send(NOTHING, { dest });
        await world.recv({ source: 1 });
        die();
      }
      await world.recv({ source: 0 });
      const peer = 3 - t.rank;
      if (t.rank === 1) {
        for (const lock of locks) assert.equal(lock.locked, true);
        await world.send(NOTHING, { dest: 0 });
        for (const lock of locks) {
          assert.throws(() => lock.lock(), ownerDied);
          const guard = lock.lock({ recover: true });
          assert.equal(guard.ownerDied, true);
          guard.unlock();
        }
        await meet(world, peer);
        await meet(world, peer);
      } else {
        await meet(world, peer);
        for (const lock of locks) {
          assert.throws(() => lock.lock(), ownerDied);
          const guard = lock.lock({ recover: true });
          guard.consistent();
          guard.unlock();
        }
        assert.equal(done.tryWait(), true);
        await meet(world, peer);
      }
      for (const lock of locks) {
        const guard = lock.lock();
        assert.equal(guard.ownerDied, false);
        guard.unlock();
      }
    },
  );

  rankTest(
    '3. the next life of a rank finds what the last one has left',
    { join: { rejoin: true }, exits: [0, 'SIGKILL', 0], during: again(1) },
    async (world, t) => {
      const lock = new Mutex(world, { name: 'lock' });
      const count = new AtomicCounter(world, { name: 'count' });
      if (t.rank === 1) {
        if (LIFE === 0) {
          count.add(41);
          lock.lock();
          die();
        }
        assert.equal(count.fetchAdd(1), 41n);
        assert.throws(() => lock.lock(), ownerDied);
        const guard = lock.lock({ recover: true });
        guard.consistent();
        guard.unlock();
        await world.send(NOTHING, { dest: 0 });
        return;
      }
      await returned(world, 1, 1);
      await world.recv({ source: 1 });
      assert.equal(count.load(), 42n);
      lock.lock().unlock();
    },
  );
});

processTest('4. what was used of a world stays when it is closed, and nothing else', 2, async (t) => {
  const world = await t.join();
  const count = new AtomicCounter(world, { name: 'count' });
  const done = new Completion(world, { name: 'done' });
  await world.close();
  count.increment();
  done.complete();
  if (t.rank === 0) done.complete();
  for (let i = 0; i <= t.rank; i += 1) done.wait();
  new Mutex(world, { name: 'later' }).lock().unlock();
  const other = await t.join({ name: `${t.joinOptions.name}-other` });
  await other.close();
  assert.throws(() => new Mutex(other), coded('ERR_UINTR_CLOSED'));
});

rankTest(
  '5. a process that is no rank has it by its handle, and the world costs one descriptor more',
  1,
  async (world) => {
    const before = openDescriptors().size;
    const count = new PerCpuCounter(world, { name: 'count' });
    assert.equal(openDescriptors().size, before + 1);
    const lock = new SpinLock(world, { ticket: true });
    const peer = Peer.process();
    const its = await peer.open('PerCpuCounter', count);
    await peer.do('repeat', its.number, 'add', [3n], 1_000);
    const theirs = await peer.open('SpinLock', lock);
    await peer.call(theirs, 'lock');
    assert.equal(lock.tryLock(), undefined);
    assert.equal(await peer.end('kill'), 'SIGKILL');
    assert.throws(() => lock.lock(), ownerDied);
    assert.equal(count.sum(), 3_000n);
  },
);

const BYTES = 400_000;

// What interrupts move while a rank is inside. In the handler nothing waits, or most of this would never end.
matrix(
  () => {
    rankTest('6. an owner gets messages from one that waits for that very lock', 2, async (world) => {
      const peer = 1 - world.rank;
      for (const [i, { kind, make }] of LOCKS.entries()) {
        const lock = make(world, kind.replace(', ', '-'));
        for (let round = 0; round < 6; round += 1) {
          const tag = i * 100 + round;
          const into = new Uint8Array(BYTES);
          if (round % 2 === world.rank) {
            const guard = lock.lock();
            const received = world.irecv(into, { source: peer, tag });
            const go = world.isend(NOTHING, { dest: peer, tag });
            // No call, no event loop: by interrupts of this thread and of the one that waits.
            computeUntilWritten(into);
            guard.unlock();
            received.wait();
            go.wait();
            assertPattern(into, tag);
          } else {
            await world.recv({ source: peer, tag });
            const sent = world.isend(pattern(tag, BYTES), { dest: peer, tag });
            lock.lock().unlock();
            await sent;
          }
        }
      }
    });

    rankTest('7. who waits for a completion gets and sends messages meanwhile', 2, async (world) => {
      const peer = 1 - world.rank;
      const done = new Completion(world, { name: 'done' });
      for (let round = 0; round < 6; round += 1) {
        const into = new Uint8Array(BYTES);
        const received = world.irecv(into, { source: peer, tag: round });
        await meet(world);
        const sent = world.isend(pattern(round * 2 + world.rank, BYTES), { dest: peer, tag: round });
        if (round % 2 === world.rank) {
          done.wait();
        } else {
          // All of it has come from a thread that is in wait().
          computeUntilWritten(into);
          done.complete();
        }
        await Promise.all([received, sent]);
        assertPattern(into, round * 2 + peer);
      }
    });

    rankTest(
      '8. under a flood of messages locks exclude and counts are exact',
      MIXED,
      async (world) => {
        const perCpu = new PerCpuCounter(world, { name: 'per-cpu' });
        const atomic = new AtomicCounter(world, { name: 'atomic' });
        const peers = [0, 1, 2].filter((rank) => rank !== world.rank);
        const sizes = [0, 8, 3_000, 40_000, BYTES];
        const rounds = 8;
        for (let round = 0; round < rounds; round += 1) {
          const into = peers.map(() => sizes.map((size) => new Uint8Array(size)));
          const received = peers.flatMap((source, i) =>
            sizes.map((_, s) => world.irecv(into[i]![s]!, { source, tag: round * 10 + s })),
          );
          const sent = peers.flatMap((dest) =>
            sizes.map((size, s) => world.isend(pattern(round + world.rank, size), { dest, tag: round * 10 + s })),
          );
          bump(world, 150);
          for (let i = 0; i < 5_000; i += 1) {
            perCpu.increment();
            atomic.increment();
          }
          perCpu.add(-3);
          atomic.sub(3n);
          compute(5);
          await Promise.all([...received, ...sent]);
          for (const [i, source] of peers.entries()) for (const one of into[i]!) assertPattern(one, round + source);
        }
        await allMeet(world);
        const each = BigInt(rounds * 3);
        assert.deepEqual(bumped(world), Array(4).fill(each * 150n));
        assert.deepEqual([perCpu.sum(), atomic.load()], [each * 4_997n, each * 4_997n]);
        return world.stats().interrupts.handled;
      },
      (outcomes) => {
        for (const { result } of outcomes) expect(Number(result)).toBeGreaterThan(0);
      },
    );
  },
  ['signal', 'uintr'],
  ['auto', 'pipeline'],
);
