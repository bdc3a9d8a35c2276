// uintr/sync: lockAsync() and waitAsync(), which leave the event loop free.
import { strict as assert } from 'node:assert';
import { once } from 'node:events';
import { setImmediate as turn } from 'node:timers/promises';
import { AtomicCounter, Completion, type LockGuard, SharedRegion } from '../../lib/sync.js';
import { coded } from '../helpers/errors.js';
import { processTest } from '../helpers/rank-test.js';
import { eachLock, Peer, type Remote } from '../helpers/sync.js';
import { Random } from '../random/prng.js';

const timedOut = coded('ERR_UINTR_TIMEOUT', 'lockAsync()');

async function turns(n: number): Promise<void> {
  for (let i = 0; i < n; i += 1) await turn();
}

eachLock(({ type, make, open }) => {
  processTest('1. timers and I/O go on while it waits, and the process stays alive for it', 1, async () => {
    const lock = make(SharedRegion.create());
    const peer = Peer.process();
    const its = await peer.open(type, lock);
    await peer.call(its, 'lock');
    const waiting = lock.lockAsync();
    // The peer's answers are I/O.
    for (let i = 0; i < 20; i += 1) {
      assert.equal(await peer.get(its, 'locked'), true);
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
    // From here on nothing but the wait keeps this process, whose body would not end.
    peer.child!.unref();
    peer.child!.channel!.unref();
    peer.do('exit').catch(() => {});
    await assert.rejects(waiting, coded('ERR_UINTR_OWNER_DIED'));
  });

  processTest("2. one thread's calls are served in the order in which they came, behind its own owner", 1, async () => {
    const lock = make(SharedRegion.create());
    const served: number[] = [];
    const owner = lock.lock();
    const all = Array.from({ length: 50 }, async (_, i) => {
      const guard = await lock.lockAsync();
      served.push(i);
      if (i % 3 === 0) await turn();
      guard.unlock();
    });
    await turns(5);
    assert.deepEqual(served, []);
    owner.unlock();
    await Promise.all(all);
    assert.deepEqual(served, [...all.keys()]);
  });

  processTest('3. a time or a signal ends a wait in the middle of the queue, and only that one', 1, async () => {
    const lock = make(SharedRegion.create());
    const owner = lock.lock();
    const before = AbortSignal.abort();
    await assert.rejects(lock.lockAsync({ signal: before }), before.reason);
    const first = lock.lockAsync();
    const timed = lock.lockAsync({ timeoutMs: 3 });
    const control = new AbortController();
    const aborted = lock.lockAsync({ signal: control.signal, timeoutMs: 50_000 });
    const last = lock.lockAsync({ signal: new AbortController().signal, timeoutMs: 50_000 });
    await assert.rejects(timed, timedOut);
    const reason = new Error('as planned');
    control.abort(reason);
    await assert.rejects(aborted, reason);
    owner.unlock();
    const guard = await first;
    assert.equal(lock.locked, true);
    guard.unlock();
    (await last).unlock();
    // An aborted signal refuses a free lock as well.
    await assert.rejects(lock.lockAsync({ signal: before }), before.reason);
    assert.equal(lock.locked, false);
    // And after it was granted it means nothing.
    const late = new AbortController();
    const owned = await lock.lockAsync({ signal: late.signal });
    late.abort();
    await turns(3);
    assert.equal(lock.locked, true);
    owned.unlock();
  });

  processTest('4. a grant that meets an abort or the end of its time is not lost', 1, async () => {
    const region = SharedRegion.create();
    const lock = make(region);
    const counter = new AtomicCounter(region);
    const peer = Peer.process();
    const its = await peer.open(type, lock);
    const theirs = await peer.open('AtomicCounter', counter);
    const busy = peer.do('bump', its.number, theirs.number, 20_000);
    let over = false;
    busy.then(() => {
      over = true;
    });
    const random = new Random(7);
    let granted = 0;
    for (let round = 0; round < 400 || !over; round += 1) {
      const control = new AbortController();
      const wait = lock.lockAsync(
        random.chance(0.5) ? { signal: control.signal } : { timeoutMs: random.below(2), signal: control.signal },
      );
      const outcome = wait.then(
        (guard) => {
          counter.exchange(counter.load() + 1n);
          granted += 1;
          guard.unlock();
        },
        () => {},
      );
      for (let i = random.below(4); i > 0; i -= 1) await turn();
      control.abort();
      await outcome;
      if (over && round >= 400) break;
    }
    await busy;
    (await lock.lockAsync({ timeoutMs: 30_000 })).unlock();
    lock.lock({ timeoutMs: 30_000 }).unlock();
    assert.equal(counter.load(), BigInt(20_000 + granted));
    assert.equal(await peer.end(), 0);
  });

  processTest('5. lock() goes before those who wait without blocking, and they get theirs after it', 1, async () => {
    const lock = make(SharedRegion.create());
    const peer = Peer.process();
    const its = await peer.open(type, lock);
    for (let round = 0; round < 8; round += 1) {
      const theirs = await peer.call<Remote>(its, 'lock');
      const waiting = [lock.lockAsync(), lock.lockAsync()];
      let granted = 0;
      for (const one of waiting) {
        one.then((guard) => {
          granted += 1;
          guard.unlock();
        });
      }
      assert.equal(lock.tryLock(), undefined);
      if (round % 2 === 0) await turns(round);
      assert.throws(() => lock.lock({ timeoutMs: round }), coded('ERR_UINTR_TIMEOUT', 'lock()'));
      const release = peer.call(theirs, 'unlock');
      const guard = lock.lock();
      assert.equal(granted, 0);
      assert.equal(lock.tryLock(), undefined);
      guard.unlock();
      await Promise.all([release, ...waiting]);
      assert.equal(granted, 2);
      assert.equal(lock.locked, false);
    }
    assert.equal(await peer.end(), 0);
  });

  processTest('6. 1000 calls on one lock, and 100 locks at once', 1, async () => {
    const region = SharedRegion.create(1 << 20);
    const peer = Peer.process();
    const lock = make(region);
    const its = await peer.open(type, lock);
    const theirs = await peer.call<Remote>(its, 'lock');
    let count = 0;
    const one = async (from: typeof lock): Promise<void> => {
      const guard = await from.lockAsync();
      count += 1;
      guard.unlock();
    };
    const all = Array.from({ length: 1_000 }, () => one(lock));
    await turns(2);
    assert.equal(count, 0);
    await peer.call(theirs, 'unlock');
    await Promise.all(all);
    assert.equal(count, 1_000);
    const locks = Array.from({ length: 100 }, () => make(region));
    const guards: Remote[] = [];
    for (const each of locks) guards.push(await peer.call<Remote>(await peer.open(type, each), 'lock'));
    const many = locks.map(one);
    await turns(2);
    assert.equal(count, 1_000);
    for (const guard of guards) await peer.call(guard, 'unlock');
    await Promise.all(many);
    assert.equal(count, 1_100);
    assert.equal(await peer.end(), 0);
  });

  for (const how of ['kill', 'exit'] as const) {
    processTest(`7. threads and processes that end (${how}) while they wait leave the lock as it is`, 1, async () => {
      const lock = make(SharedRegion.create());
      const guard = lock.lock();
      const peers = [Peer.thread(), Peer.thread(), ...(how === 'exit' ? [Peer.process(), Peer.process()] : [])];
      const other = await peers[0]!.make('SharedRegion', 'create');
      for (const [i, peer] of peers.entries()) {
        const its = await peer.open(type, lock);
        for (let n = 0; n <= i; n += 1) await peer.do('begin', its.number, 'lockAsync');
      }
      assert.equal(typeof other.number, 'number');
      await Promise.all(peers.map((peer) => peer.end(how)));
      const waiting = lock.lockAsync();
      guard.unlock();
      const next = await waiting;
      assert.equal(next.ownerDied, false);
      next.unlock();
      assert.equal(lock.lock().ownerDied, false);
    });
  }

  // The moment of which the addon has told JavaScript is not over for it.
  for (const [what, start] of [
    ['process', () => Peer.process()],
    ['worker', () => Peer.thread()],
  ] as const) {
    processTest(`8. a ${what} that ends in the very moment in which it was granted dies with it`, 1, async () => {
      const lock = make(SharedRegion.create());
      for (let round = 0; round < 2; round += 1) {
        const guard = lock.lock();
        const peer = start();
        const its = await peer.open(type, lock);
        await peer.do('exitWith', its.number, 'lockAsync');
        guard.unlock();
        await peer.over;
        const next = lock.lock({ recover: true });
        assert.equal(next.ownerDied, true);
        next.consistent();
        next.unlock();
      }
    });
  }

  processTest('9. a closed region rejects those who wait, and keeps nothing', 1, async () => {
    const region = SharedRegion.create();
    const lock = make(region);
    const peer = Peer.process();
    const its = await peer.open(type, lock);
    const theirs = await peer.call<Remote>(its, 'lock');
    const waits = [lock.lockAsync(), lock.lockAsync({ timeoutMs: 50_000 }), open(lock.handle).lockAsync()];
    const closed = coded('ERR_UINTR_CLOSED');
    await turns(2);
    region.close();
    await assert.rejects(waits[0]!, closed);
    await assert.rejects(waits[1]!, closed);
    await assert.rejects(lock.lockAsync(), closed);
    await peer.call(theirs, 'unlock');
    // It has a mapping of its own.
    const guard = (await waits[2]) as LockGuard;
    assert.equal(guard.ownerDied, false);
    guard.unlock();
    await peer.call(await peer.call<Remote>(its, 'lock'), 'unlock');
    assert.equal(await peer.end(), 0);
  });

  processTest('10. what was waited for and what was not leave nothing that keeps the process alive', 1, async () => {
    const lock = make(SharedRegion.create());
    const guard = lock.lock();
    const wait = lock.lockAsync({ timeoutMs: 5 });
    await assert.rejects(wait, timedOut);
    await lock.lockAsync({ signal: AbortSignal.abort() }).catch(() => {});
    const granted = lock.lockAsync();
    guard.unlock();
    await granted;
    process.exitCode = 0;
  });
});

processTest('11. a completion that ends with a waiter in the very moment gives nobody another', 1, async () => {
  const done = new Completion(SharedRegion.create());
  for (const start of [() => Peer.process(), () => Peer.thread()]) {
    for (let round = 0; round < 3; round += 1) {
      const peer = start();
      const its = await peer.open('Completion', done);
      await peer.do('exitWith', its.number, 'waitAsync');
      done.complete();
      await peer.over;
      assert.equal(done.done, 0);
    }
  }
});

processTest('12. a wait that was ended gives back what had come for it', 1, async () => {
  const done = new Completion(SharedRegion.create());
  const random = new Random(12);
  let taken = 0;
  let given = 0;
  for (let round = 0; round < 300; round += 1) {
    const control = new AbortController();
    const waits = [done.waitAsync({ signal: control.signal }), done.waitAsync({ timeoutMs: random.below(3) })].map(
      (one) =>
        one.then(
          () => {
            taken += 1;
          },
          () => {},
        ),
    );
    if (random.chance(0.5)) await turns(random.below(3));
    const n = random.below(3);
    for (let i = 0; i < n; i += 1) done.complete();
    given += n;
    if (random.chance(0.5)) await turns(random.below(3));
    control.abort();
    await Promise.all(waits);
  }
  // The helper of the last wait may have it in its hands.
  while (done.done !== given - taken) await turn();
});

processTest('13. with waits pending, the process exits from a listener of a signal', 1, async () => {
  const region = SharedRegion.create();
  const peer = Peer.process();
  const done = new Completion(region);
  const its = await peer.open('Completion', done);
  await peer.do('begin', its.number, 'waitAsync');
  await peer.do('exitOn', 'SIGUSR2');
  peer.child!.kill('SIGUSR2');
  assert.deepEqual(await once(peer.child!, 'exit'), [7, null]);
});
