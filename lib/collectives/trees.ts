// Binomial trees over blocks, whose root is position 0: position p is responsible for the blocks from p up to before
// p + 2^k, where 2^k is the lowest bit set in p. (Thakur, Rabenseifner, Gropp 2005, "Optimization of Collective
// Communication Operations in MPICH".)
import type { Blocks } from './blocks.js';
import { at, doublings, type Place, type Schedule } from './schedule.js';

/** The positions after the last one whose blocks go through `position`. */
export function subtreeEnd(position: number, size: number): number {
  if (position === 0) return size;
  return Math.min(size, position + (position & -position));
}

/** Each position gets the blocks of its subtree. Block i lies, or comes to lie, at `base` + its offset. */
export function treeScatter(
  s: Schedule,
  base: Place,
  blocks: Blocks,
  position: number,
  rankOf: (p: number) => number,
): void {
  const { size } = s;
  for (let half = 2 ** (doublings(size) - 1); half >= 1; half /= 2) {
    const within = position % (2 * half);
    if (within === 0 && position + half < size) {
      const first = position + half;
      const end = Math.min(size, first + half);
      s.send(rankOf(first), at(base, blocks.offset(first)), blocks.bytes(first, end));
    } else if (within === half) {
      const end = Math.min(size, position + half);
      s.recv(rankOf(position - half), at(base, blocks.offset(position)), blocks.bytes(position, end));
    }
    s.next();
  }
}

/** The reverse: each position collects the blocks of its subtree, and passes them on. */
export function treeGather(
  s: Schedule,
  base: Place,
  blocks: Blocks,
  position: number,
  rankOf: (p: number) => number,
): void {
  const { size } = s;
  for (let half = 1; half < size; half *= 2) {
    const within = position % (2 * half);
    if (within === 0 && position + half < size) {
      const first = position + half;
      const end = Math.min(size, first + half);
      s.recv(rankOf(first), at(base, blocks.offset(first)), blocks.bytes(first, end));
    } else if (within === half) {
      const end = Math.min(size, position + half);
      s.send(rankOf(position - half), at(base, blocks.offset(position)), blocks.bytes(position, end));
    }
    s.next();
  }
}
