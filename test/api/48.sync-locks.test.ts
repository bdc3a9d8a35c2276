// uintr/sync: the four kinds of locks between threads and processes.
import { strict as assert } from 'node:assert';
import { AtomicCounter, SharedRegion } from '../../lib/sync.js';
import { coded } from '../helpers/errors.js';
import { processTest } from '../helpers/rank-test.js';
import { eachLock, eachPeer, Peer } from '../helpers/sync.js';
import { collectGarbage } from '../helpers/worlds.js';

const deadlock = coded('ERR_UINTR_DEADLOCK', 'this thread owns');
const notOwner = coded('ERR_UINTR_NOT_OWNER');
const timedOut = coded('ERR_UINTR_TIMEOUT', 'lock()');
const ownerDied = coded('ERR_UINTR_OWNER_DIED', 'consistent()');

eachLock(({ kind, type, make, open }) => {
  processTest('1. one owner at a time among processes and threads: a plain counter loses nothing', 1, async () => {
    const region = SharedRegion.create();
    const lock = make(region);
    const counter = new AtomicCounter(region);
    const memory = new SharedArrayBuffer(4);
    const peers = [Peer.process(), Peer.thread(), Peer.thread()];
    // Long enough for all to be at it at once; what the fair one costs where there are fewer processors is known.
    const times = kind === 'SpinLock, ticket' ? 4_000 : 15_000;
    const locks = await Promise.all(peers.map((peer) => peer.open(type, lock)));
    const counters = await Promise.all(peers.map((peer) => peer.open('AtomicCounter', counter)));
    const all = (method: string, guarded: (place: number) => unknown, n: number): Promise<unknown> =>
      Promise.all(peers.map((peer, i) => peer.do(method, locks[i]!.number, guarded(i), n)));
    await all('bump', (i) => counters[i]!.number, times);
    await all('bumpAsync', (i) => counters[i]!.number, 50);
    assert.equal(counter.load(), BigInt(3 * (times + 50)));
    // What threads share without the module, too.
    await Promise.all([1, 2].map((i) => peers[i]!.do('bump', locks[i]!.number, memory, times)));
    assert.equal(new Int32Array(memory)[0], 2 * times);
    for (const peer of peers) assert.equal(await peer.end(), 0);
  });

  processTest('2. by its own thread it cannot be taken twice, in whichever way', 1, async () => {
    const lock = make(SharedRegion.create());
    for (const take of [() => lock.lock(), () => lock.tryLock()!, () => lock.lockAsync()]) {
      const guard = await take();
      for (const options of [undefined, { timeoutMs: 0 }, { recover: true }]) {
        assert.throws(() => lock.lock(options), deadlock);
      }
      assert.equal(lock.tryLock(), undefined);
      // This one does not block, so it waits its turn.
      await assert.rejects(lock.lockAsync({ timeoutMs: 1 }), coded('ERR_UINTR_TIMEOUT', 'lockAsync()'));
      assert.equal(lock.locked, true);
      guard.unlock();
      assert.equal(lock.locked, false);
    }
  });

  processTest('3. nor through another mapping of the region', 1, () => {
    const lock = make(SharedRegion.create());
    const same = open(lock.handle);
    const guard = lock.lock();
    assert.equal(same.tryLock(), undefined);
    assert.throws(() => same.lock(), deadlock);
    assert.throws(() => same.lock({ timeoutMs: 10_000 }), deadlock);
    assert.throws(() => same.unlock(), notOwner);
    guard.unlock();
    same.lock().unlock();
  });

  eachPeer((start, what) => {
    processTest(`4. ${what} that does not own it cannot release it, and is told who does`, 1, async () => {
      const lock = make(SharedRegion.create());
      const peer = start();
      const its = await peer.open(type, lock);
      const nobody = coded('ERR_UINTR_NOT_OWNER', 'nobody owns it');
      await assert.rejects(peer.call(its, 'unlock'), nobody);
      assert.throws(() => lock.unlock(), nobody);
      const guard = lock.lock();
      const holder = { pid: process.pid, tid: process.pid };
      assert.deepEqual(lock.holder, holder);
      assert.deepEqual(await peer.get(its, 'holder'), holder);
      assert.equal(await peer.get(its, 'locked'), true);
      assert.equal(await peer.call(its, 'tryLock'), undefined);
      const told = coded('ERR_UINTR_NOT_OWNER', `thread ${process.pid} of process ${process.pid} owns it`);
      await assert.rejects(peer.call(its, 'unlock'), told);
      guard.unlock();
      assert.throws(() => guard.unlock(), coded('ERR_UINTR_NOT_OWNER', 'this guard has released it'));
      assert.throws(() => guard.consistent(), notOwner);
      guard[Symbol.dispose]();
      assert.equal(lock.holder, undefined);
      // A guard of the past releases nothing of the present.
      const next = lock.lock();
      assert.throws(() => guard.unlock(), notOwner);
      guard[Symbol.dispose]();
      assert.equal(lock.locked, true);
      next[Symbol.dispose]();
      lock.tryLock()!;
      lock.unlock();
      assert.equal(await peer.end(), 0);
    });

    processTest(`5. a wait that is given up leaves it as it was, ${what} being the owner`, 1, async () => {
      const lock = make(SharedRegion.create());
      const peer = start();
      const its = await peer.open(type, lock);
      for (const timeoutMs of [0, 1, 120]) {
        const guard = await peer.call<{ number: number }>(its, 'lock');
        assert.equal(lock.tryLock(), undefined);
        assert.throws(() => lock.lock({ timeoutMs }), timedOut);
        await assert.rejects(lock.lockAsync({ timeoutMs }), coded('ERR_UINTR_TIMEOUT', 'lockAsync()'));
        await peer.call(guard, 'unlock');
        lock.lock().unlock();
        (await lock.lockAsync()).unlock();
      }
      assert.equal(await peer.end(), 0);
    });
  });

  processTest('6. it is the holder who took it by lockAsync(), not who waited for it', 1, async () => {
    const lock = make(SharedRegion.create());
    const peer = Peer.process();
    const its = await peer.open(type, lock);
    const theirs = await peer.call<{ number: number }>(its, 'lock');
    const mine = lock.lockAsync();
    await peer.call(theirs, 'unlock');
    const guard = await mine;
    assert.deepEqual(lock.holder, { pid: process.pid, tid: process.pid });
    guard.unlock();
    assert.equal(await peer.end(), 0);
  });

  // The ends of an owner. One that has a process of its own can end in more ways.
  const ends: [string, () => Peer, (peer: Peer) => Promise<unknown>][] = [
    ['is killed', () => Peer.process(), (peer) => peer.end('kill')],
    ['calls process.exit()', () => Peer.process(), (peer) => peer.end('exit')],
    ['fails with an uncaught exception', () => Peer.process({ silent: true }), (peer) => peer.end('throw')],
    ['ends', () => Peer.process(), (peer) => peer.end()],
    ['is a worker that is terminated', () => Peer.thread(), (peer) => peer.end('kill')],
    ['is a worker that calls process.exit()', () => Peer.thread(), (peer) => peer.end('exit')],
    ['is a worker that fails', () => Peer.thread(), (peer) => peer.end('throw')],
    ['is a worker that ends', () => Peer.thread(), (peer) => peer.end()],
  ];
  processTest('7. an owner that ends in whichever way: the others are told until it is mended', 1, async () => {
    const region = SharedRegion.create();
    const leave = async (way: string, start: () => Peer, end: (peer: Peer) => Promise<unknown>): Promise<void> => {
      const lock = make(region);
      const peer = start();
      const its = await peer.open(type, lock);
      await peer.call(its, way);
      const dead = await peer.get<{ pid: number; tid: number }>(its, 'holder');
      const waiting = lock.lockAsync();
      waiting.catch(() => {});
      await end(peer);
      const told = coded('ERR_UINTR_OWNER_DIED', `thread ${dead.tid} of process ${dead.pid}`);
      await assert.rejects(waiting, told);
      assert.throws(() => lock.lock(), told);
      assert.throws(() => lock.tryLock(), told);
      assert.equal(lock.locked, false);
      // Without consistent() it is as it was.
      const first = lock.lock({ recover: true });
      assert.equal(first.ownerDied, true);
      first.unlock();
      const second = await lock.lockAsync({ recover: true });
      assert.equal(second.ownerDied, true);
      second.consistent();
      second.unlock();
      const third = lock.lock();
      assert.equal(third.ownerDied, false);
      third.unlock();
    };
    const ways = ['lock', 'lockAsync'];
    await Promise.all(
      ends.map(async ([how, start, end], i) => {
        await leave(ways[i % 2]!, start, end).catch((error) => {
          throw new Error(`an owner that ${how}`, { cause: error });
        });
      }),
    );
    await Promise.all(ends.slice(4).map(([, start, end], i) => leave(ways[1 - (i % 2)]!, start, end)));
  });

  processTest('8. one whose owner has closed the region counts as left behind', 1, async () => {
    const region = SharedRegion.create();
    const lock = make(region);
    const peer = Peer.process();
    const its = await peer.open(type, lock);
    lock.lock();
    region.close();
    await assert.rejects(peer.call(its, 'lock'), ownerDied);
    const guard = await peer.call<{ number: number; ownerDied: boolean }>(its, 'lock', { recover: true });
    assert.equal(guard.ownerDied, true);
    await peer.call(guard, 'consistent');
    await peer.call(guard, 'unlock');
    assert.equal((await peer.call<{ ownerDied: boolean }>(its, 'lock')).ownerDied, false);
    assert.equal(await peer.end(), 0);
  });

  processTest(
    '9. a guard keeps what it holds, though nothing else of it is left',
    { ranks: 1, nodeOptions: ['--expose-gc'] },
    async () => {
      const lock = make(SharedRegion.create());
      const { handle } = lock;
      for (const take of [() => open(handle).lock(), () => open(handle).lockAsync()]) {
        const guard = await take();
        for (let i = 0; i < 10; i += 1) await collectGarbage();
        assert.equal(lock.tryLock(), undefined);
        guard.unlock();
        assert.equal(lock.lock().ownerDied, false);
        lock.unlock();
      }
      // And so does who waits.
      const held = lock.lock();
      const waiting = open(handle).lockAsync();
      for (let i = 0; i < 10; i += 1) await collectGarbage();
      held.unlock();
      (await waiting).unlock();
      lock.lock().unlock();
    },
  );

  processTest('11. who only tries, or waits for no time at all, finds out about a dead owner too', 1, async () => {
    const region = SharedRegion.create();
    const locks = [make(region), make(region)];
    for (const start of [() => Peer.process(), () => Peer.thread()]) {
      const peer = start();
      for (const lock of locks) await peer.call(await peer.open(type, lock), 'lock');
      await peer.end('kill');
      assert.throws(() => locks[0]!.tryLock(), ownerDied);
      assert.throws(() => locks[1]!.lock({ timeoutMs: 0 }), ownerDied);
      for (const lock of locks) {
        const guard = lock.tryLock({ recover: true })!;
        guard.consistent();
        guard.unlock();
      }
    }
  });

  processTest('10. a waiter that is killed costs nobody else the lock', 1, async () => {
    const region = SharedRegion.create();
    const lock = make(region);
    const held = lock.lock();
    const [victim, other] = [Peer.process(), Peer.thread()];
    const order = victim.call(await victim.open(type, lock), 'lock');
    order.catch(() => {});
    const others = await other.open(type, lock);
    const pending = other.call<{ number: number }>(others, 'lock', { recover: true });
    await victim.end('kill');
    held.unlock();
    await other.call(await pending, 'unlock');
    lock.lock({ recover: true }).unlock();
    assert.equal(await other.end(), 0);
  });
});
