// A worker that is a rank ends, at any moment: the others are told, and its process goes on.
import { strict as assert } from 'node:assert';
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import type { World } from '../../lib/index.js';
import { peerExited } from '../helpers/errors.js';
import { temporaryFolder } from '../helpers/folder.js';
import { DRIVERS, eachDriver, matrix, THREAD_COPIES } from '../helpers/matrix.js';
import { ROOT } from '../helpers/paths.js';
import { assertPattern, fill, pattern } from '../helpers/pattern.js';
import { heldMemory, openDescriptors } from '../helpers/proc.js';
import { processTest, type Tools } from '../helpers/rank-test.js';
import { FACTOR, FACTOR_ENV, rounds } from '../helpers/stress.js';
import { compute } from '../helpers/work.js';
import { nextPeerExit } from '../helpers/worlds.js';

/** The main thread, the worker that ends, another worker, and another process. */
const [MAIN, ENDS, WORKER, OTHER] = [0, 1, 2, 3];
const PLACES = { ranks: 4, processes: [[MAIN, ENDS, WORKER], [OTHER]], ended: [ENDS] } as const;

const [READY, HEARD] = [1_000, 1_001];

/** How it ends, and whether the main thread has to do it. */
const WAYS: Record<string, { byMain: boolean; end: (world: World) => unknown }> = {
  'terminated while it awaits': { byMain: true, end: (world) => world.recv({ source: MAIN, tag: 77 }) },
  'terminated in wait()': { byMain: true, end: (world) => world.irecv({ source: MAIN, tag: 77 }).wait() },
  'terminated while it computes': {
    byMain: true,
    end: () => {
      for (;;) compute(1_000);
    },
  },
  'ended by process.exit()': { byMain: false, end: () => process.exit(0) },
  'at the end of its script': { byMain: false, end: () => {} },
};

eachDriver(() => {
  for (const [how, { byMain, end }] of Object.entries(WAYS)) {
    processTest(`1. ${how}, a worker has exited; what needs it fails, and the rest goes on`, PLACES, async (t) => {
      const world = await t.join();
      if (t.rank === ENDS) {
        for (const dest of [MAIN, WORKER, OTHER]) {
          // Nobody looks at these, and no send is left, or the worker would not end by itself.
          world.irecv(new Uint8Array(500_000), { source: dest, tag: 6 });
          if (byMain) world.isend(new Uint8Array(500_000), { dest, tag: 5 });
          await world.send(new Uint8Array(0), { dest, tag: READY });
        }
        return end(world);
      }
      const gone = nextPeerExit(world);
      const requests = [
        world.irecv(new Uint8Array(10), { source: ENDS, tag: 7 }),
        world.irecv({ source: ENDS, tag: 8 }),
        world.isend(new Uint8Array(1_000_000), { dest: ENDS, tag: 9 }),
      ];
      await world.recv({ source: ENDS, tag: READY });
      if (t.rank === MAIN) {
        for (const source of [WORKER, OTHER]) await world.recv({ source, tag: HEARD });
        if (byMain) await t.terminate(ENDS);
      } else {
        await world.send(new Uint8Array(0), { dest: MAIN, tag: HEARD });
      }
      if (t.rank === WORKER) assert.throws(() => requests[0]!.wait(), peerExited(ENDS, 'exited'));
      for (const request of requests) await assert.rejects(async () => request, peerExited(ENDS, 'exited'));
      assert.deepEqual(await gone, { rank: ENDS, cause: 'exited' });
      assert.equal(world.isAlive(ENDS), false);
      for (const peer of [MAIN, WORKER, OTHER]) {
        if (peer === t.rank) continue;
        const into = new Uint8Array(400_000);
        const received = world.irecv(into, { source: peer });
        await world.send(pattern(t.rank, into.length), { dest: peer });
        await received;
        assertPattern(into, peer);
      }
      await world.close();
      return true;
    });
  }

  processTest(
    '2. process.exit() of the main thread ends its workers, and the ranks elsewhere are told',
    { ranks: 3, processes: [[0, 1], [2]], exits: [5, 0] },
    async (t) => {
      const world = await t.join();
      if (t.rank === 2) {
        const told: unknown[] = [];
        world.on('peer-exit', (info) => told.push({ ...info }));
        for (const source of [0, 1]) await world.send(new Uint8Array(0), { dest: source });
        for (const source of [0, 1]) {
          await assert.rejects(world.recv({ source }), peerExited(source, 'exited'));
        }
        await new Promise((resolve) => setImmediate(resolve));
        await world.close();
        return told.length;
      }
      await world.recv({ source: 2 });
      world.irecv(new Uint8Array(8_000_000), { source: 1 - t.rank });
      world.isend(new Uint8Array(8_000_000), { dest: 1 - t.rank });
      world.progress();
      if (t.rank === 0) process.exit(5);
      for (;;) compute(1_000);
    },
  );
});

const SIZES = [100, 30_000, 70_000, 500_000, 4_000_000];
const gone = peerExited(ENDS, 'exited');

/** Messages of all sizes to and fro, waited for in all ways, in buffers that `make` makes. */
async function talk(world: World, peer: number, seed: number, make: (bytes: number) => Uint8Array): Promise<never> {
  for (let i = seed; ; i += 1) {
    const size = SIZES[i % SIZES.length]!;
    const into = make(size);
    const received = world.irecv(into, { source: peer, tag: i });
    const sent = world.isend(fill(make(size), i + world.rank), { dest: peer, tag: i });
    if (i % 4 === 0) await Promise.all([received, sent]);
    else if (i % 4 === 1) for (const request of [received, sent]) request.wait();
    else if (i % 4 === 2) for (const request of [received, sent]) while (!request.done) compute(3);
    await received;
    await sent;
    assertPattern(into, i + peer);
  }
}

/** World after world, in each of which the worker is terminated somewhere in the middle. */
async function storm(t: Tools, worlds: number, make: (bytes: number) => Uint8Array): Promise<unknown> {
  const first = await t.join();
  if (t.rank === ENDS) {
    // Which world it is now, the main thread knows.
    const round = Number(Buffer.from((await first.recv({ source: MAIN })).data).toString());
    return talk(first, MAIN, round, make);
  }
  let world = first;
  const left: { descriptors: number; memory: number }[] = [];
  for (let round = 0; ; round += 1) {
    t.note(`round ${round}`);
    const ended = new Promise((resolve) => setTimeout(() => resolve(t.terminate(ENDS)), (round * 7) % 40));
    await world.send(Buffer.from(`${round}`), { dest: ENDS });
    await assert.rejects(talk(world, ENDS, round, make), gone);
    await ended;
    await world.close();
    left.push({ descriptors: openDescriptors().size, memory: heldMemory() });
    if (round + 1 === worlds) return left;
    const name = `${t.joinOptions.name}-${round}`;
    t.restart(ENDS, { name });
    world = await t.join({ name });
  }
}

const plain = (bytes: number): Uint8Array => new Uint8Array(bytes);
const STORM = {
  processes: [[MAIN, ENDS]],
  ended: [ENDS],
  env: FACTOR_ENV,
  timeoutMs: 60_000 + 60_000 * FACTOR,
} as const;

matrix(
  () => {
    processTest('3. terminated in the middle of messages, again and again, it spoils none', STORM, (t) =>
      storm(t, rounds(12, 4), plain),
    );
  },
  DRIVERS,
  THREAD_COPIES,
);

describe('memory that is not V8’s', () => {
  const folder = temporaryFolder('foreign');
  const addon = join(folder, 'foreign.node');
  beforeAll(() => {
    const source = join(ROOT, 'test', 'api', 'fixtures', 'foreign-memory.c');
    execFileSync('gcc', ['-shared', '-fPIC', '-o', addon, source]);
  });

  matrix(
    () => {
      processTest(
        '4. is not touched once its worker’s addons have freed it',
        { ...STORM, env: { ...FACTOR_ENV, FOREIGN: addon } },
        (t) => storm(t, rounds(25, 6), (require(process.env['FOREIGN']!) as { alloc: typeof plain }).alloc),
      );
    },
    DRIVERS,
    ['auto', 'direct'],
  );
});

describe('a process whose workers come and go', () => {
  processTest(
    '5. keeps neither descriptors nor memory of theirs',
    STORM,
    (t) => storm(t, 12, plain),
    ([main]) => {
      const left = main!.result as object[];
      expect(left.at(-1)).toEqual(left[2]);
    },
  );
});
