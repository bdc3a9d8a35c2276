// world.trace(): a timeline that the program begins, writes and ends by itself.
import { strict as assert } from 'node:assert';
import { existsSync, readFileSync, rmSync, statSync, truncateSync } from 'node:fs';
import { join } from 'node:path';
import { World } from '../../lib/index.js';
import { coded, invalid } from '../helpers/errors.js';
import { processTest } from '../helpers/rank-test.js';
import { postedTags, readTimeline, type TraceEvent, timelineFolder } from '../helpers/timeline.js';

const ALONE = { ranks: 1 } as const;

processTest('1. records from then on, and writes what is new each time', ALONE, async () => {
  const folder = timelineFolder();
  const file = join(folder, 'timeline.json');
  const world = await World.join();
  const send = (tag: number): unknown => world.isend(new Uint8Array(1), { dest: 0, tag });
  send(1);
  const trace = world.trace();
  assert.equal(trace.file, undefined);
  send(2);
  assert.equal(await trace.write(file), file);
  assert.deepEqual(postedTags(file), [2]);
  send(3);
  assert.equal(world.trace(), trace);
  await trace.write(file);
  assert.deepEqual(postedTags(file), [2, 3]);
  const other = join(folder, 'other.json');
  await trace.write(other);
  assert.deepEqual(postedTags(other), [2, 3]);
  // Its file has gone, and with it what was in it.
  rmSync(file);
  await trace.write(file);
  assert.deepEqual(postedTags(file), [2, 3]);
  await trace.stop();
  await trace.stop();
  await assert.rejects(trace.write(file), coded('ERR_UINTR_CLOSED'));

  send(4);
  {
    await using again = world.trace({ file });
    assert.notEqual(again, trace);
    send(5);
  }
  send(6);
  await world.close();
  assert.deepEqual(postedTags(other), [2, 3]);
  assert.deepEqual(postedTags(file), [2, 3, 5]);
});

processTest('2. counts no message into an event that is written already', ALONE, async () => {
  const file = join(timelineFolder(), 'timeline.json');
  const world = await World.join();
  const trace = world.trace();
  const sent = (): number => {
    const posts = readTimeline(file).get(0)!.points('post');
    return posts.reduce((sum, { args }) => sum + ((args.count as number | undefined) ?? 1), 0);
  };
  for (let i = 0; i < 20; i += 1) world.isend(new Uint8Array(1), { dest: 0, tag: 1 });
  await trace.write(file);
  assert.equal(sent(), 20);
  for (let i = 0; i < 3; i += 1) world.isend(new Uint8Array(1), { dest: 0, tag: 1 });
  await trace.write(file);
  assert.equal(sent(), 23);
  await world.close();
});

processTest('3. keeps what has no file, to be written after close()', ALONE, async () => {
  const folder = timelineFolder();
  const world = await World.join();
  const trace = world.trace({ events: 2048 });
  world.isend(new Uint8Array(1), { dest: 0, tag: 7 });
  await world.close();
  assert.throws(() => world.trace(), coded('ERR_UINTR_CLOSED'));
  const file = await trace.write(join(folder, 'late.json'));
  assert.deepEqual(postedTags(file), [7]);
  await trace.stop();
});

processTest('4. goes on behind what somebody has left half written', ALONE, async () => {
  const folder = timelineFolder();
  const file = join(folder, 'timeline.json');
  const world = await World.join();
  const trace = world.trace();
  for (const cut of [1, 10, 100]) {
    world.isend(new Uint8Array(1), { dest: 0, tag: cut });
    await trace.write(file);
    truncateSync(file, statSync(file).size - cut);
  }
  world.isend(new Uint8Array(1), { dest: 0, tag: 1000 });
  await trace.write(file);
  assert.equal(postedTags(file).at(-1), 1000);
  // Its first line alone.
  truncateSync(file, readFileSync(file).indexOf('\n') + 10);
  world.isend(new Uint8Array(1), { dest: 0, tag: 1500 });
  await trace.write(file);
  const { traceEvents } = JSON.parse(readFileSync(file, 'utf8')) as { traceEvents: TraceEvent[] };
  assert.deepEqual(
    traceEvents.filter(({ cat }) => cat === 'post').map(({ args }) => args.tag),
    [1500],
  );
  // Not even that.
  truncateSync(file, 80);
  world.isend(new Uint8Array(1), { dest: 0, tag: 2000 });
  await trace.write(file);
  assert.deepEqual(postedTags(file), [1, 10, 100, 1000, 1500, 2000]);
  await world.close();
});

processTest('5. refuses bad arguments, by name and value', ALONE, async () => {
  const world = await World.join();
  for (const file of ['', 5, null, 'a\0b']) assert.throws(() => world.trace({ file } as object), invalid('file'));
  for (const events of [0, 1000, 1024.5, 2 ** 25, '1024']) {
    assert.throws(() => world.trace({ events } as object), invalid('events', `${events}`));
  }
  assert.throws(() => world.trace({ path: 'x' } as object), invalid('path'));
  assert.throws(() => world.trace('x' as unknown as object), invalid('options', "'x'"));
  const nowhere = '/nonexistent-uintr/timeline.json';
  assert.throws(() => world.trace({ file: nowhere }), invalid('file', nowhere));
  assert.ok(!existsSync(nowhere));
  const trace = world.trace();
  await assert.rejects(trace.write(), invalid('file', 'undefined'));
  await assert.rejects(trace.write(nowhere), { code: 'ENOENT' });
  assert.throws(() => world.trace({ file: nowhere }), invalid('file', nowhere));
  await world.close();
  await trace.stop();
});
