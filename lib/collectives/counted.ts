// Gather and scatter with blocks of different lengths, of which a rank that is not the root knows only its own: each
// straight to or from the root. Also those of no bytes are sent, for the other rank may expect some.
import type { Blocks } from './blocks.js';
import { at, type Place, type Schedule } from './schedule.js';

/** At the root; `from` undefined: its block is in place. */
export function gathervRoot(s: Schedule, from: Place | undefined, into: Place, blocks: Blocks): void {
  const { rank: root, size } = s;
  for (let i = 1; i < size; i += 1) {
    const rank = (root + i) % size;
    s.recv(rank, at(into, blocks.offset(rank)), blocks.bytes(rank));
  }
  if (from !== undefined) s.copy(at(into, blocks.offset(root)), from, blocks.bytes(root));
}

/** At the root; `into` undefined: its block stays where it is. */
export function scattervRoot(s: Schedule, from: Place, into: Place | undefined, blocks: Blocks): void {
  const { rank: root, size } = s;
  for (let i = 1; i < size; i += 1) {
    const rank = (root + i) % size;
    s.send(rank, at(from, blocks.offset(rank)), blocks.bytes(rank));
  }
  if (into !== undefined) s.copy(into, at(from, blocks.offset(root)), blocks.bytes(root));
}
