// uintr/sync: threads and processes that end in the middle of it, profiles and garbage beside it.
import { strict as assert } from 'node:assert';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { AtomicCounter, Completion, Mutex, SharedRegion } from '../../lib/sync.js';
import { threadCount } from '../helpers/proc.js';
import { cleanEnvironment, processTest } from '../helpers/rank-test.js';
import { eachLock, Peer } from '../helpers/sync.js';

const BUSY = join(__dirname, 'fixtures', 'sync-busy.js');

eachLock(({ type, make }) => {
  processTest('1. a worker that blocks in lock() can be terminated, and a process can exit beside it', 1, async () => {
    const region = SharedRegion.create();
    const lock = make(region);
    const blocked = new AtomicCounter(region);
    const guard = lock.lock();
    const threads = threadCount();
    for (let round = 0; round < 2; round += 1) {
      const worker = Peer.thread();
      const its = await worker.open(type, lock);
      await worker.do('beginBlocking', its.number, (await worker.open('AtomicCounter', blocked)).number);
      while (blocked.load() <= round) await new Promise((resolve) => setImmediate(resolve));
      await worker.end('kill');
    }
    assert.equal(threadCount(), threads);
    guard.unlock();
    // Nobody has entered but this thread.
    const next = lock.lock();
    assert.equal(next.ownerDied, false);
    const worker = Peer.thread();
    const its = await worker.open(type, lock);
    await worker.do('beginBlocking', its.number, (await worker.open('AtomicCounter', blocked)).number);
    while (blocked.load() < 3n) await new Promise((resolve) => setImmediate(resolve));
    process.exitCode = 0;
    // The body's result is said before this.
    setImmediate(() => process.exit());
  });
});

processTest('2. so can one that blocks in the wait for a completion', 1, async () => {
  const region = SharedRegion.create();
  const done = new Completion(region);
  const blocked = new AtomicCounter(region);
  for (let round = 0; round < 3; round += 1) {
    const worker = Peer.thread();
    const its = await worker.open('Completion', done);
    await worker.do('beginBlocking', its.number, (await worker.open('AtomicCounter', blocked)).number);
    while (blocked.load() <= round) await new Promise((resolve) => setImmediate(resolve));
    await worker.end('kill');
  }
  done.complete();
  done.wait();
  assert.equal(done.done, 0);
});

// Signals in the middle of everything, objects that come and go, workers that end: no crash, and counts are right.
const modes: [string, string[]][] = [
  ['as it is', []],
  ['with garbage collected all the time', ['--expose-gc', '--gc-interval=200']],
  ['with a profile', ['--cpu-prof', '--cpu-prof-interval=100']],
];
describe('a program that uses everything at once', () => {
  it.each(modes)('3. ends well %s', async (_, options) => {
    const folder = mkdtempSync(join(tmpdir(), 'uintr-busy-'));
    try {
      const child = spawn(process.execPath, [...options, BUSY], { cwd: folder, env: cleanEnvironment() });
      const output: string[] = [];
      for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => output.push(String(chunk)));
      const [code, signal] = await once(child, 'close');
      assert.deepEqual({ code, signal, output: output.join('') }, { code: 0, signal: null, output: 'right\n' });
      if (options.includes('--cpu-prof')) assert.notDeepEqual(readdirSync(folder), []);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});

processTest('4. a lock that was dropped with its region is not left locked for others', { ranks: 1 }, async () => {
  const region = SharedRegion.create();
  const peer = Peer.process({ execArgv: ['--expose-gc'] });
  const its = await peer.open('Mutex', new Mutex(region, { name: 'lock' }));
  await peer.call(its, 'lock');
  await peer.do('forget');
  const mutex = new Mutex(region, { name: 'lock' });
  const guard = await mutex.lockAsync({ recover: true });
  assert.equal(guard.ownerDied, true);
  guard.consistent();
  guard.unlock();
  assert.equal(await peer.end(), 0);
});
