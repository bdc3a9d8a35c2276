// How a buffer is divided into consecutive blocks.

/** Blocks 0 to n - 1, one after another. In bytes. */
export class Blocks {
  // Where each begins; the last entry is where all end.
  readonly #starts: readonly number[];

  private constructor(lengths: Iterable<number>) {
    const starts = [0];
    for (const length of lengths) starts.push(starts.at(-1)! + length);
    this.#starts = starts;
  }

  /** `count` blocks of `bytes` each. */
  static equal(count: number, bytes: number): Blocks {
    return new Blocks(Array.from({ length: count }, () => bytes));
  }

  /** Blocks of these lengths, in bytes. */
  static of(lengths: Iterable<number>): Blocks {
    return new Blocks(lengths);
  }

  /** `total` bytes in `count` blocks that differ by one unit at most. `total` is a multiple of `unit`. */
  static split(total: number, unit: number, count: number): Blocks {
    const units = total / unit;
    const each = Math.floor(units / count);
    const longer = units % count;
    return new Blocks(Array.from({ length: count }, (_, i) => (each + (i < longer ? 1 : 0)) * unit));
  }

  get count(): number {
    return this.#starts.length - 1;
  }

  offset(block: number): number {
    return this.#starts[block]!;
  }

  /** Of the blocks from `first` to before `end`. */
  bytes(first: number, end = first + 1): number {
    return this.#starts[end]! - this.#starts[first]!;
  }
}
