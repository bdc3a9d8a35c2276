// Tests of ranks that come back: the body of a rank runs in each of its lives.
import { strict as assert } from 'node:assert';
import { once } from 'node:events';
import type { World } from '../../lib/index.js';
import type { Crew } from './crew.js';
import { assertPattern, pattern } from './pattern.js';

/** Which life of its rank this process is, from 0 on. */
export const LIFE = Number(process.env.LIFE ?? 0);

/** Ends this life so that no code of it runs any more. */
export function die(): never {
  process.kill(process.pid, 'SIGKILL');
  throw new Error('still alive');
}

/** Resolves when that rank has come back so often, and the world has told so. */
export async function returned(world: World, rank: number, times: number): Promise<void> {
  world.ref();
  while (world.incarnation(rank) < times) await once(world, 'peer-join');
  await new Promise((resolve) => setImmediate(resolve));
  world.unref();
}

/** For `during`: starts `rank` again each time that it has ended, `times` times. */
export const again =
  (rank: number, times = 1) =>
  async (crew: Crew): Promise<void> => {
    for (let i = 0; i < times; i += 1) await crew.again(rank);
  };

const SIZES = [0, 8, 3_000, 40_000, 700_000, 3_000_000];

/** The two ranks send each other messages of all sizes, and check what comes. */
export async function talk(world: World, peer: number, seed = 0): Promise<void> {
  for (const [i, size] of SIZES.entries()) {
    const into = new Uint8Array(size);
    const received = world.irecv(into, { source: peer, tag: seed });
    await world.send(pattern(seed + i, size), { dest: peer, tag: seed });
    assert.equal((await received).byteLength, size);
    assertPattern(into, seed + i);
  }
}

/** Each of three ranks with each. */
export async function allTalk(world: World): Promise<void> {
  for (const pair of [
    [0, 1],
    [1, 2],
    [0, 2],
  ]) {
    if (pair.includes(world.rank)) await talk(world, pair[1 - pair.indexOf(world.rank)]!);
  }
}
