// uintr/sync: what is exported, what is refused, and what a closed region answers.
import { strict as assert } from 'node:assert';
import { execFileSync } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { AtomicCounter, Completion, Mutex, PerCpuCounter, SharedRegion, SpinLock } from '../../lib/sync.js';
import { coded, invalid } from '../helpers/errors.js';
import { ROOT } from '../helpers/paths.js';
import { openDescriptors } from '../helpers/proc.js';
import { processTest, rankTest } from '../helpers/rank-test.js';
import { LOCKS } from '../helpers/sync.js';

const NAMES = ['AtomicCounter', 'Completion', 'Mutex', 'PerCpuCounter', 'SharedRegion', 'SpinLock'];
const CLASSES = { Mutex, SpinLock, AtomicCounter, PerCpuCounter, Completion };
const closed = coded('ERR_UINTR_CLOSED', 'closed');

type Any = Record<string, (...args: unknown[]) => unknown>;

it('1. import and require() give the same names and objects', () => {
  const program = `import * as esm from ${JSON.stringify(pathToFileURL(join(ROOT, 'dist/lib/sync.mjs')).href)};
    import { createRequire } from 'node:module';
    const cjs = createRequire(import.meta.url)(${JSON.stringify(join(ROOT, 'dist/lib/sync.js'))});
    console.log(JSON.stringify(Object.keys(cjs).sort().filter((name) => esm[name] === cjs[name])));`;
  const printed = execFileSync(process.execPath, ['--input-type=module', '-e', program], { encoding: 'utf8' });
  expect(JSON.parse(printed)).toEqual(NAMES);
});

processTest('2. bad arguments are named, with their values', 1, async () => {
  const region = SharedRegion.create(4096 * 4);
  for (const [what, Class] of Object.entries(CLASSES)) {
    const make = (...args: unknown[]): unknown =>
      new (Class as unknown as new (...args: unknown[]) => unknown)(...args);
    for (const where of [undefined, null, {}, 'region', 7, region.handle]) {
      assert.throws(() => make(where), invalid('where', typeof where === 'string' ? `'${where}'` : undefined), what);
    }
    assert.throws(() => make(undefined), invalid('where', 'undefined'));
    for (const name of ['', '.x', 'a b', 'a@b', 'x'.repeat(65), 3, null]) {
      assert.throws(() => make(region, { name }), invalid('name', typeof name === 'string' ? `'${name}'` : `${name}`));
    }
    assert.throws(() => make(region, { nmae: 'x' }), invalid('nmae'));
    for (const options of [null, 'name', 3, []]) assert.throws(() => make(region, options), invalid('options'));
    const open = (Class as unknown as { open(handle: unknown): unknown }).open;
    for (const handle of [
      undefined,
      null,
      '',
      'x',
      7,
      region.handle,
      `${region.handle}#9@40`,
      `${region.handle}#1@1`,
    ]) {
      assert.throws(
        () => open(handle),
        invalid('handle', handle === '' ? undefined : `${handle}`),
        `${what}: ${handle}`,
      );
    }
  }
  for (const adaptive of [0, 'true', null]) {
    assert.throws(() => new Mutex(region, { adaptive: adaptive as never }), invalid('adaptive', `${adaptive}`));
  }
  for (const ticket of [1, 'yes', null]) {
    assert.throws(() => new SpinLock(region, { ticket: ticket as never }), invalid('ticket', `${ticket}`));
  }
  assert.throws(() => new SpinLock(region, { adaptive: true } as never), invalid('adaptive'));
  assert.throws(() => new Mutex(region, { ticket: true } as never), invalid('ticket'));

  const done = new Completion(region);
  for (const { kind, make } of LOCKS) {
    const lock = make(region);
    // Whether it is free or not.
    for (const guard of [undefined, lock.lock()]) {
      for (const timeoutMs of [-1, Number.NaN, '5', null]) {
        const named = invalid('timeoutMs', `${timeoutMs}`);
        assert.throws(() => lock.lock({ timeoutMs: timeoutMs as never }), named, kind);
        await assert.rejects(lock.lockAsync({ timeoutMs: timeoutMs as never }), named, kind);
      }
      for (const signal of [null, 'abort', {}]) {
        await assert.rejects(lock.lockAsync({ signal: signal as never }), invalid('signal'), kind);
      }
      for (const recover of [0, 'yes', null]) {
        const named = invalid('recover', `${recover}`);
        assert.throws(() => lock.lock({ recover: recover as never }), named);
        assert.throws(() => lock.tryLock({ recover: recover as never }), named);
        await assert.rejects(lock.lockAsync({ recover: recover as never }), named);
      }
      assert.throws(() => lock.lock({ signal: AbortSignal.timeout(1) } as never), invalid('signal'));
      assert.throws(() => lock.tryLock({ timeoutMs: 3 } as never), invalid('timeoutMs'));
      await assert.rejects(lock.lockAsync({ timeout: 3 } as never), invalid('timeout'));
      guard?.unlock();
    }
  }
  for (const timeoutMs of [-1, Number.NaN, '5', null]) {
    assert.throws(() => done.wait(timeoutMs as never), invalid('timeoutMs', `${timeoutMs}`));
  }
  // Whether there is something to take or not.
  for (let round = 0; round < 2; round += 1) {
    await assert.rejects(done.waitAsync({ timeoutMs: -1 }), invalid('timeoutMs', '-1'));
    await assert.rejects(done.waitAsync({ signal: 3 as never }), invalid('signal', '3'));
    await assert.rejects(done.waitAsync({ recover: true } as never), invalid('recover'));
    assert.throws(() => done.wait(Number.NaN), invalid('timeoutMs', 'NaN'));
    done.complete();
  }
  const counters = [new AtomicCounter(region), new PerCpuCounter(region)] as unknown as Any[];
  for (const counter of counters) {
    for (const n of [undefined, null, 1.5, 2 ** 53, Number.NaN, '1', Number.POSITIVE_INFINITY]) {
      assert.throws(() => counter['add']!(n), invalid('n', `${n}`));
      assert.throws(() => counter['sub']!(n), invalid('n', `${n}`));
      assert.throws(() => counters[0]!['fetchAdd']!(n), invalid('n', `${n}`));
      assert.throws(() => counters[0]!['exchange']!(n), invalid('value', `${n}`));
    }
  }
  region.close();
});

processTest('3. of a region too: its length, its name, its handle and its descriptor', 1, () => {
  for (const bytes of [0, -1, 4095, 2 ** 31 + 1, 4096.5, Number.NaN, '65536', null]) {
    assert.throws(() => SharedRegion.create(bytes as never), invalid('byteLength', `${bytes}`));
    assert.throws(() => SharedRegion.named('x', bytes as never), invalid('byteLength', `${bytes}`));
  }
  for (const name of [undefined, null, '', '.', 'a/b', '../x', 'x'.repeat(65), 'é', 'a@b', 5]) {
    assert.throws(() => SharedRegion.named(name as never), invalid('name'));
  }
  for (const handle of [
    undefined,
    null,
    5,
    '',
    'uintr',
    'uintr:1:2:3',
    'uintr:0:0:0:0000000000000001',
    'uintr:1:1:1:1',
  ]) {
    assert.throws(() => SharedRegion.open(handle as never), invalid('handle'));
  }
  for (const fd of [undefined, null, -1, 0.5, 2 ** 31, '3']) {
    assert.throws(() => SharedRegion.fromFd(fd as never), invalid('fd', `${fd}`));
  }
  const file = openSync(__filename, 'r');
  const nothing = openSync('/dev/null', 'r+');
  closeSync(nothing);
  for (const fd of [file, nothing]) assert.throws(() => SharedRegion.fromFd(fd), invalid('fd', `${fd}`));
  closeSync(file);
});

processTest('4. a region is as long as it was asked for, in pages, and full when it is full', 1, () => {
  for (const [asked, got] of [
    [undefined, 65_536],
    [4_096, 4_096],
    [4_097, 8_192],
    [1_000_000, 1_003_520],
  ] as const) {
    const region = SharedRegion.create(asked);
    assert.equal(region.byteLength, got);
    // A header of 33 lines, then 192 bytes each.
    for (let i = Math.floor((got - 33 * 64) / 192); i > 0; i -= 1) new Mutex(region);
    assert.throws(() => new Mutex(region), coded('ERR_UINTR_NO_MEMORY', `${got}`, 'Mutex'));
    region.close();
  }
});

processTest('5. a name is one thing in a region, and not two', 1, () => {
  const region = SharedRegion.create();
  const names = new Map(LOCKS.map(({ kind, make }) => [kind, make(region, kind.replace(', ', '-'))]));
  const counter = new AtomicCounter(region, { name: 'n' });
  counter.add(5);
  assert.equal(new AtomicCounter(region, { name: 'n' }).load(), 5n);
  assert.equal(new AtomicCounter(region, { name: 'm' }).load(), 0n);
  assert.equal(new AtomicCounter(region).load(), 0n);
  assert.throws(() => new Mutex(region, { name: 'n' }), invalid('name', 'AtomicCounter'));
  assert.throws(() => new PerCpuCounter(region, { name: 'n' }), invalid('name', 'AtomicCounter'));
  assert.throws(() => new Mutex(region, { name: 'Mutex', adaptive: true }), invalid('name', 'Mutex'));
  assert.throws(() => new SpinLock(region, { name: 'SpinLock-ticket' }), invalid('name', 'SpinLock'));
  for (const [kind, lock] of names) {
    const again = LOCKS.find((one) => one.kind === kind)!.make(region, kind.replace(', ', '-'));
    const guard = lock.lock();
    assert.equal(again.locked, true);
    again.unlock();
    assert.throws(() => guard.unlock(), coded('ERR_UINTR_NOT_OWNER'));
  }
  assert.deepEqual(
    [...names.values()].map((lock) => (lock instanceof Mutex ? lock.adaptive : lock.ticket)),
    [false, true, false, true],
  );
});

processTest('6. whatever is asked of a closed region fails with ERR_UINTR_CLOSED', 1, async () => {
  const region = SharedRegion.create();
  const handles = [region.handle];
  const calls: (() => unknown)[] = [() => region.handle, () => region.createFd()];
  const later: (() => Promise<unknown>)[] = [];
  for (const { make } of LOCKS) {
    const lock = make(region);
    const guard = make(region).lock();
    handles.push(lock.handle);
    calls.push(
      () => lock.lock(),
      () => lock.lock({ timeoutMs: 0 }),
      () => lock.tryLock(),
      () => lock.unlock(),
    );
    calls.push(
      () => lock.handle,
      () => lock.locked,
      () => lock.holder,
      () => guard.unlock(),
      () => guard.consistent(),
    );
    later.push(
      () => lock.lockAsync(),
      () => lock.lockAsync({ timeoutMs: 5 }),
    );
  }
  const atomic = new AtomicCounter(region);
  const perCpu = new PerCpuCounter(region);
  for (const counter of [atomic, perCpu]) {
    calls.push(
      () => counter.add(1),
      () => counter.sub(1n),
      () => counter.increment(),
      () => counter.decrement(),
    );
    calls.push(() => counter.handle);
  }
  calls.push(
    () => atomic.load(),
    () => atomic.exchange(1),
    () => atomic.fetchAdd(1),
    () => perCpu.sum(),
  );
  const done = new Completion(region);
  calls.push(
    () => done.complete(),
    () => done.completeAll(),
    () => done.reinit(),
    () => done.wait(),
    () => done.wait(0),
  );
  calls.push(
    () => done.tryWait(),
    () => done.done,
    () => done.handle,
  );
  later.push(
    () => done.waitAsync(),
    () => done.waitAsync({ timeoutMs: 5 }),
  );
  for (const [, Class] of Object.entries(CLASSES))
    calls.push(
      () => new Class(region),
      () => new Class(region, { name: 'x' }),
    );
  region.close();
  region.close();
  region[Symbol.dispose]();
  for (const call of calls) assert.throws(call, closed, String(call));
  for (const call of later) await assert.rejects(call(), closed, String(call));
  // Nobody has it open any more.
  for (const handle of handles.slice(0, 1)) assert.throws(() => SharedRegion.open(handle), invalid('handle'));
  assert.throws(() => Mutex.open(handles[1]!), invalid('handle'));
  assert.equal(region.byteLength, 65_536);
});

rankTest("7. a world's memory is no region to be had by its descriptor", 1, (world) => {
  const { byteLength } = SharedRegion.create();
  assert.equal(byteLength, 65_536);
  for (const [fd, what] of openDescriptors()) {
    if (!what.startsWith('/memfd:') || what.startsWith('/memfd:uintr-region')) continue;
    assert.throws(() => SharedRegion.fromFd(fd), invalid('fd', `${fd}`), what);
  }
  assert.equal(world.size, 1);
});

processTest('8. more owners than a region has seats for are refused, until one has gone', 1, () => {
  const region = SharedRegion.create();
  const { handle } = new Mutex(region);
  const lock = (open: SharedRegion): Mutex => new Mutex(open, { name: 'lock' });
  const full = coded('ERR_UINTR_NO_MEMORY', 'too many threads');
  // Each mapping is a thread of its own for it.
  const open = [...Array(512)].map(() => SharedRegion.open(region.handle));
  for (const one of open) lock(one).lock().unlock();
  assert.throws(() => lock(region).lock(), full);
  assert.throws(() => lock(region).tryLock(), full);
  assert.throws(() => Mutex.open(handle).lock(), full);
  new AtomicCounter(region).increment();
  open[100]!.close();
  lock(region).lock().unlock();
  for (const one of open) one.close();
});

processTest(
  '9. without a descriptor left there is no region, and it is said so',
  { ranks: 1, under: ['prlimit', '--nofile=64'] },
  () => {
    const shortage = coded('ERR_UINTR_NO_MEMORY');
    const regions: SharedRegion[] = [];
    assert.throws(() => {
      for (let i = 0; i < 64; i += 1) regions.push(SharedRegion.create());
    }, shortage);
    const [one] = regions;
    assert.throws(() => one!.createFd(), shortage);
    assert.throws(() => SharedRegion.open(one!.handle), shortage);
    assert.throws(() => SharedRegion.named('none'), shortage);
    regions.pop()!.close();
    closeSync(one!.createFd());
  },
);
