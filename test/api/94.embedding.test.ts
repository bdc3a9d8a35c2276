// What Node does besides: other contexts, profilers, an inspector, snapshots of the heap, its own test runner.
import { strict as assert } from 'node:assert';
import { execFileSync } from 'node:child_process';
import { readdirSync, writeFileSync } from 'node:fs';
import { Session } from 'node:inspector';
import { join } from 'node:path';
import { execPath } from 'node:process';
import { getHeapSnapshot } from 'node:v8';
import { createContext, runInContext } from 'node:vm';
import type { World } from '../../lib/index.js';
import { invalid } from '../helpers/errors.js';
import { temporaryFolder } from '../helpers/folder.js';
import { PACKAGE } from '../helpers/paths.js';
import { assertPattern, pattern } from '../helpers/pattern.js';
import { cleanEnvironment, rankTest } from '../helpers/rank-test.js';
import { SIZES, traffic } from '../stress/traffic.js';

const folder = temporaryFolder('embedding');
const env = { UINTR_DRIVER: 'signal' };

rankTest('1. buffers of another vm context are buffers, and what is none there is named', { env }, async (world) => {
  const peer = 1 - world.rank;
  const context = createContext({ world, peer });
  for (const size of [10, 5_000, 400_000]) {
    const into = runInContext(`new Uint8Array(${size})`, context) as Uint8Array;
    const received = world.irecv(into, { source: peer });
    const data = runInContext(`new Uint16Array(${size / 2}).fill(0x0707)`, context) as Uint16Array;
    await Promise.all([world.send(data, { dest: peer }), received]);
    assert.ok(into.every((byte) => byte === 7));
  }
  assert.throws(() => world.isend(runInContext('({})', context), { dest: peer }), invalid('data'));
  assert.throws(() => world.irecv(runInContext('[]', context), { source: peer }), invalid('into'));
});

rankTest('2. programs of another context use requests as their own', { env }, async (world) => {
  const peer = 1 - world.rank;
  const context = createContext({ world, peer });
  const program = `(async () => {
      const into = new Uint8Array(300_000);
      const received = world.irecv(into, { source: peer });
      const objectSent = world.isendObject({ large: new Uint8Array(300_000).fill(9) }, { dest: peer, tag: 1 });
      const sent = world.isend(new Uint8Array(300_000).fill(5), { dest: peer });
      const { value } = await world.recvObject({ source: peer, tag: 1 });
      await Promise.all([received, sent, objectSent]);
      const failure = await world.recv(new Uint8Array(1), { source: 99 }).catch((error) => error.code);
      return [into.every((byte) => byte === 5), value.large[299_999], failure];
    })()`;
  assert.deepEqual([...((await runInContext(program, context)) as unknown[])], [true, 9, 'ERR_UINTR_INVALID_ARGUMENT']);
});

function post(session: Session, method: string, params?: object): Promise<unknown> {
  return new Promise((resolve, reject) => {
    session.post(method, params, (error, result) => (error ? reject(error) : resolve(result)));
  });
}

rankTest('3. an inspector that is attached, and profiles processor and heap', { env }, async (world, t) => {
  const session = new Session();
  session.connect();
  for (let round = 0; round < 3; round += 1) {
    for (const domain of ['Runtime', 'Debugger', 'Profiler', 'HeapProfiler']) await post(session, `${domain}.enable`);
    await post(session, 'Profiler.setSamplingInterval', { interval: 100 });
    await post(session, 'Profiler.start');
    await post(session, 'HeapProfiler.startSampling', { samplingInterval: 1024 });
    await traffic(world, t, { rounds: 40, sizes: SIZES, work: 100 });
    await post(session, 'HeapProfiler.stopSampling');
    const { profile } = (await post(session, 'Profiler.stop')) as { profile: { samples: number[] } };
    assert.ok(profile.samples.length > 0);
    for (const domain of ['Debugger', 'Profiler', 'HeapProfiler']) await post(session, `${domain}.disable`);
  }
  session.disconnect();
});

rankTest(
  '4. --inspect, --heap-prof and --trace-gc',
  {
    env,
    nodeOptions: ['--inspect=127.0.0.1:0', '--heap-prof', '--heap-prof-dir', folder, '--stack-trace-limit=50'],
  },
  (world, t) => traffic(world, t, { rounds: 60, sizes: SIZES, work: 100 }),
  () => {
    expect(readdirSync(folder).filter((name) => name.endsWith('.heapprofile'))).toHaveLength(2);
  },
);

/** Reads it to its end. */
async function snapshot(): Promise<number> {
  let bytes = 0;
  for await (const part of getHeapSnapshot()) bytes += (part as Buffer).length;
  return bytes;
}

// A snapshot calls back into whatever objects the addon keeps, with the thread's handler running meanwhile.
rankTest('5. snapshots of the heap in the middle of transfers', { env }, async (world: World) => {
  const peer = 1 - world.rank;
  for (let round = 0; round < 3; round += 1) {
    const into = new Uint8Array(4_000_000);
    const received = world.irecv(into, { source: peer });
    const sent = world.isend(pattern(round, into.length), { dest: peer });
    const small = Array.from({ length: 50 }, (_, i) => world.isend(pattern(i, 100), { dest: peer, tag: 1 }));
    assert.ok((await snapshot()) > 100_000);
    await Promise.all([received, sent]);
    assertPattern(into, round);
    for (let i = 0; i < small.length; i += 1) assertPattern((await world.recv({ source: peer, tag: 1 })).data, i);
    await Promise.all(small);
  }
});

it('6. node --test: a test file that spawns its ranks passes, and its process ends', () => {
  const rank = join(folder, 'rank.cjs');
  const file = join(folder, 'example.test.cjs');
  const uintr = JSON.stringify(PACKAGE);
  writeFileSync(
    rank,
    `require(${uintr}).World.join().then(async (world) => world.send((await world.recv({ source: 0 })).data, { dest: 0 }));`,
  );
  writeFileSync(
    file,
    `const { World } = require(${uintr});
     const assert = require('node:assert');
     const { test } = require('node:test');
     for (const kind of ['process', 'thread']) {
       test(kind, async () => {
         const world = await World.spawn(${JSON.stringify(rank)}, { ranks: 1, kind, execArgv: [] });
         await world.send(new Uint8Array(100_000).fill(4), { dest: 1 });
         const { data } = await world.recv({ source: 1 });
         assert.ok(data.every((byte) => byte === 4));
         await world.close();
       });
     }
     test('a world that is not closed', async () => void (await World.join()));`,
  );
  const said = execFileSync(execPath, ['--test', '--test-reporter=tap', file], {
    encoding: 'utf8',
    env: cleanEnvironment(),
  });
  expect(said).toMatch(/^# pass 3$/m);
  expect(said).toMatch(/^# fail 0$/m);
});
