// uintr/sync: counters and completions between threads and processes.
import { strict as assert } from 'node:assert';
import { setImmediate as turn } from 'node:timers/promises';
import { AtomicCounter, Completion, PerCpuCounter, SharedRegion } from '../../lib/sync.js';
import { coded } from '../helpers/errors.js';
import { processTest } from '../helpers/rank-test.js';
import { Peer } from '../helpers/sync.js';

const MAX = 2n ** 63n - 1n;
const MIN = -(2n ** 63n);

processTest('1. an atomic counter has 64 bits, a sign, and wraps', 1, () => {
  const counter = new AtomicCounter(SharedRegion.create());
  assert.equal(counter.load(), 0n);
  counter.add(2 ** 53 - 1);
  counter.add(2n ** 60n);
  assert.equal(counter.load(), 2n ** 60n + 2n ** 53n - 1n);
  assert.equal(counter.exchange(MAX), 2n ** 60n + 2n ** 53n - 1n);
  counter.increment();
  assert.equal(counter.load(), MIN);
  counter.decrement();
  assert.equal(counter.fetchAdd(2), MAX);
  assert.equal(counter.load(), MIN + 1n);
  counter.sub(MIN);
  assert.equal(counter.load(), 1n);
  assert.equal(counter.exchange(-5), 1n);
  counter.sub(-7);
  counter.add(-2n);
  counter.sub(2 ** 53 - 1);
  assert.equal(counter.load(), 1n - 2n ** 53n);
  assert.equal(counter.fetchAdd(-1n), 1n - 2n ** 53n);
  // What does not fit is taken modulo 2^64, as the sums are.
  assert.equal(counter.exchange(2n ** 64n + 3n), -(2n ** 53n));
  assert.equal(counter.fetchAdd(-(2n ** 65n)), 3n);
  assert.equal(counter.load(), 3n);
  counter.add(-0);
  assert.equal(counter.load(), 3n);
});

processTest('2. so does a counter per processor', 1, () => {
  const counter = new PerCpuCounter(SharedRegion.create());
  assert.equal(counter.sum(), 0n);
  assert.equal(typeof counter.restartable, 'boolean');
  counter.add(2n ** 62n);
  counter.add(2n ** 62n - 1n);
  assert.equal(counter.sum(), MAX);
  counter.increment();
  assert.equal(counter.sum(), MIN);
  counter.decrement();
  counter.sub(MAX);
  assert.equal(counter.sum(), 0n);
  counter.sub(2 ** 53 - 1);
  counter.add(-4);
  counter.sub(MIN);
  assert.equal(counter.sum(), MIN - 2n ** 53n - 3n + 2n ** 64n);
});

for (const [env, what] of [
  [{}, ''],
  [{ GLIBC_TUNABLES: 'glibc.pthread.rseq=0' }, ', without restartable sequences of this thread'],
] as const) {
  processTest(`3. both are exact over threads and processes${what}`, { ranks: 1, env }, async () => {
    const region = SharedRegion.create();
    const counters = { AtomicCounter: new AtomicCounter(region), PerCpuCounter: new PerCpuCounter(region) };
    if ('GLIBC_TUNABLES' in env) assert.equal(counters.PerCpuCounter.restartable, false);
    // One of them in the other way.
    const peers = [
      Peer.process(),
      Peer.process({ env: { ...process.env, GLIBC_TUNABLES: '' } }),
      Peer.thread(),
      Peer.thread(),
    ];
    const times = 20_000;
    for (const type of ['AtomicCounter', 'PerCpuCounter'] as const) {
      await Promise.all(
        peers.map(async (peer, i) => {
          const its = await peer.open(type, counters[type]);
          await peer.do('repeat', its.number, i % 2 === 0 ? 'increment' : 'decrement', [], times);
          await peer.do('repeat', its.number, 'add', [2n ** 40n + BigInt(i)], times);
        }),
      );
    }
    const expected = BigInt(times) * (4n * 2n ** 40n + 6n);
    assert.deepEqual([counters.AtomicCounter.load(), counters.PerCpuCounter.sum()], [expected, expected]);
    for (const peer of peers) assert.equal(await peer.end(), 0);
  });
}

processTest('4. a completion is a count: each complete() ends one wait, before it or after', 1, async () => {
  const done = new Completion(SharedRegion.create());
  assert.deepEqual([done.done, done.tryWait()], [0, false]);
  for (let i = 0; i < 5; i += 1) done.complete();
  assert.equal(done.done, 5);
  done.wait();
  done.wait(0);
  assert.equal(done.tryWait(), true);
  await done.waitAsync();
  assert.equal(done.done, 1);
  done.reinit();
  for (const limit of [0, 1, 70]) assert.throws(() => done.wait(limit), coded('ERR_UINTR_TIMEOUT', 'wait()'));
  await assert.rejects(done.waitAsync({ timeoutMs: 2 }), coded('ERR_UINTR_TIMEOUT', 'waitAsync()'));
  done.completeAll();
  // At once, though the helper of the wait that was over may not have noticed yet.
  await done.waitAsync({ timeoutMs: 0 });
  for (let i = 0; i < 3; i += 1) {
    assert.equal(done.done, Number.POSITIVE_INFINITY);
    done.wait();
    await done.waitAsync();
    assert.equal(done.tryWait(), true);
    done.complete();
  }
  done.reinit();
  assert.deepEqual([done.done, done.tryWait()], [0, false]);
});

processTest(
  '5. waits that block and waits that do not, over threads and processes, end as often as was said',
  1,
  async () => {
    const done = new Completion(SharedRegion.create());
    const peers = [Peer.process(), Peer.process(), Peer.thread(), Peer.thread()];
    let ended = 0;
    const waits = await Promise.all(
      peers.map(async (peer) => {
        const its = await peer.open('Completion', done);
        const all = peer.get(its, 'done').then(() => [...Array(10)].map(() => peer.call(its, 'waitAsync')));
        return { peer, its, all: await all };
      }),
    );
    const own = [...Array(10)].map(() => done.waitAsync());
    const pending = [...own, ...waits.flatMap(({ all }) => all)].map((one) =>
      one.then(() => {
        ended += 1;
      }),
    );
    const until = async (n: number): Promise<void> => {
      while (ended < n) await turn();
    };
    for (let i = 1; i <= 20; i += 1) {
      done.complete();
      await until(i);
      assert.equal(ended, i);
    }
    // These block their threads, in which the others' waits go on by their helpers.
    const blocking = waits.map(({ peer, its }) => peer.call(its, 'wait'));
    done.completeAll();
    await Promise.all([...pending, ...blocking]);
    assert.equal(ended, 50);
    done.reinit();
    assert.equal(done.tryWait(), false);
    for (const { peer } of waits) assert.equal(await peer.end(), 0);
  },
);

processTest('6. 1000 waits of one thread are ended in the order in which they began', 1, async () => {
  const done = new Completion(SharedRegion.create());
  const order: number[] = [];
  const waits = Array.from({ length: 1_000 }, async (_, i) => {
    await done.waitAsync();
    order.push(i);
  });
  const peer = Peer.thread();
  const its = await peer.open('Completion', done);
  await peer.do('repeat', its.number, 'complete', [], 1_000);
  await Promise.all(waits);
  assert.deepEqual(order, [...order.keys()]);
  assert.equal(done.done, 0);
  assert.equal(await peer.end(), 0);
});

processTest('7. a waiter that is killed takes nothing with it', 1, async () => {
  const done = new Completion(SharedRegion.create());
  for (const [start, way] of [
    [() => Peer.process(), 'wait'],
    [() => Peer.thread(), 'wait'],
    [() => Peer.thread(), 'waitAsync'],
  ] as const) {
    const peer = start();
    const its = await peer.open('Completion', done);
    peer.call(its, way).catch(() => {});
    await peer.end('kill');
    done.complete();
    await done.waitAsync();
    assert.equal(done.done, 0);
  }
});
