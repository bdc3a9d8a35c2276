// Algorithms for powers of two, with any number of ranks: of the lowest ranks one of each pair first gives its vector to
// the other, and gets the result in the end (Thakur, Rabenseifner, Gropp 2005, 4.5).
import type { Place, Schedule } from './schedule.js';

/** Who takes part in the middle, and at which place. Places are in the order of the ranks. */
export class Fold {
  /** How many take part: the largest power of two that is not more than the size. */
  readonly places: number;
  readonly #pairs: number;
  readonly #rank: number;

  constructor(rank: number, size: number) {
    this.places = 2 ** Math.floor(Math.log2(size));
    this.#pairs = size - this.places;
    this.#rank = rank;
  }

  rankOf(place: number): number {
    return place >= this.#pairs ? place + this.#pairs : 2 * place + 1;
  }

  /** The place of the own rank; undefined for one that has given its vector to its partner. */
  get place(): number | undefined {
    if (this.#rank >= 2 * this.#pairs) return this.#rank - this.#pairs;
    return this.#rank % 2 === 1 ? (this.#rank - 1) / 2 : undefined;
  }

  /** The vector at `own` is combined with that of the partner, through `other`. */
  begin(s: Schedule, own: Place, other: Place, bytes: number): void {
    if (this.#pairs === 0) return;
    const paired = this.#rank < 2 * this.#pairs;
    const partner = this.#rank ^ 1;
    if (paired && this.place === undefined) s.send(partner, own, bytes);
    else if (paired) s.recv(partner, other, bytes);
    s.next();
    if (!paired || this.place === undefined) return;
    if (partner < this.#rank) s.reduceBefore(own, other, bytes);
    else s.reduce(own, other, bytes);
  }

  /** The result at `own` goes to the partner. */
  end(s: Schedule, own: Place, bytes: number): void {
    if (this.#pairs === 0 || this.#rank >= 2 * this.#pairs) return;
    if (this.place === undefined) s.recv(this.#rank ^ 1, own, bytes);
    else s.send(this.#rank ^ 1, own, bytes);
  }
}
