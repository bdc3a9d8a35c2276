// Reduction to all ranks.
import { Blocks } from './blocks.js';
import { Fold } from './fold.js';
import { double, halve } from './halving.js';
import { ringAllgather } from './ring.js';
import { at, doublings, type Place, type Schedule } from './schedule.js';
import { THRESHOLDS } from './thresholds.js';
import type { Vector } from './vector.js';

/** The vectors at `from` of all ranks, to `own` of all, which may be the same place. */
export function allreduce(s: Schedule, from: Place, own: Place, vector: Vector): void {
  const { bytes, elementBytes, commutes } = vector;
  if (bytes === 0) return;
  const long = commutes && bytes >= THRESHOLDS.allreduceLong && bytes / elementBytes >= s.size;
  const powerOfTwo = (s.size & (s.size - 1)) === 0;
  if (long && powerOfTwo && s.size > 1) {
    rabenseifner(s, from, own, vector);
    return;
  }
  if (own.buffer !== from.buffer) s.copy(own, from, bytes);
  if (s.size === 1) return;
  if (!long) recursiveDoubling(s, own, bytes);
  else if (bytes >= THRESHOLDS.allreduceRing) ring(s, own, vector);
  else rabenseifner(s, own, own, vector);
}

/** Recursive doubling: partners exchange what they have (Thakur, Rabenseifner, Gropp 2005). Keeps the order of the ranks. */
function recursiveDoubling(s: Schedule, own: Place, bytes: number): void {
  const fold = new Fold(s.rank, s.size);
  const { place, places } = fold;
  const other = s.scratch(bytes);
  fold.begin(s, own, other, bytes);
  for (let have = 1; have < places; have *= 2) {
    if (place === undefined) {
      s.next();
      continue;
    }
    const partner = fold.rankOf(place ^ have);
    s.send(partner, own, bytes);
    s.recv(partner, other, bytes);
    s.next();
    if (partner < s.rank) s.reduceBefore(own, other, bytes);
    else s.reduce(own, other, bytes);
  }
  fold.end(s, own, bytes);
}

/**
 * Rabenseifner's: reduce-scatter by recursive halving, then allgather by recursive doubling. `from` is `own` where the
 * number of ranks is not a power of two.
 */
function rabenseifner(s: Schedule, from: Place, own: Place, { bytes, elementBytes }: Vector): void {
  const fold = new Fold(s.rank, s.size);
  const { place, places } = fold;
  if (places !== s.size) fold.begin(s, own, s.scratch(bytes), bytes);
  if (place === undefined) {
    for (let i = 0; i < 2 * doublings(places); i += 1) s.next();
  } else {
    const blocks = Blocks.split(bytes, elementBytes, places);
    const rankOf = (p: number): number => fold.rankOf(p);
    halve(s, from, own, blocks, place, places, rankOf);
    double(s, own, blocks, place, places, rankOf);
  }
  fold.end(s, own, bytes);
}

/**
 * Ring reduce-scatter, then ring allgather (Patarasuk, Yuan 2009, "Bandwidth Optimal All-reduce Algorithms for Clusters of
 * Workstations").
 */
function ring(s: Schedule, own: Place, { bytes, elementBytes }: Vector): void {
  const { rank, size } = s;
  const blocks = Blocks.split(bytes, elementBytes, size);
  const other = s.scratch(blocks.bytes(0));
  for (let i = 0; i < size - 1; i += 1) {
    const given = (rank - i + size) % size;
    const kept = (rank - i - 1 + size) % size;
    s.send((rank + 1) % size, at(own, blocks.offset(given)), blocks.bytes(given));
    s.recv((rank - 1 + size) % size, other, blocks.bytes(kept));
    s.next();
    s.reduce(at(own, blocks.offset(kept)), other, blocks.bytes(kept));
  }
  // The block that is complete here is that of the next rank.
  ringAllgather(s, own, blocks, (rank + 1) % size, (position) => (position - 1 + size) % size);
}
