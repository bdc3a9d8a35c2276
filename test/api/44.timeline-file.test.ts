// The timeline's file, which all ranks and worlds write.
import { strict as assert } from 'node:assert';
import { spawnSync } from 'node:child_process';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { World } from '../../lib/index.js';
import { invalid } from '../helpers/errors.js';
import { uniqueName } from '../helpers/paths.js';
import { processTest } from '../helpers/rank-test.js';
import { postedTags, readTimeline, removeTimelines, timelineFile, timelineFolder } from '../helpers/timeline.js';
import { meet } from '../helpers/worlds.js';

const ALONE = { ranks: 1 } as const;

afterAll(removeTimelines);

const exited = timelineFile();
processTest(
  '1. is written at the end of a process that does not close its world',
  { ranks: 2, exits: [3, 0], join: { trace: exited } },
  async (t) => {
    const world = await t.join();
    await meet(world);
    if (t.rank === 0) process.exit(3);
    return 'ends by itself';
  },
  () => {
    const tracks = readTimeline(exited);
    for (const rank of [0, 1]) assert.ok(tracks.get(rank)!.points('post').length > 0);
  },
);

processTest('2. has all worlds of a process, and nothing of the run before', ALONE, async () => {
  const folder = timelineFolder();
  const own = join(folder, 'timeline.json');
  const record = async (tag: number): Promise<void> => {
    const world = await World.join({ trace: own });
    world.isend(new Uint8Array(1), { dest: 0, tag });
    await world.close();
  };
  await record(1);
  // At once, too.
  const [a, b] = await Promise.all([1, 2].map(() => World.join({ name: uniqueName(), size: 1, trace: own })));
  for (const world of [a!, b!]) world.isend(new Uint8Array(1), { dest: 0, tag: world === a ? 2 : 3 });
  await Promise.all([a!.close(), b!.close()]);
  assert.deepEqual([postedTags(own, 1), [postedTags(own, 2), postedTags(own, 3)].sort()], [[1], [[2], [3]]]);
  // As if by a process that was started before this one.
  writeFileSync(own, readFileSync(own, 'utf8').replace(/"written":\d+/, '"written":1'));
  await record(4);
  assert.deepEqual(postedTags(own, 4), [4]);
  assert.equal(readTimeline(own).size, 0);
});

processTest('3. one that is something else is left alone', ALONE, async () => {
  const folder = timelineFolder();
  const own = join(folder, 'program.js');
  writeFileSync(own, 'text');
  await assert.rejects(World.join({ trace: own }), invalid('trace', own));
  process.env.UINTR_TRACE = own;
  await assert.rejects(World.join(), invalid('UINTR_TRACE', own));
  delete process.env.UINTR_TRACE;
  const world = await World.join();
  assert.throws(() => world.trace({ file: own }), invalid('file', own));
  await assert.rejects(world.trace().write(own), invalid('file', own));
  assert.equal(readFileSync(own, 'utf8'), 'text');
  await world.close();
});

processTest('4. one that cannot be written at the end is a warning', ALONE, async () => {
  const folder = timelineFolder();
  const world = await World.join({ trace: join(folder, 'timeline.json') });
  rmSync(folder, { recursive: true });
  const warned = new Promise<NodeJS.ErrnoException>((resolve) => process.once('warning', resolve));
  await world.close();
  const { code, message } = await warned;
  assert.equal(code, 'UINTR_TRACE_NOT_WRITTEN');
  assert.match(message, /ENOENT/);
});

test('5. on a full disk it keeps what was written before, and that is an error', () => {
  const file = timelineFile();
  const program = `
    const { World } = require(${JSON.stringify(join(__dirname, '../../lib/index.js'))});
    World.join().then(async (world) => {
      const trace = world.trace({ events: 4096 });
      world.isend(new Uint8Array(1), { dest: 0, tag: 1 });
      await trace.write(process.argv[1]);
      // As good as that: no file may grow beyond so many bytes from here on.
      require('node:child_process').execFileSync('prlimit', ['--fsize=16384', '--pid', process.pid]);
      for (let i = 0; i < 300; i += 1) world.isend(new Uint8Array(i), { dest: 0, tag: 2 });
      const { code } = await trace.write(process.argv[1]).catch((error) => error);
      console.log(code);
      process.exit();
    });`;
  const unharmed = `trap '' XFSZ; exec "$0" -e "$1" "$2"`;
  const { stdout, stderr } = spawnSync('bash', ['-c', unharmed, process.execPath, program, file], {
    encoding: 'utf8',
  });
  assert.equal(stdout, 'EFBIG\n', stderr);
  assert.deepEqual(postedTags(file), [1]);
});
