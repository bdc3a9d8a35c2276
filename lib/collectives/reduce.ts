// Reduction to one rank.
import { Blocks } from './blocks.js';
import { at, doublings, type Place, type Schedule } from './schedule.js';
import { THRESHOLDS } from './thresholds.js';
import type { Vector } from './vector.js';

/** The vectors at `from` to the one at `into` of `root`, which may be the same place; other ranks have no `into`. */
export function reduce(s: Schedule, from: Place, into: Place | undefined, vector: Vector, root: number): void {
  if (vector.bytes === 0) return;
  if (vector.commutes) tree(s, from, into, vector, (s.rank - root + s.size) % s.size, root);
  else inOrder(s, from, into, vector, root);
}

/**
 * Binomial tree whose root is position 0 (Thakur, Rabenseifner, Gropp 2005). A position combines what it has, from itself
 * on, with what comes from those behind it. `base` is the rank at position 0, which alone has an `into`.
 *
 * Long vectors go through it in segments (Pješivac-Grbović, Angskun, Bosilca, Fagg, Gabriel, Dongarra 2007, "Performance
 * Analysis of MPI Collective Operations"): while one is under way, the one before is combined, and all levels of the tree
 * are busy. Segment k comes from the child of level i, 2^i positions behind, in round k + 2 i, and is combined in the round
 * after that. So scratch is a few segments, whatever the length.
 */
function tree(
  s: Schedule,
  from: Place,
  into: Place | undefined,
  { bytes, elementBytes }: Vector,
  position: number,
  base: number,
): void {
  const { size } = s;
  const height = doublings(size);
  const level = position === 0 ? height : 31 - Math.clz32(position & -position);
  const children = Array.from({ length: level }, (_, i) => position + 2 ** i).filter((child) => child < size);
  if (size === 1 && into !== undefined && into.buffer !== from.buffer) s.copy(into, from, bytes);
  const segments = Blocks.split(bytes, elementBytes, Math.ceil(bytes / THRESHOLDS.reduceSegment));
  const { count } = segments;
  const longest = segments.bytes(0);
  const turns = (slots: number): ((k: number) => Place) => {
    const ring = s.scratch(slots * longest);
    return (k) => at(ring, (k % slots) * longest);
  };

  // What this position has of a segment: from its first child's, which comes there if nothing else is there yet, until it
  // is sent on.
  const own = (k: number): Place => at(from, segments.offset(k));
  let partial = own;
  if (into !== undefined) partial = (k) => at(into, segments.offset(k));
  else if (children.length > 0) partial = turns(2 * level + 1);
  const inPlace = into !== undefined && into.buffer === from.buffer;
  const landings = children.map((_, i) => (i === 0 && !inPlace ? partial : turns(2)));

  const parent = (position - 2 ** level + base) % size;
  const has = (k: number): boolean => k >= 0 && k < count;
  for (let round = 0; round < count + 2 * height - 1; round += 1) {
    for (const [i, child] of children.entries()) {
      const k = round - 2 * i;
      if (has(k)) s.recv((child + base) % size, landings[i]!(k), segments.bytes(k));
    }
    const k = round - 2 * level;
    if (position !== 0 && has(k)) s.send(parent, partial(k), segments.bytes(k));
    for (const i of children.keys()) {
      const k = round - 2 * i - 1;
      if (!has(k)) continue;
      if (landings[i] === partial) s.reduceBefore(partial(k), own(k), segments.bytes(k));
      else s.reduce(partial(k), landings[i]!(k), segments.bytes(k));
    }
    s.next();
  }
}

/** Operations that do not commute: in the order of the ranks, so to rank 0, which sends the result on. */
function inOrder(s: Schedule, from: Place, into: Place | undefined, vector: Vector, root: number): void {
  const { rank } = s;
  const { bytes } = vector;
  const result = root === 0 ? into : rank === 0 ? s.scratch(bytes) : undefined;
  tree(s, from, result, vector, rank, 0);
  if (root === 0) return;
  if (rank === 0) s.send(root, result!, bytes);
  else if (rank === root) s.recv(0, into!, bytes);
}
