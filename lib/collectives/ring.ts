// Ring allgather: in size - 1 rounds each block goes once around (Thakur, Rabenseifner, Gropp 2005). Each rank sends and
// receives every byte once, whatever the number of ranks.
import type { Blocks } from './blocks.js';
import { at, type Place, type Schedule } from './schedule.js';

/**
 * Position p of the ring has block p at first, and all blocks in the end. `own`: where block p lies, if it is not in its
 * place at `base` yet.
 */
export function ringAllgather(
  s: Schedule,
  base: Place,
  blocks: Blocks,
  position: number,
  rankOf: (position: number) => number,
  own?: Place,
): void {
  const { size } = s;
  const ownPlace = at(base, blocks.offset(position));
  const right = rankOf((position + 1) % size);
  const left = rankOf((position - 1 + size) % size);
  for (let i = 0; i < size - 1; i += 1) {
    const sent = (position - i + size) % size;
    const received = (position - i - 1 + size) % size;
    s.send(right, i === 0 ? (own ?? ownPlace) : at(base, blocks.offset(sent)), blocks.bytes(sent));
    s.recv(left, at(base, blocks.offset(received)), blocks.bytes(received));
    if (i === 0 && own !== undefined) s.copy(ownPlace, own, blocks.bytes(position));
    s.next();
  }
  if (size === 1 && own !== undefined) s.copy(ownPlace, own, blocks.bytes(position));
}
