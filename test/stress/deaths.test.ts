// Ranks of Node that come to their end in every way there is, at random moments, while all talk: the others' requests
// settle with the right error, they go on with each other, and keep nothing of it. test/native/kills does the same at each
// step of the protocols. UINTR_STRESS_FACTOR makes it longer; UINTR_DEATHS_SEED repeats what a title shows.
import { strict as assert } from 'node:assert';
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { World } from '../../lib/index.js';
import { Launcher, PROGRAM } from '../cli/launcher.js';
import type { Crew } from '../helpers/crew.js';
import { peerExited } from '../helpers/errors.js';
import { temporaryFolder } from '../helpers/folder.js';
import { talk as goOn, LIFE } from '../helpers/lives.js';
import { eachDriver } from '../helpers/matrix.js';
import { ROOT } from '../helpers/paths.js';
import { assertPattern, pattern } from '../helpers/pattern.js';
import { isStopped, mappedFiles, openDescriptors, processesWith } from '../helpers/proc.js';
import { processTest, type RankTestOptions, rankTest, type Tools } from '../helpers/rank-test.js';
import { FACTOR_ENV, rounds } from '../helpers/stress.js';
import { compute } from '../helpers/work.js';
import { Random } from '../random/prng.js';

const SEED = Number(process.env['UINTR_DEATHS_SEED'] ?? 1 + (Date.now() % 1_000_000));
const [SURVIVOR, MORTAL, OTHER] = [0, 1, 2] as const;
const SIZES = [8, 900, 4_000, 40_000, 300_000, 1_500_000];
const TALK = 1;

/** Numbered messages to and fro, some awaited and some waited for, until the peer is gone; `at` is told of each. */
async function talk(world: World, peer: number, random: Random, at: (n: number) => void): Promise<never> {
  for (let n = 0; ; n += 1) {
    const into = new Uint8Array(SIZES[n % SIZES.length]!);
    const received = world.irecv(into, { source: peer, tag: TALK });
    const sent = world.isend(pattern(n, into.length), { dest: peer, tag: TALK });
    // Looked at below; the other one of the two may fail first.
    sent.catch(() => {});
    received.catch(() => {});
    at(n);
    if (random.chance(0.3)) received.wait();
    else await received;
    await sent;
    assertPattern(into, n);
  }
}

/** No memory of a world, mapped or as a descriptor. The emulator of user interrupts has some of its own. */
function nothingIsHeld(): void {
  const names = [...mappedFiles(), ...openDescriptors().values()];
  assert.deepEqual(
    names.filter((name) => /^\/memfd:uintr-(?:control|heap|world)/.test(name)),
    [],
  );
}

interface Way {
  cause: 'exited' | 'killed';
  exits: RankTestOptions['exits'];
  /** What the mortal rank does to itself. */
  itself?: () => void;
  /** What the other rank does to it. */
  byOther?: (t: Tools, pid: number) => unknown;
  /** The mortal rank is a thread of the other's process. */
  thread?: boolean;
}

const WAYS: Record<string, Way> = {
  SIGKILL: { cause: 'killed', exits: [0, 'SIGKILL', 0], byOther: (_, pid) => process.kill(pid, 'SIGKILL') },
  'process.exit': { cause: 'exited', exits: [0, 7, 0], itself: () => process.exit(7) },
  'an uncaught exception': {
    cause: 'exited',
    exits: [0, 1, 0],
    itself: () =>
      void setImmediate(() => {
        throw new Error('meant');
      }),
  },
  'another program': {
    cause: 'killed',
    exits: [0, 'SIGKILL', 0],
    itself: () => process.dlopen({ exports: {} }, process.env['EXEC_NOW']!),
  },
  'worker.terminate': { cause: 'exited', exits: [0, 0], byOther: (t) => t.terminate(MORTAL), thread: true },
  'process.exit in a worker': { cause: 'exited', exits: [0, 0], itself: () => process.exit(), thread: true },
};

const ends = (how: string, seed: number) => async (t: Tools) => {
  const { cause, itself, byOther } = WAYS[how]!;
  const random = new Random(seed, t.rank);
  const world = await t.join();
  if (t.rank === MORTAL) {
    await world.send(Uint32Array.of(process.pid), { dest: OTHER });
    const last = random.below(30);
    const when = (n: number): void => {
      if (n === last) itself?.();
    };
    await Promise.all([talk(world, SURVIVOR, random, when), talk(world, OTHER, random, () => {})]);
  }
  const pid = new Uint32Array(1);
  if (t.rank === OTHER) await world.recv(pid, { source: MORTAL });
  const last = random.below(20);
  const talked = talk(world, MORTAL, random, (n) => {
    if (t.rank !== OTHER || n !== last || byOther === undefined) return;
    compute(random.below(3_000));
    void byOther(t, pid[0]!);
  });
  await assert.rejects(talked, peerExited(MORTAL, cause));
  t.note('it is gone');
  await goOn(world, t.rank === OTHER ? SURVIVOR : OTHER);
  await world.close();
  if (how === 'another program' && t.rank === OTHER) process.kill(pid[0]!, 'SIGKILL');
  nothingIsHeld();
};

const folder = temporaryFolder('deaths');
const execNow = join(folder, 'exec-now.node');
beforeAll(() => {
  const source = join(ROOT, 'test', 'stress', 'fixtures', 'exec-now.c');
  execFileSync('gcc', ['-shared', '-fPIC', '-o', execNow, source]);
});

eachDriver(() => {
  for (const [how, { exits, thread }] of Object.entries(WAYS)) {
    for (let i = 0; i < rounds(1); i += 1) {
      // The ranks, which load this file, too, have to find the same title.
      const seed = Number(process.env['DEATHS_SEED'] ?? SEED) + i;
      const processes = thread ? ([[SURVIVOR], [OTHER, MORTAL]] as const) : undefined;
      const env = { EXEC_NOW: execNow, ...FACTOR_ENV, DEATHS_SEED: `${seed - i}` };
      processTest(
        `1. ${how} ends one of three that talk (seed ${seed})`,
        { ranks: 3, exits, processes, ended: thread ? [MORTAL] : [], env },
        ends(how, seed),
      );
    }
  }

  rankTest('2. who waits for a rank that is stopped for seconds goes on when that does', 3, async (world, t) => {
    const into = new Uint8Array(1_000_000);
    if (t.rank === MORTAL) {
      for (const dest of [SURVIVOR, OTHER]) await world.send(Uint32Array.of(process.pid), { dest });
      for (const dest of [SURVIVOR, OTHER]) await world.send(pattern(dest, into.length), { dest });
      for (const source of [SURVIVOR, OTHER]) await world.recv(into, { source });
      return;
    }
    const pid = new Uint32Array(1);
    await world.recv(pid, { source: MORTAL });
    if (t.rank === OTHER) {
      process.kill(pid[0]!, 'SIGSTOP');
      while (!isStopped(pid[0]!));
      await world.send(new Uint8Array(0), { dest: SURVIVOR });
      await new Promise((resolve) => setTimeout(resolve, 2_000)); // that is what is tested
      process.kill(pid[0]!, 'SIGCONT');
    } else {
      await world.recv({ source: OTHER });
    }
    const sent = world.isend(into, { dest: MORTAL });
    const received = world.irecv(into.slice(), { source: MORTAL });
    if (t.rank === SURVIVOR) received.wait();
    await Promise.all([sent, received]);
  });
});

// Which root can have happen; elsewhere it takes tens of thousands of processes.
describe(`a pid that comes back${process.geteuid?.() === 0 ? '' : ' (NOT TESTED, because this is not root)'}`, () => {
  const takePid = join(folder, 'take-pid');
  const taken = join(folder, 'taken');
  if (process.geteuid?.() !== 0) {
    it('5. needs root', () => {});
    return;
  }
  beforeAll(() => {
    execFileSync('gcc', ['-o', takePid, join(ROOT, 'test', 'stress', 'fixtures', 'take-pid.c')]);
  });

  /** Kills the mortal rank while the other computes, and has a stranger take its pid before that one looks. */
  async function takeItsPid(crew: Crew): Promise<void> {
    const pid = await crew.pid(MORTAL);
    await crew.event(SURVIVOR, 'computes');
    process.kill(pid, 'SIGKILL');
    const stranger = spawn(takePid, [`${pid}`], { stdio: ['pipe', 'pipe', 'inherit'] });
    try {
      const said = createInterface({ input: stranger.stdout })[Symbol.asyncIterator]();
      expect((await said.next()).value).toBe('have');
      writeFileSync(taken, '');
      await crew.over(SURVIVOR);
      stranger.stdin.end();
      // It was taken for the rank, as its pid is all that a signal goes by; and it is as it was.
      expect(Number((await said.next()).value)).toBeGreaterThan(0);
      const [code] = stranger.exitCode === null ? await once(stranger, 'exit') : [stranger.exitCode];
      expect(code).toBe(0);
    } finally {
      stranger.kill('SIGKILL');
    }
  }

  processTest(
    '5. is not taken for the rank that had it: nothing is copied there, and the requests fail',
    { ranks: 2, exits: [0, 'SIGKILL'], during: takeItsPid, join: { driver: 'signal' }, env: { TAKEN: taken } },
    async (t) => {
      const world = await t.join();
      if (t.rank === MORTAL) {
        // The other one can match it by itself, and copies at once.
        const received = world.irecv(new Uint8Array(1_500_000), { source: SURVIVOR, tag: TALK });
        await world.send(new Uint8Array(0), { dest: SURVIVOR });
        await received;
      }
      await world.recv({ source: MORTAL });
      t.tell('computes');
      while (!existsSync(process.env['TAKEN']!));
      const sent = [1_500_000, 300_000].map((bytes) => world.isend(new Uint8Array(bytes), { dest: MORTAL, tag: TALK }));
      for (const one of sent) await assert.rejects(one, peerExited(MORTAL, 'killed'));
      assert.equal(world.stats().matchedBySender, 1);
      await world.close();
      nothingIsHeld();
    },
  );
});

describe('whoever holds the name', () => {
  /** Kills rank 0, which came first, before rank 2 begins to join; so no world has formed. */
  async function killTheFirst(crew: Crew): Promise<void> {
    const random = new Random(SEED);
    await crew.event(0, 'begun');
    await new Promise((resolve) => setTimeout(resolve, random.below(150)));
    process.kill(await crew.pid(0), 'SIGKILL');
    await crew.again(0);
    await crew.event(2, 'begun');
    process.kill(await crew.pid(2), 'SIGCONT');
  }

  processTest(
    `3. is killed before all have joined: another takes its place, and the world forms (seed ${process.env['DEATHS_SEED'] ?? SEED})`,
    { ranks: 3, exits: 'any', during: killTheFirst, env: { DEATHS_SEED: `${SEED}` } },
    async (t) => {
      const told = t.rank === 2 ? once(process, 'SIGCONT') : undefined;
      t.tell(`begun${LIFE === 0 ? '' : ` ${LIFE}`}`);
      // A handler of a signal does not keep a process alive.
      const alive = setInterval(() => {}, 1_000);
      await told;
      clearInterval(alive);
      const world = await t.join({ joinTimeout: 20_000 });
      for (const peer of [0, 1, 2]) if (peer !== t.rank) await goOn(world, peer);
      await world.close();
      nothingIsHeld();
    },
  );
});

describe('a launcher', () => {
  afterEach(() => Launcher.killAll());
  const random = new Random(SEED, 4);
  const moments = Array.from({ length: rounds(4) }, () => random.below(500));

  it.each(moments)('4. that is killed %i ms after it was started leaves no rank, joined or not', async (ms) => {
    const launcher = new Launcher(['run', '-n', '2', PROGRAM, 'stuck']);
    await new Promise((resolve) => setTimeout(resolve, ms));
    launcher.child.kill('SIGKILL');
    await launcher.ended();
    while (processesWith(launcher.mark).length > 0) await new Promise((resolve) => setTimeout(resolve, 10));
  });
});
