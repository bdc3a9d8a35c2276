// Reduction to one rank.
import { Blocks } from './blocks.js';
import { Fold } from './fold.js';
import { collect, halve } from './halving.js';
import type { Place, Schedule } from './schedule.js';
import { THRESHOLDS } from './thresholds.js';
import type { Vector } from './vector.js';

/** The vectors at `from` to the one at `into` of `root`, which may be the same place; other ranks have no `into`. */
export function reduce(s: Schedule, from: Place, into: Place | undefined, vector: Vector, root: number): void {
  const { bytes, elementBytes, commutes } = vector;
  if (bytes === 0) return;
  const long = bytes >= THRESHOLDS.reduceLong && bytes / elementBytes >= s.size;
  if (long && commutes) rabenseifner(s, from, into, vector, root);
  else if (commutes) binomial(s, from, into, bytes, (s.rank - root + s.size) % s.size, root);
  else inOrder(s, from, into, bytes, root);
}

/** Where a rank's vector is combined with others: `into`, or scratch. */
function copied(s: Schedule, from: Place, into: Place | undefined, bytes: number): Place {
  const own = into ?? s.scratch(bytes);
  if (own.buffer !== from.buffer) s.copy(own, from, bytes);
  return own;
}

/**
 * Binomial tree whose root is position 0 (Thakur, Rabenseifner, Gropp 2005). A position combines what it has, from itself
 * on, with what comes from those behind it. `base` is the rank at position 0, which alone has an `into`.
 */
function binomial(
  s: Schedule,
  from: Place,
  into: Place | undefined,
  bytes: number,
  position: number,
  base: number,
): void {
  const { size } = s;
  const rankOf = (p: number): number => (p + base) % size;
  const isLeaf = position % 2 === 1 || position + 1 === size;
  const own = isLeaf && into === undefined ? from : copied(s, from, into, bytes);
  const other = isLeaf ? own : s.scratch(bytes);
  for (let half = 1; half < size; half *= 2) {
    const within = position % (2 * half);
    const receives = within === 0 && position + half < size;
    if (within === half) s.send(rankOf(position - half), own, bytes);
    else if (receives) s.recv(rankOf(position + half), other, bytes);
    s.next();
    if (receives) s.reduce(own, other, bytes);
  }
}

/** Operations that do not commute: in the order of the ranks, so to rank 0, which sends the result on. */
function inOrder(s: Schedule, from: Place, into: Place | undefined, bytes: number, root: number): void {
  const { rank } = s;
  const result = root === 0 ? into : rank === 0 ? s.scratch(bytes) : undefined;
  binomial(s, from, result, bytes, rank, 0);
  if (root === 0) return;
  if (rank === 0) s.send(root, result!, bytes);
  else if (rank === root) s.recv(0, into!, bytes);
}

/** Rabenseifner's: reduce-scatter by recursive halving, then binomial gather. */
function rabenseifner(s: Schedule, from: Place, into: Place | undefined, vector: Vector, root: number): void {
  const { bytes, elementBytes } = vector;
  const fold = new Fold(s.rank, s.size, root);
  const { place, places } = fold;
  if (place === undefined) {
    fold.begin(s, from, from, bytes);
    return;
  }
  const own = copied(s, from, into, bytes);
  const other = s.scratch(bytes);
  const rankOf = (p: number): number => fold.rankOf(p);
  const blocks = Blocks.split(bytes, elementBytes, places);
  fold.begin(s, own, other, bytes);
  halve(s, own, other, blocks, place, places, rankOf);
  collect(s, own, blocks, place, places, fold.placeOf(root)!, rankOf);
}
