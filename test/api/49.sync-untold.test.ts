// uintr/sync: what a helper has got for calls that do not block, and the loop has not told yet.
import { strict as assert } from 'node:assert';
import { AtomicCounter, Completion, Mutex, SharedRegion } from '../../lib/sync.js';
import { coded, invalid } from '../helpers/errors.js';
import { processTest } from '../helpers/rank-test.js';
import { eachLock, Peer } from '../helpers/sync.js';

/** Computes, so that the loop does not turn, until this holds. */
function computeUntil(holds: () => boolean): void {
  while (!holds());
}

eachLock(({ kind, type, make }) => {
  processTest(`1. an exit gives back a lock that nobody was told of: its owner has not died (${kind})`, 1, async () => {
    const region = SharedRegion.create();
    const lock = make(region);
    const peer = Peer.process();
    const its = await peer.open(type, lock);
    const guard = lock.lock();
    await peer.do('exitUntold', its.number, 'lockAsync');
    guard.unlock();
    assert.equal(await peer.over, 0);
    lock.lock().unlock();
    region.close();
  });

  processTest(`2. tryLock() and lock() take what has come for lockAsync(), which waits on (${kind})`, 1, async () => {
    const region = SharedRegion.create();
    const lock = make(region);
    for (const blocking of [true, false]) {
      const peer = Peer.thread();
      const its = await peer.open(type, lock);
      const held = await peer.call<{ number: number }>(its, 'lock');
      const waits = lock.lockAsync();
      await new Promise((resolve) => setTimeout(resolve, 5));
      void peer.call(held, 'unlock');
      computeUntil(() => lock.holder?.tid === process.pid);
      let guard = blocking ? lock.lock() : lock.tryLock();
      // The helper may have the lock, and not have said so yet.
      while (guard === undefined) guard = lock.tryLock();
      guard.unlock();
      (await waits).unlock();
      await peer.end();
    }
    region.close();
  });

  processTest(`3. through another mapping of the memory too (${kind})`, 1, async () => {
    const region = SharedRegion.create();
    const lock = make(region, 'one');
    const other = make(SharedRegion.open(region.handle), 'one');
    const peer = Peer.thread();
    const its = await peer.open(type, lock);
    const held = await peer.call<{ number: number }>(its, 'lock');
    const waits = lock.lockAsync();
    await new Promise((resolve) => setTimeout(resolve, 5));
    void peer.call(held, 'unlock');
    other.lock().unlock();
    (await waits).unlock();
    await peer.end();
    region.close();
  });

  processTest(
    `4. close() lets go of a lock, though a wait is left and the loop does not turn (${kind})`,
    1,
    async () => {
      const region = SharedRegion.create();
      const again = SharedRegion.open(region.handle);
      make(region, 'one').lock();
      const waits = new Completion(region, { name: 'never' }).waitAsync();
      region.close();
      const guard = make(again, 'one').lock({ recover: true });
      assert.equal(guard.ownerDied, true);
      guard.unlock();
      await assert.rejects(waits, coded('ERR_UINTR_CLOSED'));
      again.close();
    },
  );
});

processTest('5. an exit gives back what a completion has ended for nobody', 1, async () => {
  const region = SharedRegion.create();
  const [completion, flag] = [new Completion(region), new AtomicCounter(region)];
  const peer = Peer.process();
  const [its, set] = [await peer.open('Completion', completion), await peer.open('AtomicCounter', flag)];
  await peer.do('exitUntold', its.number, 'waitAsync', set.number);
  completion.complete();
  flag.increment();
  assert.equal(await peer.over, 0);
  completion.wait(0);
  assert.equal(completion.done, 0);
  region.close();
});

processTest('6. a wait that completeAll() has ended has taken nothing, and gives nothing back', 1, async () => {
  const region = SharedRegion.create();
  const completion = new Completion(region);
  for (let i = 0; i < 20; i += 1) {
    const ends = new AbortController();
    const waits = completion.waitAsync({ signal: ends.signal });
    completion.completeAll();
    // The helper sees it, or not: either way nothing may be left.
    const until = performance.now() + i;
    computeUntil(() => performance.now() >= until);
    completion.reinit();
    ends.abort();
    await waits.catch(() => {});
    assert.equal(completion.done, 0);
  }
  region.close();
});

processTest('7. a handle that says another kind is refused, also where this thread knows the object', 1, () => {
  const region = SharedRegion.create();
  const { handle } = Mutex.open(new Mutex(region).handle);
  const forged = handle.replace('#1@', '#5@');
  assert.throws(() => AtomicCounter.open(forged), invalid('handle', forged));
  region.close();
});
