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
 * A 64-bit counter, signed, which wraps, with a slot per processor: writers on different processors do not meet.
 *
 * The kernel's per-CPU variables (Documentation/core-api/this_cpu_ops.rst, as used by lib/percpu_counter.c). An addition is
 * one instruction without a lock prefix, on the slot of the processor that the thread runs on. The kernel may do that because
 * it can disable preemption. A user thread cannot; what it has instead are restartable sequences (rseq(2)): where the kernel
 * takes the processor from the thread in the middle of one, it has it start again. They need glibc 2.35; without them an
 * addition is a locked instruction, on a line that is rarely shared ({@link restartable}).
 *
 * Handlers of interrupts do not count in these: a user interrupt does not end a restartable sequence (docs/interrupts.md).
 */
export class PerCpuCounter {
  readonly #found: Found<CounterState>;

  /** @throws ERR_UINTR_INVALID_ARGUMENT; ERR_UINTR_NO_MEMORY: the region is full; ERR_UINTR_CLOSED */
  constructor(where: Place, options?: PrimitiveOptions) {
    const kind = Kind.PerCpuCounter;
    const make = (native: never): CounterState => new CounterState(native);
    this.#found = locate('PerCpuCounter', where, plainOptions(options).name, kind, [kind], make);
  }

  /** The counter of this `handle`, which another thread or process has. @throws as {@link SharedRegion.open} */
  static open(handle: string): PerCpuCounter {
    return new PerCpuCounter(new Passed(handle) as never);
  }

  /** What `open` needs in another thread or process of this user; good for as long as the region is open here. */
  get handle(): string {
    return handleOf(this.#found);
  }

  /** Whether this process adds by restartable sequences. Others may do otherwise; sums are right all the same. */
  get restartable(): boolean {
    return this.#found.object.native.restartable;
  }

  /** this_cpu_add(). @throws ERR_UINTR_INVALID_ARGUMENT: `n` is no safe integer or bigint; ERR_UINTR_CLOSED */
  add(n: number | bigint): void {
    checkDone(this.#found.object.native.add(checkCount(n)));
  }

  /** this_cpu_sub(). @throws as {@link add} */
  sub(n: number | bigint): void {
    checkDone(this.#found.object.native.add(-checkCount(n)));
  }

  /** this_cpu_inc(). @throws ERR_UINTR_CLOSED */
  increment(): void {
    checkDone(this.#found.object.native.increment());
  }

  /** this_cpu_dec(). @throws ERR_UINTR_CLOSED */
  decrement(): void {
    checkDone(this.#found.object.native.decrement());
  }

  /**
   * The sum over all processors (compare percpu_counter_sum()). Exact once nobody adds any more; while somebody does, slots
   * are read one after another, and the sum may be one that the counter never had.
   * @throws ERR_UINTR_CLOSED
   */
  sum(): bigint {
    return checkDone(this.#found.object.native.sum());
  }
}
