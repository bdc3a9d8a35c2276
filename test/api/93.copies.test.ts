// Two copies of the package in one process, as two dependencies of a program may bring them; and one copy loaded again.
import { strict as assert } from 'node:assert';
import { once } from 'node:events';
import { cpSync, mkdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { Worker } from 'node:worker_threads';
import type * as Uintr from '../../lib/index.js';
import type { World } from '../../lib/index.js';
import { coded } from '../helpers/errors.js';
import { temporaryFolder } from '../helpers/folder.js';
import { PACKAGE, ROOT } from '../helpers/paths.js';
import { assertPattern, pattern } from '../helpers/pattern.js';
import { mappedFiles } from '../helpers/proc.js';
import { processTest, type Tools } from '../helpers/rank-test.js';
import { computeUntilWritten } from '../helpers/work.js';

const folder = temporaryFolder('copies');
const COPY = join('dist', 'lib', 'index.js');
if (folder !== '') {
  for (const part of ['dist/lib', 'prebuilds', 'package.json']) {
    mkdirSync(dirname(join(folder, part)), { recursive: true });
    cpSync(join(ROOT, part), join(folder, part), { recursive: true });
  }
}
const env = { UINTR_DRIVER: 'signal', SECOND_COPY: folder };
const second = (): typeof Uintr => require(join(process.env['SECOND_COPY']!, COPY));

/** Large messages both ways while both ranks compute, in a world of this copy. */
async function exchange(world: World): Promise<void> {
  const peer = 1 - world.rank;
  const into = new Uint8Array(2_000_000);
  const received = world.irecv(into, { source: peer, tag: 1 });
  await world.sendrecv(new Uint8Array(0), new Uint8Array(0), { dest: peer, source: peer });
  const data = pattern(peer, into.length).map((byte) => byte | 1);
  const sent = world.isend(data, { dest: peer, tag: 1 });
  computeUntilWritten(into);
  await Promise.all([received, sent]);
  assert.equal(
    Buffer.compare(
      into,
      pattern(world.rank, into.length).map((byte) => byte | 1),
    ),
    0,
  );
}

const options = (t: Tools): Uintr.JoinOptions => ({ ...t.joinOptions, name: `${t.joinOptions.name}-second` });

processTest('1. the second cannot have the signal of the first, and says what to do', { ranks: 1, env }, async (t) => {
  const world = await t.join();
  assert.notEqual(second().World, (require(PACKAGE) as typeof Uintr).World);
  await assert.rejects(second().World.join(), coded('ERR_UINTR_JOIN', 'signal 23', 'choose another', '`signal`'));
  await world.close();
  // The first has given it back.
  await (await second().World.join()).close();
});

processTest('2. with another signal each has its own worlds and interrupts', { env }, async (t) => {
  const first = await t.join();
  const other = (await second().World.join({ ...options(t), signal: 'SIGIO' })) as unknown as World;
  for (let round = 0; round < 5; round += 1) await Promise.all([exchange(first).then(() => exchange(other))]);
  assert.deepEqual([first.driver, other.driver], ['signal', 'signal']);
  await Promise.all([first.close(), other.close()]);
});

processTest('3. a rank of one copy talks to a rank of the other', { env }, async (t) => {
  const { World } = t.rank === 0 ? second() : (require(PACKAGE) as typeof Uintr);
  const world = (await World.join(t.joinOptions)) as unknown as World;
  await exchange(world);
  await world.close();
});

processTest('4. a copy that is loaded again is another view of the same addon', { env }, async (t) => {
  const first = await t.join();
  for (const file of Object.keys(require.cache)) if (file.startsWith(dirname(PACKAGE))) delete require.cache[file];
  const again = require(PACKAGE) as typeof Uintr;
  assert.notEqual(again.World, first.constructor);
  const other = (await again.World.join(options(t))) as unknown as World;
  await exchange(first);
  await exchange(other);
  await Promise.all([first.close(), other.close()]);
});

processTest(
  '5. the addon stays mapped when the only thread that had loaded it has ended',
  { ranks: 1, env },
  async () => {
    const loaded = (): number => mappedFiles().filter((name) => name.startsWith(process.env['SECOND_COPY']!)).length;
    assert.equal(loaded(), 0);
    const source = `require(require('node:worker_threads').workerData).World.join().then((world) => world.close())`;
    for (let i = 0; i < 3; i += 1) {
      const worker = new Worker(source, { eval: true, workerData: join(process.env['SECOND_COPY']!, COPY) });
      assert.deepEqual(await once(worker, 'exit'), [0]);
      assert.ok(loaded() > 0);
    }
  },
);

// Jest gives each test file a context and modules of its own, and loads the addon for each.
it('6. a world of this very process, whose arrays are of another realm', async () => {
  const { World } = require(PACKAGE) as typeof Uintr;
  const world = await World.join();
  for (const size of [10, 100_000]) {
    const received = world.irecv(new Uint8Array(size), { source: 0 });
    await world.send(pattern(1, size), { dest: 0 });
    expect(await received).toEqual({ source: 0, tag: 0, byteLength: size });
    const message = world.irecv();
    await world.send(pattern(2, size), { dest: 0 });
    assertPattern((await message).data, 2);
  }
  await world.close();
});
