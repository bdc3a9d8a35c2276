// uintr/sync: how regions are passed on, found by name, and end.
import { strict as assert } from 'node:assert';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  closeSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readlinkSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate as turn } from 'node:timers/promises';
import { AtomicCounter, Mutex, SharedRegion } from '../../lib/sync.js';
import { coded, invalid } from '../helpers/errors.js';
import { mappedFiles, openDescriptors } from '../helpers/proc.js';
import { processTest } from '../helpers/rank-test.js';
import { eachPeer, Peer, type Remote } from '../helpers/sync.js';
import { collectGarbage } from '../helpers/worlds.js';

/** The list of a region's users; processes of another PID namespace have another one. */
function listOf(name: string): string {
  const [, number] = /(\d+)/.exec(readlinkSync('/proc/self/ns/pid'))!;
  return `${name}@region.${number}.users`;
}

const RUNS = join(__dirname, 'fixtures', 'sync-counts.js');

/** A directory for names of a test's own; gone with the test. */
async function withNames(body: (environment: NodeJS.ProcessEnv, folder: string) => Promise<void>): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'uintr-names-'));
  try {
    process.env['XDG_RUNTIME_DIR'] = folder;
    await body({ ...process.env }, join(folder, 'uintr'));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

async function said(program: string[], env = process.env): Promise<string> {
  const child = spawn(process.execPath, [RUNS, ...program], { env, stdio: ['ignore', 'pipe', 'inherit'] });
  let text = '';
  child.stdout.on('data', (chunk) => {
    text += chunk;
  });
  const ended = await once(child, 'close');
  assert.deepEqual(ended, [0, null]);
  return text.trim();
}

eachPeer((start, what) => {
  processTest(`1. ${what} has it by its handle, or that of what is in it`, 1, async () => {
    const region = SharedRegion.create();
    const counter = new AtomicCounter(region, { name: 'count' });
    const peer = start();
    const its = await peer.make('SharedRegion', 'open', region.handle);
    assert.equal(await peer.get(its, 'byteLength'), region.byteLength);
    const named = await peer.make('AtomicCounter', 'new', its.number, { name: 'count' });
    await peer.call(named, 'add', 40);
    await peer.call(await peer.open('AtomicCounter', counter), 'add', 2);
    assert.equal(counter.load(), 42n);
    // The other way round, and on from there.
    const made = SharedRegion.open(await peer.get<string>(its, 'handle'));
    assert.equal(new AtomicCounter(made, { name: 'count' }).load(), 42n);
    // Its own stays when the first one is closed.
    const theirs = await peer.get<string>(named, 'handle');
    region.close();
    assert.equal(AtomicCounter.open(theirs).load(), 42n);
    made.close();
    await peer.call(its, 'close');
    assert.equal(AtomicCounter.open(await peer.get<string>(named, 'handle').catch(() => theirs)).load(), 42n);
    assert.equal(await peer.end(), 0);
  });
});

processTest('2. handles go by arguments and by the environment, descriptors by stdio', 1, async () => {
  const region = SharedRegion.create(8_192);
  const counter = new AtomicCounter(region, { name: 'count' });
  assert.equal(await said(['handle', region.handle]), '8192 1');
  assert.equal(await said(['environment'], { ...process.env, HANDLE: region.handle }), '8192 2');
  const fd = region.createFd();
  const child = spawn(process.execPath, [RUNS, 'fd', '3'], { stdio: ['ignore', 'pipe', 'inherit', fd] });
  const [line] = await once(child.stdout!, 'data');
  assert.equal(String(line).trim(), '8192 3');
  // Also when the one that has made it is gone.
  const inherited = SharedRegion.fromFd(fd);
  region.close();
  assert.equal(new AtomicCounter(inherited, { name: 'count' }).load(), 3n);
  assert.throws(() => counter.load(), coded('ERR_UINTR_CLOSED'));
  inherited.close();
  const again = SharedRegion.fromFd(fd);
  assert.equal(new AtomicCounter(again, { name: 'count' }).load(), 3n);
  closeSync(fd);
  again.close();
});

processTest('3. a handle ends with whom it is of', 1, async () => {
  const peer = Peer.process();
  const made = await peer.make('SharedRegion', 'create');
  const handle = await peer.get<string>(made, 'handle');
  const lock = await peer.make('Mutex', 'new', made.number);
  const lockHandle = await peer.get<string>(lock, 'handle');
  const mine = SharedRegion.open(handle);
  assert.equal(await peer.end('kill'), 'SIGKILL');
  assert.throws(() => SharedRegion.open(handle), invalid('handle', handle));
  assert.throws(() => Mutex.open(lockHandle), invalid('handle'));
  // What was opened stays.
  new Mutex(mine).lock().unlock();
  const other = SharedRegion.open(mine.handle);
  mine.close();
  const gone = invalid('handle');
  assert.throws(() => SharedRegion.open(mine.handle), coded('ERR_UINTR_CLOSED'));
  assert.throws(() => SharedRegion.open(handle), gone);
  // Another memory that has the descriptor's number by now is not the region.
  const old = other.handle;
  other.close();
  const others = [...Array(8)].map(() => SharedRegion.create());
  assert.throws(() => SharedRegion.open(old), gone);
  for (const one of others) one.close();
});

processTest('4. processes that ask for a name at the same time get one region', 1, () =>
  withNames(async (env, folder) => {
    const peers = [...Array(4)].map(() => Peer.process({ env }));
    await Promise.all(
      peers.map(async (peer) => {
        const region = await peer.make('SharedRegion', 'named', 'one');
        const counter = await peer.make('AtomicCounter', 'new', region.number, { name: 'count' });
        await peer.do('repeat', counter.number, 'increment', [], 500);
      }),
    );
    const region = SharedRegion.named('one');
    const counter = new AtomicCounter(region, { name: 'count' });
    assert.equal(counter.load(), 2_000n);
    region.close();
    // Whoever made it ends; those who stay have it, and newcomers find it.
    for (const peer of peers.slice(0, 3)) assert.equal(await peer.end(), 0);
    assert.equal(new AtomicCounter(SharedRegion.named('one'), { name: 'count' }).load(), 2_000n);
    assert.equal(await said(['named', 'one'], env), '65536 2001');
    assert.equal(await peers[3]!.end('exit'), 0);
    assert.notDeepEqual(readdirSync(folder), []);
  }),
);

for (const [how, end] of [
  [
    'close()',
    async (peer: Peer, region: Remote, folder: string) => {
      await peer.call(region, 'close');
      assert.deepEqual(readdirSync(folder), []);
      await peer.end();
    },
  ],
  ['process.exit()', (peer: Peer) => peer.end('exit')],
  ['its end', (peer: Peer) => peer.end('end')],
  ['an uncaught exception', (peer: Peer) => peer.end('throw')],
] as const) {
  processTest(`5. nothing is left of a name after ${how} of the last who has it`, 1, () =>
    withNames(async (env, folder) => {
      const peers = [Peer.process({ env, silent: true }), Peer.process({ env, silent: true }), Peer.thread()];
      for (const peer of peers) {
        const region = await peer.make('SharedRegion', 'named', 'short', 4_096);
        assert.equal(await peer.get(region, 'byteLength'), 4_096);
        const counter = await peer.make('AtomicCounter', 'new', region.number, { name: 'count' });
        await peer.call(counter, 'increment');
        await end(peer, region, folder);
      }
      assert.deepEqual(readdirSync(folder), []);
      // And the next one is new.
      assert.equal(await said(['named', 'short'], env), '65536 1');
      assert.deepEqual(readdirSync(folder), []);
    }),
  );
}

processTest('6. after kills the name is free, and what they left is cleared away', 1, () =>
  withNames(async (env, folder) => {
    for (let round = 0; round < 3; round += 1) {
      const peer = Peer.process({ env });
      const region = await peer.make('SharedRegion', 'named', 'killed');
      const counter = await peer.make('AtomicCounter', 'new', region.number, { name: 'count' });
      assert.equal(await peer.call(counter, 'fetchAdd', 1), 0n);
      await peer.end('kill');
    }
    assert.equal(await said(['named', 'killed'], env), '65536 1');
    assert.deepEqual(readdirSync(folder), []);
  }),
);

processTest('7. a worker that is terminated leaves nothing of a name either', 1, () =>
  withNames(async (_, folder) => {
    for (const how of ['kill', 'exit', 'throw'] as const) {
      const peer = Peer.thread();
      await peer.make('SharedRegion', 'named', 'worker');
      assert.notDeepEqual(readdirSync(folder), []);
      await peer.end(how);
      assert.deepEqual(readdirSync(folder), []);
    }
    // Two of one process are one region, whichever thread they are of.
    const [one, other] = [SharedRegion.named('worker'), Peer.thread()];
    const counter = new AtomicCounter(one, { name: 'count' });
    const its = await other.make('SharedRegion', 'named', 'worker');
    await other.call(await other.make('AtomicCounter', 'new', its.number, { name: 'count' }), 'add', 5);
    const same = SharedRegion.named('worker');
    one.close();
    assert.throws(() => counter.load(), coded('ERR_UINTR_CLOSED'));
    assert.equal(new AtomicCounter(same, { name: 'count' }).load(), 5n);
    assert.equal(await other.end(), 0);
    same.close();
    assert.deepEqual(readdirSync(folder), []);
  }),
);

processTest('8. names are kept where those of worlds are', 1, async () => {
  const base = mkdtempSync(join(tmpdir(), 'uintr-home-'));
  try {
    const home = join(base, 'home');
    mkdirSync(home);
    const open = join(base, 'open');
    mkdirSync(open);
    chmodSync(open, 0o777);
    const { XDG_RUNTIME_DIR: _, ...env } = process.env;
    for (const runtime of [undefined, '', 'relative', join(base, 'missing'), open]) {
      const peer = Peer.process({
        env: { ...env, HOME: home, ...(runtime !== undefined && { XDG_RUNTIME_DIR: runtime }) },
      });
      await peer.make('SharedRegion', 'named', 'here');
      assert.deepEqual(readdirSync(join(home, '.uintr')), [listOf('here')], `${runtime}`);
      assert.equal(await peer.end('exit'), 0);
    }
    assert.equal(existsSync(join(open, 'uintr')), false);
    const nowhere = Peer.process({ env: { ...env, HOME: '' } });
    const unsupported = coded('ERR_UINTR_UNSUPPORTED', 'XDG_RUNTIME_DIR');
    await assert.rejects(nowhere.make('SharedRegion', 'named', 'here'), unsupported);
    assert.equal(await nowhere.end(), 0);
    // Garbage in the list leads nowhere.
    writeFileSync(join(home, '.uintr', listOf('here')), `x\nuintr:1:1:0:0000000000000001\n${'y'.repeat(300_000)}`);
    assert.equal(await said(['named', 'here'], { ...env, HOME: home }), '65536 1');
    assert.deepEqual(readdirSync(join(home, '.uintr')), []);
  } finally {
    rmSync(base, { recursive: true });
  }
});

processTest(
  '9. 1000 regions that were closed, and as many that were dropped, leave no descriptor and no mapping',
  { ranks: 1, nodeOptions: ['--expose-gc'] },
  async () => {
    const held = (): unknown => [openDescriptors().size, mappedFiles().filter((name) => name.includes('memfd')).length];
    const use = (region: SharedRegion): void => {
      new Mutex(region, { name: 'lock' }).lock().unlock();
      AtomicCounter.open(new AtomicCounter(region).handle).increment();
      Mutex.open(new Mutex(region).handle).tryLock();
    };
    // Collection keeps its own time, but not for ever.
    const settled = async (expected: unknown): Promise<void> => {
      for (let i = 0; i < 500 && JSON.stringify(held()) !== JSON.stringify(expected); i += 1) await collectGarbage();
      assert.deepEqual(held(), expected);
    };
    use(SharedRegion.create());
    for (let i = 0; i < 20; i += 1) await collectGarbage();
    const before = held();
    for (let i = 0; i < 1_000; i += 1) {
      const region = SharedRegion.create(i % 2 === 0 ? 4_096 * 2 : undefined);
      use(region);
      if (i % 3 === 0) closeSync(region.createFd());
      region.close();
      if (i % 100 === 0) await collectGarbage();
    }
    await settled(before);
    for (let i = 0; i < 1_000; i += 1) {
      use(SharedRegion.create(8_192));
      if (i % 50 === 0) {
        await collectGarbage();
        await turn();
      }
    }
    await settled(before);
  },
);
