// The collective operations of a random program. All ranks start them in the same order, each at times of its own, so
// that several are under way at once.
import type { OpName } from '../../lib/index.js';
import { ARRAYS, opsOf } from '../helpers/reference.js';
import type { Limits } from './generate.js';
import type { Random } from './prng.js';
import { type Part, PLACES, WAIT_STYLES } from './program.js';
import { randomSize } from './sizes.js';

export const MOVING = ['bcast', 'gather', 'scatter', 'allgather', 'alltoall'] as const;
export const COUNTED = ['gatherv', 'scatterv', 'allgatherv', 'alltoallv'] as const;
export const REDUCING = ['reduce', 'allreduce', 'reduceScatter', 'scan', 'exscan'] as const;
export const OPERATIONS = ['barrier', ...MOVING, ...COUNTED, ...REDUCING] as const;
export type Operation = (typeof OPERATIONS)[number];

/** What all ranks call. */
export interface Call {
  operation: Operation;
  /** Makes its content another than that of all others. */
  key: number;
  root: number;
  /** Of its elements, in ARRAYS. */
  type: number;
  /** Of reductions; functions: one that does not commute, on Int32Array, and a sum. */
  op: OpName | 'maps' | 'add';
  inPlace: boolean;
  /** Elements of a block; of a block with a count the most. */
  length: number;
}

/** Ids of collective operations begin here. */
export const FIRST_COLLECTIVE = 2_000;

/** What the results are computed with for comparison is slow. */
const MOST_REDUCED = 160_000;

export const isReducing = (operation: Operation): boolean => (REDUCING as readonly string[]).includes(operation);
export const isCounted = (operation: Operation): boolean => (COUNTED as readonly string[]).includes(operation);

export function makeParts(random: Random, index: number, ranks: number, limits: Limits, span: number): Part[] {
  if (random.chance(0.25)) return [];
  const count = random.chance(0.1) ? random.between(10, 25) : random.between(1, 8);
  const times = Array.from({ length: count }, () => random.next() * span).sort((a, b) => a - b);
  const blocking = times.map(() => random.chance(0.25));
  const parts: Part[] = [];
  let budget = limits.budget / 4;
  for (let first = 0; first < count; ) {
    // Up to the next that blocks.
    let end = first;
    while (end < count && !blocking[end]) end += 1;
    const before = first === 0 ? 0 : times[first - 1]!;
    const after = end === count ? span : times[end]!;
    const own = Array.from({ length: ranks }, () =>
      Array.from({ length: end - first }, () => before + random.next() * (after - before)).sort((a, b) => a - b),
    );
    for (let i = first; i < Math.min(end + 1, count); i += 1) {
      const call = makeCall(random, index * 64 + i, ranks, { ...limits, budget });
      budget -= movedBy(call, ranks);
      const style = random.chance(0.5) ? 'promise' : random.pick(WAIT_STYLES);
      for (let rank = 0; rank < ranks; rank += 1) {
        const id = FIRST_COLLECTIVE + i;
        const place = random.pick(PLACES);
        if (i === end) parts.push({ kind: 'collective', id, time: after, rank, call, place, blocking: style });
        else parts.push({ kind: 'collective', id, time: own[rank]![i - first]!, rank, call, place });
      }
    }
    first = end + 1;
  }
  return parts;
}

function makeCall(random: Random, key: number, ranks: number, limits: Limits): Call {
  const operation = random.pick(OPERATIONS);
  const ownMaps = random.chance(0.15);
  const type = ownMaps ? ARRAYS.indexOf(Int32Array) : random.below(ARRAYS.length);
  const unit = ARRAYS[type]!.BYTES_PER_ELEMENT;
  const op = ownMaps ? 'maps' : random.chance(0.1) ? 'add' : random.pick(opsOf(ARRAYS[type]!));
  const bytes = Math.min(randomSize(random, limits), limits.budget / ranks ** 2);
  const most = isReducing(operation) ? MOST_REDUCED / ranks : Infinity;
  const length = Math.floor(Math.min(bytes / unit, most));
  return { operation, key, root: random.below(ranks), type, op, inPlace: random.chance(0.3), length };
}

/** At most, in bytes. */
function movedBy({ length, type }: Call, ranks: number): number {
  return length * ARRAYS[type]!.BYTES_PER_ELEMENT * ranks ** 2;
}
