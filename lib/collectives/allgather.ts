// Allgather.
import { Blocks } from './blocks.js';
import { ringAllgather } from './ring.js';
import { at, type Place, type Schedule } from './schedule.js';
import { THRESHOLDS } from './thresholds.js';

/** A block of `bytes` from each rank to all. `from` undefined: the own one is at its place in `into` already. */
export function allgather(s: Schedule, from: Place | undefined, into: Place, bytes: number): void {
  if (bytes === 0) return;
  const { rank, size } = s;
  const powerOfTwo = (size & (size - 1)) === 0;
  const long = size * bytes >= (powerOfTwo ? THRESHOLDS.allgatherDoublingLong : THRESHOLDS.allgatherBruckLong);
  if (!long && !powerOfTwo) {
    bruck(s, from ?? at(into, rank * bytes), into, bytes);
    return;
  }
  if (long) ringAllgather(s, into, Blocks.equal(size, bytes), rank, (position) => position, from);
  else recursiveDoubling(s, from, into, bytes);
}

/** As {@link allgather} with blocks of different lengths, which all ranks know: a ring. */
export function allgatherv(s: Schedule, from: Place | undefined, into: Place, blocks: Blocks): void {
  ringAllgather(s, into, blocks, s.rank, (position) => position, from);
}

/** Recursive doubling, for powers of two: partners exchange all they have (Thakur, Rabenseifner, Gropp 2005). */
function recursiveDoubling(s: Schedule, from: Place | undefined, into: Place, bytes: number): void {
  const { rank, size } = s;
  const own = at(into, rank * bytes);
  for (let have = 1; have < size; have *= 2) {
    const partner = rank ^ have;
    const mine = rank - (rank % have);
    const theirs = partner - (partner % have);
    s.send(partner, have === 1 ? (from ?? own) : at(into, mine * bytes), have * bytes);
    s.recv(partner, at(into, theirs * bytes), have * bytes);
    if (have === 1 && from !== undefined) s.copy(own, from, bytes);
    s.next();
  }
  if (size === 1 && from !== undefined) s.copy(own, from, bytes);
}

/**
 * Bruck's algorithm, for any number of ranks (Bruck, Ho, Kipnis, Upfal, Weathersby 1997, "Efficient Algorithms for
 * All-to-All Communications in Multiport Message-Passing Systems"): the blocks lie in order from the own one on, and are
 * turned in the end.
 */
function bruck(s: Schedule, from: Place, into: Place, bytes: number): void {
  const { rank, size } = s;
  const turned = s.scratch(size * bytes);
  s.copy(turned, from, bytes);
  for (let have = 1; have < size; have *= 2) {
    const count = Math.min(have, size - have);
    s.send((rank - have + size) % size, turned, count * bytes);
    s.recv((rank + have) % size, at(turned, have * bytes), count * bytes);
    s.next();
  }
  s.copy(at(into, rank * bytes), turned, (size - rank) * bytes);
  s.copy(into, at(turned, (size - rank) * bytes), rank * bytes);
}
