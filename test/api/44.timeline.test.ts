// The timeline: what each rank records, and the one file that all of them write.
import { strict as assert } from 'node:assert';
import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Request, type Status, World, type WorldStats } from '../../lib/index.js';
import { coded, invalid } from '../helpers/errors.js';
import { matrix } from '../helpers/matrix.js';
import { uniqueName } from '../helpers/paths.js';
import { fill } from '../helpers/pattern.js';
import { processTest, rankTest } from '../helpers/rank-test.js';
import {
  isInside,
  readTimeline,
  removeTimelines,
  type TraceEvent,
  type Track,
  timelineFile,
} from '../helpers/timeline.js';
import { computeUntilWritten } from '../helpers/work.js';
import { meet } from '../helpers/worlds.js';

const SIZE = 4 * 2 ** 20;
const SPAWNED = join(__dirname, 'fixtures', 'spawned.js');
const ALONE = { ranks: 1 } as const;

afterAll(removeTimelines);

function sum(numbers: number[]): number {
  return numbers.reduce((all, one) => all + one, 0);
}

/** What has been copied, as the timeline has it and as it was counted. */
function assertCopies(track: Track, stats: WorldStats): void {
  for (const side of ['asReceiver', 'asSender'] as const) {
    const named = side === 'asReceiver' ? /^copy as receiver ← \d/ : /^copy as sender → \d/;
    const slices = track.slices('copy').filter(({ name }) => named.test(name));
    const counted = sum(Object.values(stats.copied).map((bytes) => bytes[side]));
    assert.equal(sum(slices.map(({ args }) => args.bytes as number)), counted, side);
  }
}

matrix(
  ({ driver, copy }) => {
    const file = timelineFile();

    rankTest(
      '1. has posts, copies and completions of all ranks, and interrupts inside what they interrupted',
      { join: { trace: file } },
      async (world) => {
        const peer = 1 - world.rank;
        const buffer = (): Uint8Array => (copy === 'heap' ? world.alloc(SIZE) : new Uint8Array(SIZE));
        const [out, into] = [buffer(), buffer()];
        const received = world.irecv(into, { source: peer, tag: 1 });
        fill(out, 1);
        // Both compute from here on, and only handlers move anything.
        let sent: Request<Status>;
        if (world.rank === 1) {
          await meet(world);
          world.isend(new Uint8Array(1), { dest: 0, tag: 2 });
          if (driver !== 'poll') computeUntilWritten(into);
          sent = world.isend(out, { dest: 0, tag: 1 });
        } else {
          const asked = world.irecv({ source: 1, tag: 2 });
          await meet(world);
          asked.wait();
          sent = world.isend(out, { dest: 1, tag: 1 });
          if (driver !== 'poll') computeUntilWritten(into);
        }
        await Promise.all([sent, received]);
        await meet(world);
        return world.stats();
      },
      (outcomes) => {
        const tracks = readTimeline(file);
        assert.deepEqual([...tracks.keys()].sort(), [0, 1]);
        const matches = [...tracks.values()].flatMap((track) => track.points('match'));
        assert.equal(matches.filter(({ args }) => args.bytes === SIZE).length, 2);
        let helped = 0;
        let arrows = 0;
        for (const [rank, track] of tracks) {
          const stats = outcomes[rank]!.result as WorldStats;
          const peer = 1 - rank;
          const large = (category: string, name: string): number =>
            track.points(category).filter((point) => point.name === name && point.args.bytes === SIZE).length;
          assert.equal(large('post', `send → ${peer}`), 1);
          assert.equal(large('post', `receive ← ${peer}`), 1);
          assert.equal(large('completion', `done: send → ${peer}`), 1);
          assert.equal(large('completion', `done: receive ← ${peer}`), 1);
          assertCopies(track, stats);

          const handlers = track.slices('handler');
          const runs = handlers.filter(({ name }) => name !== "handler's work");
          const sent = track.points('interrupt').filter(({ name }) => name.startsWith('interrupt →'));
          // One run comes with the join, before anything is recorded; and more may have come since these were counted.
          assert.ok(sent.length >= stats.interrupts.sent && runs.length >= stats.interrupts.handled - 1);
          const doing = track.slices('computation');
          for (const one of handlers) assert.ok(doing.some((slice) => isInside(one, slice)));
          const computation = doing.filter(({ name }) => name === 'computation');
          const inside = handlers.filter((one) => computation.some((slice) => isInside(one, slice)));
          const within = (event: TraceEvent): boolean => inside.some((one) => isInside(event, one));
          helped += track.slices('copy').filter(within).length;
          arrows += track.events.filter(({ ph, cat }) => ph === 'f' && cat === 'interrupt').filter(within).length;
        }
        if (driver === 'poll') assert.deepEqual([helped, arrows], [0, 0]);
        else
          assert.ok(helped > 0 && arrows > 0, `${helped} pieces copied, ${arrows} arrows in handlers that interrupted`);
      },
    );
  },
  ['signal', 'uintr', 'poll'],
  ['cma', 'heap', 'pipeline'],
);

describe('the file', () => {
  const file = timelineFile();

  rankTest(
    '2. says what was overwritten, and has the latest',
    { ranks: 1, join: { trace: file, traceEvents: 1024 } },
    async (world) => {
      for (let i = 0; i < 3000; i += 1) world.isend(new Uint8Array(i), { dest: 0 });
      for (let i = 0; i < 3000; i += 1) await world.recv({ source: 0 });
    },
    () => {
      const track = readTimeline(file).get(0)!;
      const [loss, ...more] = track.points('loss');
      assert.match(loss!.name, /^\d+ events before this were overwritten$/);
      assert.deepEqual(more, []);
      assert.ok((loss!.args.lost as number) > 3000);
      const posts = track.points('post');
      assert.ok(posts.length > 0 && posts.length < 1024);
      assert.equal(posts.filter(({ name }) => name === 'receive ← 0').at(-1)!.args.bytes, 0);
    },
  );

  const exited = timelineFile();
  processTest(
    '3. is written at the end of a process that does not close its world',
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

  const threads = timelineFile();
  rankTest(
    '4. has worker threads as tracks of their process',
    { ranks: 3, processes: [[0, 1], [2]], join: { trace: threads } },
    async (world) => {
      for (const peer of [0, 1, 2]) if (peer !== world.rank) await meet(world, peer);
      return process.pid;
    },
    (outcomes) => {
      const tracks = readTimeline(threads);
      for (const { rank, result } of outcomes) {
        const pids = new Set(tracks.get(rank)!.events.map(({ pid }) => pid));
        assert.deepEqual([...pids], [result]);
      }
    },
  );

  const advertised = timelineFile();
  rankTest(
    '14. says that a sender has matched by itself, before what it copied then',
    { join: { trace: advertised, copy: 'cma' } },
    async (world) => {
      const into = new Uint8Array(SIZE);
      if (world.rank === 1) {
        const request = world.irecv(into, { source: 0, tag: 7 });
        await meet(world);
        // Whoever has time would copy all of it.
        computeUntilWritten(into);
        await request;
      } else {
        await meet(world);
        await world.send(into.fill(1), { dest: 1, tag: 7 });
      }
    },
    () => {
      const tracks = readTimeline(advertised);
      const about = (rank: number): string[] => {
        const events = tracks.get(rank)!.events.filter(({ ph, args }) => ph !== 'f' && ph !== 's' && args.tag === 7);
        return events.map(({ name }) => name);
      };
      const [posted, matched, copied, ...rest] = about(0);
      assert.deepEqual([posted, matched, copied], ['send → 1', 'matched: send → 1', 'copy as sender → 1']);
      assert.equal(rest.at(-1), 'done: send → 1');
      assert.ok(!about(1).some((name) => name.startsWith('matched')));
    },
  );

  const launched = timelineFile();
  rankTest(
    '5. is one for all ranks of uintr run',
    { ranks: 4, via: 'launcher', env: { UINTR_TRACE: launched } },
    (world) => world.barrier(),
    () => {
      const tracks = readTimeline(launched);
      assert.deepEqual([...tracks.keys()].sort(), [0, 1, 2, 3]);
      for (const track of tracks.values()) {
        const names = track.points('completion').map(({ name }) => name);
        assert.ok(names.includes('done: collective'));
      }
    },
  );

  processTest('6. has all worlds of a process, and nothing of the run before', ALONE, async () => {
    const folder = mkdtempSync(join(tmpdir(), 'uintr-timeline-'));
    const own = join(folder, 'timeline.json');
    const tags = (world: number): unknown[] =>
      readTimeline(own, world)
        .get(0)!
        .points('post')
        .map(({ args }) => args.tag);
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
    assert.deepEqual([tags(1), [tags(2), tags(3)].sort()], [[1], [[2], [3]]]);
    // As if by a process that was started before this one.
    writeFileSync(own, readFileSync(own, 'utf8').replace(/"written":\d+/, '"written":1'));
    await record(4);
    assert.deepEqual(tags(4), [4]);
    assert.equal(readTimeline(own).size, 0);
    rmSync(folder, { recursive: true });
  });

  processTest('7. that is something else is left alone', ALONE, async () => {
    const folder = mkdtempSync(join(tmpdir(), 'uintr-timeline-'));
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
    rmSync(folder, { recursive: true });
  });

  processTest('8. that cannot be written at the end is a warning', ALONE, async () => {
    const folder = mkdtempSync(join(tmpdir(), 'uintr-timeline-'));
    const world = await World.join({ trace: join(folder, 'timeline.json') });
    rmSync(folder, { recursive: true });
    const warned = new Promise<NodeJS.ErrnoException>((resolve) => process.once('warning', resolve));
    await world.close();
    const { code, message } = await warned;
    assert.equal(code, 'UINTR_TRACE_NOT_WRITTEN');
    assert.match(message, /ENOENT/);
  });

  for (const kind of ['process', 'thread'] as const) {
    processTest(`9. has what World.spawn starts, each a ${kind}`, ALONE, async () => {
      const folder = mkdtempSync(join(tmpdir(), 'uintr-timeline-'));
      const own = join(folder, 'timeline.json');
      const world = await World.spawn(SPAWNED, { ranks: 2, kind, args: ['echo'], trace: own });
      const ended = once(world, 'child-exit').then(() => once(world, 'child-exit'));
      for (const dest of [1, 2]) {
        await world.send(new Uint8Array(100_000), { dest });
        await world.recv({ source: dest });
      }
      world.ref();
      await ended;
      await world.close();
      const tracks = readTimeline(own);
      for (const rank of [1, 2]) {
        const done = tracks.get(rank)!.points('completion');
        assert.ok(done.some(({ name, args }) => name === 'done: send → 0' && args.bytes === 100_000));
      }
      assert.equal(tracks.size, 3);
      rmSync(folder, { recursive: true });
    });
  }
});

describe('a full disk', () => {
  test('15. leaves what was written before, and is an error', () => {
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
    const posts = readTimeline(file).get(0)!.points('post');
    assert.deepEqual(
      posts.map(({ args }) => args.tag),
      [1],
    );
  });
});

describe('world.trace()', () => {
  const tags = (file: string): unknown[] =>
    readTimeline(file)
      .get(0)!
      .points('post')
      .map(({ args }) => args.tag);

  processTest('10. records from then on, and writes what is new each time', ALONE, async () => {
    const folder = mkdtempSync(join(tmpdir(), 'uintr-timeline-'));
    const file = join(folder, 'timeline.json');
    const world = await World.join();
    const send = (tag: number): unknown => world.isend(new Uint8Array(1), { dest: 0, tag });
    send(1);
    const trace = world.trace();
    assert.equal(trace.file, undefined);
    send(2);
    assert.equal(await trace.write(file), file);
    assert.deepEqual(tags(file), [2]);
    send(3);
    assert.equal(world.trace(), trace);
    await trace.write(file);
    assert.deepEqual(tags(file), [2, 3]);
    const other = join(folder, 'other.json');
    await trace.write(other);
    assert.deepEqual(tags(other), [2, 3]);
    // Its file has gone, and with it what was in it.
    rmSync(file);
    await trace.write(file);
    assert.deepEqual(tags(file), [2, 3]);
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
    assert.deepEqual(tags(other), [2, 3]);
    assert.deepEqual(tags(file), [2, 3, 5]);
    rmSync(folder, { recursive: true });
  });

  processTest('10. counts no message into an event that is written already', ALONE, async () => {
    const file = timelineFile();
    const world = await World.join();
    const trace = world.trace();
    const sent = (): unknown =>
      readTimeline(file)
        .get(0)!
        .points('post')
        .reduce((sum, { args }) => sum + ((args.count as number | undefined) ?? 1), 0);
    for (let i = 0; i < 20; i += 1) world.isend(new Uint8Array(1), { dest: 0, tag: 1 });
    await trace.write(file);
    assert.equal(sent(), 20);
    for (let i = 0; i < 3; i += 1) world.isend(new Uint8Array(1), { dest: 0, tag: 1 });
    await trace.write(file);
    assert.equal(sent(), 23);
    await world.close();
  });

  processTest('11. keeps what has no file, to be written after close()', ALONE, async () => {
    const folder = mkdtempSync(join(tmpdir(), 'uintr-timeline-'));
    const world = await World.join();
    const trace = world.trace({ events: 2048 });
    world.isend(new Uint8Array(1), { dest: 0, tag: 7 });
    await world.close();
    assert.throws(() => world.trace(), coded('ERR_UINTR_CLOSED'));
    const file = await trace.write(join(folder, 'late.json'));
    assert.deepEqual(tags(file), [7]);
    await trace.stop();
    rmSync(folder, { recursive: true });
  });

  processTest('12. goes on behind what somebody has left half written', ALONE, async () => {
    const folder = mkdtempSync(join(tmpdir(), 'uintr-timeline-'));
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
    assert.equal(tags(file).at(-1), 1000);
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
    assert.deepEqual(tags(file), [1, 10, 100, 1000, 1500, 2000]);
    await world.close();
    rmSync(folder, { recursive: true });
  });

  processTest('13. refuses bad arguments, by name and value', ALONE, async () => {
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
});
