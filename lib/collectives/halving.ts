// The two halves of Rabenseifner's algorithm (Rabenseifner 2004, "Optimization of Collective Reduction Operations"; Thakur,
// Rabenseifner, Gropp 2005), among `places` ranks, a power of two: each gets one block of the result, and then what it
// needs of the others'. For operations that commute.
import type { Blocks } from './blocks.js';
import { at, type Place, type Schedule } from './schedule.js';

/** Recursive halving: in the end place p has block p of the result at `own`. `other` is as long as `own`. */
export function halve(
  s: Schedule,
  own: Place,
  other: Place,
  blocks: Blocks,
  place: number,
  places: number,
  rankOf: (place: number) => number,
): void {
  let first = 0;
  for (let half = places / 2; half >= 1; half /= 2) {
    const upper = (place & half) !== 0;
    const kept = upper ? first + half : first;
    const given = upper ? first : first + half;
    const partner = rankOf(place ^ half);
    s.send(partner, at(own, blocks.offset(given)), blocks.bytes(given, given + half));
    s.recv(partner, at(other, blocks.offset(kept)), blocks.bytes(kept, kept + half));
    s.next();
    s.reduce(at(own, blocks.offset(kept)), at(other, blocks.offset(kept)), blocks.bytes(kept, kept + half));
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

/** Binomial gather: in the end the place `root` has all blocks. */
export function collect(
  s: Schedule,
  own: Place,
  blocks: Blocks,
  place: number,
  places: number,
  root: number,
  rankOf: (place: number) => number,
): void {
  const distance = place ^ root;
  for (let have = 1; have < places; have *= 2) {
    // Whoever has given its blocks away is out.
    if (distance % have === 0) {
      const mine = place - (place % have);
      const theirs = mine ^ have;
      const partner = rankOf(place ^ have);
      if ((distance & have) !== 0) s.send(partner, at(own, blocks.offset(mine)), blocks.bytes(mine, mine + have));
      else s.recv(partner, at(own, blocks.offset(theirs)), blocks.bytes(theirs, theirs + have));
    }
    s.next();
  }
}
