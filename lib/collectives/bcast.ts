// Broadcast.
import { Blocks } from './blocks.js';
import { ringAllgather } from './ring.js';
import type { Place, Schedule } from './schedule.js';
import { THRESHOLDS } from './thresholds.js';
import { treeScatter } from './trees.js';

/** `bytes` at `buffer`, from `root` to all. */
export function bcast(s: Schedule, buffer: Place, bytes: number, root: number): void {
  if (bytes === 0) return;
  if (bytes >= THRESHOLDS.bcastLong && s.size >= THRESHOLDS.bcastLongRanks) scatterAllgather(s, buffer, bytes, root);
  else binomial(s, buffer, bytes, root);
}

/** Binomial tree: in each round everybody who has it sends it to one more (Thakur, Rabenseifner, Gropp 2005). */
function binomial(s: Schedule, buffer: Place, bytes: number, root: number): void {
  const { rank, size } = s;
  const position = (rank - root + size) % size;
  for (let have = 1; have < size; have *= 2) {
    if (position < have) {
      if (position + have < size) s.send((position + have + root) % size, buffer, bytes);
    } else if (position < 2 * have) {
      s.recv((position - have + root) % size, buffer, bytes);
    }
    s.next();
  }
}

// Pieces begin where a line of the cache does, if the buffer does.
const LINE = 64;

/**
 * Scatter by a binomial tree, then ring allgather (Barnett, Gupta, Payne, Shuler, van de Geijn, Watts 1994,
 * "Interprocessor Collective Communication Library"): each rank sends about twice the buffer, not log2(size) times.
 */
function scatterAllgather(s: Schedule, buffer: Place, bytes: number, root: number): void {
  const { rank, size } = s;
  const piece = Math.ceil(bytes / size / LINE) * LINE;
  const blocks = Blocks.of(Array.from({ length: size }, (_, i) => Math.max(0, Math.min(piece, bytes - i * piece))));
  const position = (rank - root + size) % size;
  const rankOf = (p: number): number => (p + root) % size;
  treeScatter(s, buffer, blocks, position, rankOf);
  ringAllgather(s, buffer, blocks, position, rankOf);
}
