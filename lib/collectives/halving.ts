// The two halves of Rabenseifner's algorithm (Rabenseifner 2004, "Optimization of Collective Reduction Operations"; Thakur,
// Rabenseifner, Gropp 2005), among `places` ranks, a power of two: each gets one block of the result, and then what it
// needs of the others'. For operations that commute.
import type { Blocks } from './blocks.js';
import { at, type Place, type Schedule } from './schedule.js';

/**
 * Recursive halving of the vector at `from`, which stays as it is unless it is at `own`: in the end place p has block p of
 * the result at `own`.
 */
export function halve(
  s: Schedule,
  from: Place,
  own: Place,
  blocks: Blocks,
  place: number,
  places: number,
  rankOf: (place: number) => number,
): void {
  let first = 0;
  // Its part of the vector, and where another's comes.
  let mine = from;
  let other: Place | undefined;
  for (let half = places / 2; half >= 1; half /= 2) {
    const upper = (place & half) !== 0;
    const kept = upper ? first + half : first;
    const given = upper ? first : first + half;
    const partner = rankOf(place ^ half);
    const bytes = blocks.bytes(kept, kept + half);
    const result = at(own, blocks.offset(kept));
    // As long as nothing is there, what comes can come there.
    const isFree = mine.buffer !== own.buffer;
    if (!isFree) other ??= s.scratch(bytes);
    s.send(partner, at(mine, blocks.offset(given)), blocks.bytes(given, given + half));
    s.recv(partner, isFree ? result : other!, bytes);
    s.next();
    s.reduce(result, isFree ? at(mine, blocks.offset(kept)) : other!, bytes);
    mine = own;
    first = kept;
  }
}

/** Recursive doubling: in the end all have all blocks. */
export function double(
  s: Schedule,
  own: Place,
  blocks: Blocks,
  place: number,
  places: number,
  rankOf: (place: number) => number,
): void {
  for (let have = 1; have < places; have *= 2) {
    const mine = place - (place % have);
    const theirs = mine ^ have;
    const partner = rankOf(place ^ have);
    s.send(partner, at(own, blocks.offset(mine)), blocks.bytes(mine, mine + have));
    s.recv(partner, at(own, blocks.offset(theirs)), blocks.bytes(theirs, theirs + have));
    s.next();
  }
}
