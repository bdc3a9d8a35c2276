// Scatter.
import { Blocks } from './blocks.js';
import { at, type Place, type Schedule } from './schedule.js';
import { THRESHOLDS } from './thresholds.js';
import { subtreeEnd, treeScatter } from './trees.js';

/**
 * A block of `bytes` from `root`, where they lie one after another at `from`, to each rank. `into` undefined: that of the
 * root stays where it is.
 */
export function scatter(s: Schedule, from: Place, into: Place | undefined, bytes: number, root: number): void {
  if (bytes === 0) return;
  if (bytes >= THRESHOLDS.treeBlockLong) linear(s, from, into, bytes, root);
  else binomial(s, from, into, bytes, root);
  if (s.rank === root && into !== undefined) s.copy(into, at(from, root * bytes), bytes);
}

/** Each block straight to its rank. */
function linear(s: Schedule, from: Place, into: Place | undefined, bytes: number, root: number): void {
  if (s.rank !== root) {
    s.recv(root, into!, bytes);
    return;
  }
  for (let i = 1; i < s.size; i += 1) {
    const rank = (root + i) % s.size;
    s.send(rank, at(from, rank * bytes), bytes);
  }
}

/** Binomial tree (Thakur, Rabenseifner, Gropp 2005). Blocks travel in the order of the positions, the root's first. */
function binomial(s: Schedule, from: Place, into: Place | undefined, bytes: number, root: number): void {
  const { rank, size } = s;
  const position = (rank - root + size) % size;
  const blocks = Blocks.equal(size, bytes);
  const rankOf = (p: number): number => (p + root) % size;
  const own = position * bytes;
  if (position === 0) {
    let ordered = from;
    if (root !== 0) {
      ordered = s.scratch(size * bytes);
      s.copy(ordered, at(from, root * bytes), (size - root) * bytes);
      s.copy(at(ordered, (size - root) * bytes), from, root * bytes);
    }
    treeScatter(s, ordered, blocks, position, rankOf);
    return;
  }
  const count = subtreeEnd(position, size) - position;
  if (count === 1) {
    treeScatter(s, at(into!, -own), blocks, position, rankOf);
    return;
  }
  const passing = s.scratch(count * bytes);
  treeScatter(s, at(passing, -own), blocks, position, rankOf);
  s.copy(into!, passing, bytes);
}
