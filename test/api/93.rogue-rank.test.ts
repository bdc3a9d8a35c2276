// A rank that scribbles over everything it has mapped writable, while two others exchange messages: those arrive as they
// were sent, what the two have with the rogue ends with an error of this package, and both go on and end well.
import { strict as assert } from 'node:assert';
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import type { World } from '../../lib/index.js';
import { temporaryFolder } from '../helpers/folder.js';
import { matrix } from '../helpers/matrix.js';
import { ROOT } from '../helpers/paths.js';
import { assertPattern, pattern } from '../helpers/pattern.js';
import { processTest, type Tools } from '../helpers/rank-test.js';

interface Rogue {
  /** Writes that many words, and tells how many. */
  scribble(words: number, seed: number): number;
  /** How many of the read-only mappings it could make writable. */
  openUp(): number;
}

const ROGUE = 0;
const [PID, GO, MORE, DATA, BAIT] = [1, 2, 3, 4, 5];
/** ROGUE_SLICES: for longer runs. */
const SLICES = Number(process.env['ROGUE_SLICES'] ?? 150);
const WORDS = 2_000;
const SIZES = [0, 8, 1_000, 100_000, 1_500_000];
const RANKS = { ranks: 3, exits: ['SIGKILL', 0, 0] } as const;

const folder = temporaryFolder('rogue');
const addon = join(folder, 'rogue.node');
beforeAll(() => {
  const source = join(ROOT, 'test', 'api', 'fixtures', 'rogue.c');
  execFileSync('gcc', ['-O1', '-shared', '-fPIC', '-o', addon, source]);
});

async function rogue(world: World): Promise<never> {
  const { scribble, openUp } = require(process.env['ROGUE']!) as Rogue;
  for (const dest of [1, 2]) await world.send(Uint32Array.of(process.pid), { dest, tag: PID });
  for (const source of [1, 2]) await world.recv({ source, tag: GO });
  assert.equal(openUp(), 0);
  const clock = new Int32Array(new SharedArrayBuffer(4));
  for (let slice = 0; slice < SLICES; slice += 1) {
    assert.equal(scribble(WORDS, slice + 1), WORDS);
    Atomics.wait(clock, 0, 0, 2); // the others' turn
  }
  process.kill(process.pid, 'SIGKILL');
  throw new Error('still there');
}

function lives(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

/** What the two have with the rogue: each ends, and how does not matter, if it is in a way that is documented. */
function bait(world: World): Promise<unknown>[] {
  return [
    world.irecv(new Uint8Array(100_000), { source: ROGUE, tag: BAIT }),
    world.irecv({ source: ROGUE, tag: BAIT }),
    world.isend(new Uint8Array(500_000), { dest: ROGUE, tag: BAIT }),
    world.isend(new Uint8Array(10), { dest: ROGUE, tag: BAIT }),
  ];
}

function isOurs(error: unknown): boolean {
  return String((error as { code?: string }).code).startsWith('ERR_UINTR_');
}

/** Rounds of checked messages both ways until the rogue has gone. How many there were. */
async function exchange(world: World, one: (size: number, key: number) => Promise<void>): Promise<number> {
  const other = 3 - world.rank;
  const [pid] = new Uint32Array((await world.recv({ source: ROGUE, tag: PID })).data.slice().buffer);
  await world.send(new Uint8Array(0), { dest: ROGUE, tag: GO });
  for (let round = 0; ; round += 1) {
    const baits = Promise.allSettled(round % 20 === 0 ? bait(world) : []);
    baits.then((all) => assert(all.every((b) => b.status === 'fulfilled' || isOurs(b.reason))));
    for (const [i, size] of SIZES.entries()) await one(size, round * 10 + i);
    // One of the two decides.
    if (world.rank === 1) {
      const more = lives(pid!);
      await world.send(Uint8Array.of(more ? 1 : 0), { dest: other, tag: MORE });
      if (!more) return round + 1;
    } else {
      const more = new Uint8Array(1);
      await world.recv(more, { source: other, tag: MORE });
      if (more[0] === 0) return round + 1;
    }
  }
}

function honest(world: World, await_: boolean): Promise<number> {
  const other = 3 - world.rank;
  return exchange(world, async (size, key) => {
    const into = new Uint8Array(size);
    const received = world.irecv(into, { source: other, tag: DATA });
    const sent = world.isend(pattern(key * 3 + world.rank, size), { dest: other, tag: DATA });
    if (await_) await Promise.all([received, sent]);
    else for (const request of [received, sent]) request.wait();
    assertPattern(into, key * 3 + other);
  });
}

matrix(
  () => {
    for (const [how, awaits] of [
      ['wait()', false],
      ['await', true],
    ] as const) {
      processTest(
        `1. beside a rank that scribbles over heaps and doorbells messages arrive as they were sent (${how})`,
        { ...RANKS, env: { ROGUE: addon } },
        async (t: Tools) => {
          const world = await t.join();
          if (t.rank === ROGUE) return rogue(world);
          const rounds = await honest(world, awaits);
          await world.close();
          return rounds;
        },
        (outcomes) => {
          for (const { rank, result } of outcomes) if (rank !== ROGUE) expect(result).toBeGreaterThan(1);
        },
      );
    }
  },
  ['signal', 'poll'],
  ['auto', 'pipeline'],
);
