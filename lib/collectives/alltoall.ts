// All-to-all.
import type { Blocks } from './blocks.js';
import { at, type Place, type Schedule } from './schedule.js';
import { THRESHOLDS } from './thresholds.js';

/** Block i of `bytes` at `from` goes to rank i; that from rank i comes to block i at `into`. */
export function alltoall(s: Schedule, from: Place, into: Place, bytes: number): void {
  if (bytes === 0) return;
  if (bytes < THRESHOLDS.alltoallMedium && s.size >= THRESHOLDS.alltoallBruckRanks) bruck(s, from, into, bytes);
  else direct(s, from, into, bytes);
}

/** Each block straight to its rank: to all at once, or, long ones, in pairs that exchange, one after another. */
function direct(s: Schedule, from: Place, into: Place, bytes: number): void {
  const { rank, size } = s;
  const powerOfTwo = (size & (size - 1)) === 0;
  for (let i = 1; i < size; i += 1) {
    if (i > 1 && bytes >= THRESHOLDS.alltoallLong) s.next();
    // Both partners are the same where the number of ranks allows it.
    const to = powerOfTwo ? rank ^ i : (rank + i) % size;
    const source = powerOfTwo ? rank ^ i : (rank - i + size) % size;
    s.send(to, at(from, to * bytes), bytes);
    s.recv(source, at(into, source * bytes), bytes);
  }
  s.copy(at(into, rank * bytes), at(from, rank * bytes), bytes);
}

/** With blocks of different lengths, of which each rank knows its own: each to each at once. */
export function alltoallv(s: Schedule, from: Place, sent: Blocks, into: Place, received: Blocks): void {
  const { rank, size } = s;
  for (let i = 1; i < size; i += 1) {
    const to = (rank + i) % size;
    const source = (rank - i + size) % size;
    // Also of no bytes, for the other rank may expect some.
    s.send(to, at(from, sent.offset(to)), sent.bytes(to));
    s.recv(source, at(into, received.offset(source)), received.bytes(source));
  }
  s.copy(at(into, received.offset(rank)), at(from, sent.offset(rank)), sent.bytes(rank));
}

/**
 * Bruck's algorithm (Bruck, Ho, Kipnis, Upfal, Weathersby 1997): a block for the rank `i` further on travels there by the
 * bits of i, in messages that many blocks share.
 */
function bruck(s: Schedule, from: Place, into: Place, bytes: number): void {
  const { rank, size } = s;
  const turned = s.scratch(size * bytes);
  const packed = s.scratch(size * bytes);
  const unpacked = s.scratch(size * bytes);
  s.copy(turned, at(from, rank * bytes), (size - rank) * bytes);
  s.copy(at(turned, (size - rank) * bytes), from, rank * bytes);
  for (let step = 1; step < size; step *= 2) {
    const moved = Array.from({ length: size }, (_, i) => i).filter((i) => (i & step) !== 0);
    for (const [k, i] of moved.entries()) s.copy(at(packed, k * bytes), at(turned, i * bytes), bytes);
    s.send((rank + step) % size, packed, moved.length * bytes);
    s.recv((rank - step + size) % size, unpacked, moved.length * bytes);
    s.next();
    for (const [k, i] of moved.entries()) s.copy(at(turned, i * bytes), at(unpacked, k * bytes), bytes);
  }
  for (let i = 0; i < size; i += 1) {
    s.copy(at(into, ((rank - i + size) % size) * bytes), at(turned, i * bytes), bytes);
  }
}
