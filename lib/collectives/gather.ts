// Gather.
import { Blocks } from './blocks.js';
import { at, type Place, type Schedule } from './schedule.js';
import { THRESHOLDS } from './thresholds.js';
import { subtreeEnd, treeGather } from './trees.js';

/**
 * A block of `bytes` from each rank to `root`, where they lie one after another at `into`. `from` undefined: the block
 * of the root is there already.
 */
export function gather(s: Schedule, from: Place | undefined, into: Place, bytes: number, root: number): void {
  if (bytes === 0) return;
  if (bytes >= THRESHOLDS.treeBlockLong) linear(s, from, into, bytes, root);
  else binomial(s, from, into, bytes, root);
  if (s.rank === root && from !== undefined) s.copy(at(into, root * bytes), from, bytes);
}

/** Each block straight to the root. */
function linear(s: Schedule, from: Place | undefined, into: Place, bytes: number, root: number): void {
  if (s.rank !== root) {
    s.send(root, from!, bytes);
    return;
  }
  for (let i = 1; i < s.size; i += 1) {
    const rank = (root + i) % s.size;
    s.recv(rank, at(into, rank * bytes), bytes);
  }
}

/** Binomial tree (Thakur, Rabenseifner, Gropp 2005). Blocks travel in the order of the positions, the root's first. */
function binomial(s: Schedule, from: Place | undefined, into: Place, bytes: number, root: number): void {
  const { rank, size } = s;
  const position = (rank - root + size) % size;
  const blocks = Blocks.equal(size, bytes);
  const rankOf = (p: number): number => (p + root) % size;
  const own = position * bytes;
  if (position === 0) {
    const ordered = root === 0 ? into : s.scratch(size * bytes);
    treeGather(s, ordered, blocks, position, rankOf);
    if (root === 0) return;
    // The own block, position 0, has its place already.
    s.copy(at(into, (root + 1) * bytes), at(ordered, bytes), (size - root - 1) * bytes);
    s.copy(into, at(ordered, (size - root) * bytes), root * bytes);
    return;
  }
  const count = subtreeEnd(position, size) - position;
  if (count === 1) {
    treeGather(s, at(from!, -own), blocks, position, rankOf);
    return;
  }
  const collected = s.scratch(count * bytes);
  s.copy(collected, from!, bytes);
  treeGather(s, at(collected, -own), blocks, position, rankOf);
}
