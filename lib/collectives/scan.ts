// Prefix reductions, by recursive doubling (Thakur, Rabenseifner, Gropp 2005; the idea is that of Hillis, Steele 1986,
// "Data Parallel Algorithms"). In each round partners exchange what all of their group amounts to; the upper group's
// ranks put that of the lower before their result. Any number of ranks will do: the groups below a rank are all full.
import type { Place, Schedule } from './schedule.js';

/** The vectors of the ranks up to and including the own one. `into` may be `from`. */
export function scan(s: Schedule, from: Place, into: Place, bytes: number): void {
  if (bytes === 0) return;
  if (into.buffer !== from.buffer) s.copy(into, from, bytes);
  prefixes(s, from, bytes, (lower) => s.reduceBefore(into, lower, bytes));
}

/** Of the ranks below the own one. `into` of rank 0 is left alone. */
export function exscan(s: Schedule, from: Place, into: Place, bytes: number): void {
  if (bytes === 0) return;
  let first = true;
  prefixes(s, from, bytes, (lower) => {
    if (first) s.copy(into, lower, bytes);
    else s.reduceBefore(into, lower, bytes);
    first = false;
  });
}

function prefixes(s: Schedule, from: Place, bytes: number, below: (lower: Place) => void): void {
  const { rank, size } = s;
  if (size === 1) return;
  const group = s.scratch(bytes);
  const other = s.scratch(bytes);
  s.copy(group, from, bytes);
  for (let half = 1; half < size; half *= 2) {
    const partner = rank ^ half;
    if (partner < size) {
      s.send(partner, group, bytes);
      s.recv(partner, other, bytes);
    }
    s.next();
    if (partner >= size) continue;
    if (partner < rank) {
      below(other);
      s.reduceBefore(group, other, bytes);
    } else {
      s.reduce(group, other, bytes);
    }
  }
}
