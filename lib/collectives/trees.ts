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
  for (let half = 2 ** (doublings(s.size) - 1); half >= 1; half /= 2) {
    step(s, base, blocks, position, rankOf, half, 'send', 'recv');
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
  for (let half = 1; half < s.size; half *= 2) step(s, base, blocks, position, rankOf, half, 'recv', 'send');
}

/** One level of the tree: positions `half` apart, of which the lower one does `lower` with the other's subtree. */
function step(
  s: Schedule,
  base: Place,
  blocks: Blocks,
  position: number,
  rankOf: (p: number) => number,
  half: number,
  lower: 'send' | 'recv',
  upper: 'send' | 'recv',
): void {
  const within = position % (2 * half);
  const first = within === 0 ? position + half : position;
  const end = Math.min(s.size, first + half);
  if (within === 0 && first < s.size) {
    s[lower](rankOf(first), at(base, blocks.offset(first)), blocks.bytes(first, end));
  } else if (within === half) {
    s[upper](rankOf(position - half), at(base, blocks.offset(first)), blocks.bytes(first, end));
  }
  s.next();
}
