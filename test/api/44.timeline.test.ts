// The timeline: what each rank records.
import { strict as assert } from 'node:assert';
import { once } from 'node:events';
import { join } from 'node:path';
import { type Request, type Status, World, type WorldStats } from '../../lib/index.js';
import { matrix } from '../helpers/matrix.js';
import { fill } from '../helpers/pattern.js';
import { processTest, rankTest } from '../helpers/rank-test.js';
import {
  isInside,
  readTimeline,
  removeTimelines,
  type TraceEvent,
  type Track,
  timelineFile,
  timelineFolder,
} from '../helpers/timeline.js';
import { computeUntilWritten } from '../helpers/work.js';
import { meet } from '../helpers/worlds.js';

const SIZE = 4 * 2 ** 20;
const SPAWNED = join(__dirname, 'fixtures', 'spawned.js');

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

const overwritten = timelineFile();
rankTest(
  '2. says what was overwritten, and has the latest',
  { ranks: 1, join: { trace: overwritten, traceEvents: 1024 } },
  async (world) => {
    for (let i = 0; i < 3000; i += 1) world.isend(new Uint8Array(i), { dest: 0 });
    for (let i = 0; i < 3000; i += 1) await world.recv({ source: 0 });
  },
  () => {
    const track = readTimeline(overwritten).get(0)!;
    const [loss, ...more] = track.points('loss');
    assert.match(loss!.name, /^\d+ events before this were overwritten$/);
    assert.deepEqual(more, []);
    assert.ok((loss!.args.lost as number) > 3000);
    const posts = track.points('post');
    assert.ok(posts.length > 0 && posts.length < 1024);
    assert.equal(posts.filter(({ name }) => name === 'receive ← 0').at(-1)!.args.bytes, 0);
  },
);

const threads = timelineFile();
rankTest(
  '3. has worker threads as tracks of their process',
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
  '4. says that a sender has matched by itself, before what it copied then',
  { join: { trace: advertised, copy: 'cma' } },
  async (world) => {
    const into = new Uint8Array(SIZE);
    if (world.rank === 1) {
      const request = world.irecv(into, { source: 0, tag: 7 });
      await world.send(new Uint8Array(0), { dest: 0 });
      // Whoever has time would copy all of it.
      computeUntilWritten(into);
      await request;
    } else {
      // Nothing of its own is on the way, behind which it would have to wait its turn.
      await world.recv(new Uint8Array(0), { source: 1 });
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

for (const kind of ['process', 'thread'] as const) {
  processTest(`6. has what World.spawn starts, each a ${kind}`, 1, async () => {
    const own = join(timelineFolder(), 'timeline.json');
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
  });
}
