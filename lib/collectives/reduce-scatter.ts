// Reduction whose result is divided among the ranks, in blocks of equal length (MPI_Reduce_scatter_block).
import { Blocks } from './blocks.js';
import { halve } from './halving.js';
import { at, type Place, type Schedule } from './schedule.js';
import { THRESHOLDS } from './thresholds.js';
import type { Vector } from './vector.js';

/** Block i of the vectors at `from` to `into` of rank i. `into` may be where `from` begins. */
export function reduceScatter(s: Schedule, from: Place, into: Place, vector: Vector): void {
  const { bytes, commutes } = vector;
  if (bytes === 0) return;
  const powerOfTwo = (s.size & (s.size - 1)) === 0;
  if (!commutes) inOrder(s, from, into, bytes / s.size);
  else if (powerOfTwo && s.size > 1 && bytes < THRESHOLDS.reduceScatterLong) recursiveHalving(s, from, into, bytes);
  else pairwise(s, from, into, bytes / s.size);
}

/** Recursive halving, for powers of two (Thakur, Rabenseifner, Gropp 2005). */
function recursiveHalving(s: Schedule, from: Place, into: Place, bytes: number): void {
  const { rank, size } = s;
  const blocks = Blocks.equal(size, bytes / size);
  const own = s.scratch(bytes);
  halve(s, from, own, blocks, rank, size, (place) => place);
  s.copy(into, at(own, blocks.offset(rank)), blocks.bytes(rank));
}

/** Pairwise exchange: each block straight to where it is combined (Thakur, Rabenseifner, Gropp 2005). */
function pairwise(s: Schedule, from: Place, into: Place, block: number): void {
  const { rank, size } = s;
  const isApart = into.buffer !== from.buffer;
  const mine = at(from, rank * block);
  const own = isApart ? into : s.scratch(block);
  const other = size > 2 ? s.scratch(block) : own;
  for (let i = 1; i < size; i += 1) {
    const to = (rank + i) % size;
    // The first that comes can come to where the result is to be.
    const isFirst = i === 1;
    s.send(to, at(from, to * block), block);
    s.recv((rank - i + size) % size, isFirst ? own : other, block);
    s.next();
    s.reduce(own, isFirst ? mine : other, block);
  }
  if (size === 1) s.copy(into, from, block);
  else if (!isApart) s.copy(into, own, block);
}

/** Operations that do not commute: all blocks first, which are then combined in the order of the ranks. */
function inOrder(s: Schedule, from: Place, into: Place, block: number): void {
  const { rank, size } = s;
  const all = s.scratch(size * block);
  s.copy(at(all, rank * block), at(from, rank * block), block);
  for (let i = 1; i < size; i += 1) {
    const to = (rank + i) % size;
    const source = (rank - i + size) % size;
    s.send(to, at(from, to * block), block);
    s.recv(source, at(all, source * block), block);
  }
  s.next();
  for (let i = 1; i < size; i += 1) s.reduce(all, at(all, i * block), block);
  s.copy(into, all, block);
}
