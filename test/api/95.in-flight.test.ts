// What a program does to its buffers, and to its process, while messages are under way.
import { strict as assert } from 'node:assert';
import { execFileSync, fork, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { execPath } from 'node:process';
import { Worker } from 'node:worker_threads';
import { support, type World } from '../../lib/index.js';
import { peerExited } from '../helpers/errors.js';
import { matrix } from '../helpers/matrix.js';
import { PACKAGE } from '../helpers/paths.js';
import { assertPattern, pattern } from '../helpers/pattern.js';
import { processTest, rankTest } from '../helpers/rank-test.js';
import { compute } from '../helpers/work.js';
import { collectGarbage, meet } from '../helpers/worlds.js';

const SIZE = 2_000_000;
const nodeOptions = ['--expose-gc'];

const WAYS: Record<string, (buffer: ArrayBuffer) => ArrayBuffer | undefined> = {
  transferred: (buffer) => structuredClone(buffer, { transfer: [buffer] }),
  'handed to a worker that ends': (buffer) => {
    new Worker('', { eval: true, workerData: buffer, transferList: [buffer] });
    return undefined;
  },
  'transferred and forgotten': (buffer) => {
    structuredClone(buffer, { transfer: [buffer] });
    return undefined;
  },
};

// Where a buffer's memory cannot be held (support().holdsBackingStores), this is the caller's error.
if (support().holdsBackingStores) {
  matrix(() => {
    rankTest('1. buffers that are detached in flight harm nobody', { nodeOptions }, async (world: World, t) => {
      const peer = 1 - world.rank;
      for (const [how, detach] of Object.entries(WAYS)) {
        for (let round = 0; round < 3; round += 1) {
          t.note(`${how}, ${round}`);
          const data = pattern(round, SIZE);
          const into = new Uint8Array(SIZE);
          const received = world.irecv(into, { source: peer, tag: round });
          if (round % 2 === 1) await meet(world);
          const sent = world.isend(data, { dest: peer, tag: round });
          const moved = detach(into.buffer as ArrayBuffer);
          detach(data.buffer as ArrayBuffer);
          assert.deepEqual([into.byteLength, data.byteLength], [0, 0]);
          await collectGarbage();
          compute(500);
          assert.equal((await received).byteLength, SIZE);
          await sent;
          if (moved) assertPattern(new Uint8Array(moved), round);
        }
      }
    });
  }, ['signal']);
}

const env = { UINTR_DRIVER: 'signal' };
const CHILD = `
  const { readdirSync, readlinkSync } = require('node:fs');
  const held = readdirSync('/proc/self/fd').filter((fd) => {
    try { return readlinkSync('/proc/self/fd/' + fd).startsWith('/memfd:uintr'); } catch { return false; }
  });
  require(${JSON.stringify(PACKAGE)}).World.join().then(async (world) => {
    console.log(JSON.stringify({ size: world.size, held }));
    await world.close();
  });`;

rankTest(
  '2. processes that a rank starts meanwhile are no ranks, and inherit nothing of it',
  { env },
  async (world) => {
    const peer = 1 - world.rank;
    for (let round = 0; round < 3; round += 1) {
      const into = new Uint8Array(SIZE);
      const received = world.irecv(into, { source: peer });
      const sent = world.isend(pattern(round, SIZE), { dest: peer });
      const printed = execFileSync(execPath, ['-e', CHILD], { encoding: 'utf8' });
      assert.deepEqual(JSON.parse(printed), { size: 1, held: [] });
      assert.equal(spawnSync('true').status, 0);
      await Promise.all([received, sent]);
      assertPattern(into, round);
    }
  },
);

rankTest('3. child_process.fork(): the child talks to its parent, and the rank goes on', { env }, async (world) => {
  const peer = 1 - world.rank;
  const child = fork(join(__dirname, 'fixtures', 'forked.js'));
  for (let n = 0; n < 20; n += 1) {
    const answer = once(child, 'message');
    const received = world.irecv(new Uint8Array(100_000), { source: peer });
    const sent = world.isend(pattern(n, 100_000), { dest: peer });
    child.send(n);
    assert.deepEqual((await answer)[0], n + 1);
    await Promise.all([received, sent]);
  }
  const ended = once(child, 'exit');
  child.kill();
  await ended;
});

const { execve } = process as { execve?: (file: string, args: string[], env: NodeJS.ProcessEnv) => never };
// Node has it from 22.15 on.
if (execve) {
  processTest(
    '4. ends a rank: the process lives on as another program, and the other rank is told',
    { env, ended: [1] },
    async (t) => {
      const world = await t.join();
      await meet(world);
      if (t.rank === 1) {
        world.isend(new Uint8Array(SIZE), { dest: 0, tag: 1 });
        execve!.call(process, '/bin/sh', ['sh', '-c', 'exit 0'], process.env);
      }
      await assert.rejects(world.recv({ source: 1, tag: 2 }), peerExited(1, 'killed'));
      await world.close();
    },
  );
}
