import { CounterState, checkCount, checkDone } from './counted.js';
import {
  type Found,
  handleOf,
  Kind,
  locate,
  Passed,
  type Place,
  type PrimitiveOptions,
  plainOptions,
} from './primitive.js';

/**
 * A 64-bit counter, signed, which wraps: one word, changed by locked instructions.
 *
 * The kernel's `atomic64_t` (Documentation/atomic_t.txt), between processes. Different from there every operation is fully
 * ordered, also those that return nothing. With many writers the word's cache line goes from processor to
 * processor for every operation: see {@link PerCpuCounter}.
 */
export class AtomicCounter {
  readonly #found: Found<CounterState>;

  /** @throws ERR_UINTR_INVALID_ARGUMENT; ERR_UINTR_NO_MEMORY: the region is full; ERR_UINTR_CLOSED */
  constructor(where: Place, options?: PrimitiveOptions) {
    const kind = Kind.AtomicCounter;
    const make = (native: never): CounterState => new CounterState(native);
    this.#found = locate('AtomicCounter', where, plainOptions(options).name, kind, [kind], make);
  }

  /** The counter of this `handle`, which another thread or process has. @throws as {@link SharedRegion.open} */
  static open(handle: string): AtomicCounter {
    return new AtomicCounter(new Passed(handle) as never);
  }

  /** What `open` needs in another thread or process of this user; good for as long as the region is open here. */
  get handle(): string {
    return handleOf(this.#found);
  }

  /** atomic64_add(). @throws ERR_UINTR_INVALID_ARGUMENT: `n` is no safe integer or bigint; ERR_UINTR_CLOSED */
  add(n: number | bigint): void {
    checkDone(this.#found.object.native.add(checkCount(n)));
  }

  /** atomic64_sub(). @throws as {@link add} */
  sub(n: number | bigint): void {
    checkDone(this.#found.object.native.add(-checkCount(n)));
  }

  /** atomic64_inc(). @throws ERR_UINTR_CLOSED */
  increment(): void {
    checkDone(this.#found.object.native.increment());
  }

  /** atomic64_dec(). @throws ERR_UINTR_CLOSED */
  decrement(): void {
    checkDone(this.#found.object.native.decrement());
  }

  /** atomic64_fetch_add(): adds, and returns what was there before. @throws as {@link add} */
  fetchAdd(n: number | bigint): bigint {
    return checkDone(this.#found.object.native.fetchAdd(checkCount(n)));
  }

  /** atomic64_xchg(): sets it, and returns what was there before. @throws as {@link add} */
  exchange(value: number | bigint): bigint {
    return checkDone(this.#found.object.native.exchange(checkCount(value, 'value')));
  }

  /** atomic64_read(). @throws ERR_UINTR_CLOSED */
  load(): bigint {
    return checkDone(this.#found.object.native.load());
  }
}
