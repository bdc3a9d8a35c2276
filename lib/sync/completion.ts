import { checkOptions, checkSignal, checkTimeout, keySet } from '../arguments.js';
import type { NativeCompletion } from '../binding.js';
import { timeoutError } from '../errors.js';
import { AsyncQueue } from './async-queue.js';
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
import { type Closable, type Make, regionClosed, type SharedRegion } from './region.js';

/** Options of {@link Completion.waitAsync}. */
export interface WaitAsyncOptions {
  /** How long to wait, in milliseconds. Default: for ever. */
  timeoutMs?: number;
  /** Ends the wait. */
  signal?: AbortSignal;
}

const KEYS = keySet('timeoutMs', 'signal');

/** As long as process.exit() and a worker's end may be held up by a call that blocks. */
const SLICE_MS = 50;

/** What a wait of the addon's has come to (src-native/addon/sync_completion.cc). */
const TOOK_ONE = 0;

/** The kernel's UINT_MAX: all waits end. */
const ALL = 2 ** 32 - 1;

class CompletionState implements Closable {
  readonly native: NativeCompletion;
  readonly queue: AsyncQueue;
  /** Not to be collected, and so closed, while a wait is left of what it was opened for. */
  readonly region: SharedRegion;

  constructor(native: NativeCompletion, region: SharedRegion) {
    this.native = native;
    this.region = region;
    this.queue = new AsyncQueue({
      start: (done) => native.waitAsync(done),
      // Somebody else waits for it, or will; but after completeAll() nothing was taken.
      undo: (outcome) => void (outcome === TOOK_ONE && native.complete()),
    });
  }

  regionClosed(): void {
    this.queue.close();
  }
}

/**
 * A completion: some wait until others say that something is done.
 *
 * The kernel's `struct completion` (Documentation/scheduler/completion.rst): a count, not a flag. Each `complete()` ends one
 * wait, whether that has begun already or not; after `completeAll()` every wait ends at once, until `reinit()`.
 * Different from there: waits are not served in the order in which they began, and a waiter that is killed in the moment in
 * which it was woken costs the others up to 50 ms.
 */
export class Completion {
  readonly #found: Found<CompletionState>;

  /** @throws ERR_UINTR_INVALID_ARGUMENT; ERR_UINTR_NO_MEMORY: the region is full; ERR_UINTR_CLOSED */
  constructor(where: Place, options?: PrimitiveOptions) {
    const kind = Kind.Completion;
    const make: Make<CompletionState> = (native, region) => new CompletionState(native, region);
    this.#found = locate('Completion', where, plainOptions(options).name, kind, [kind], make);
  }

  /** The completion of this `handle`, which another thread or process has. @throws as {@link SharedRegion.open} */
  static open(handle: string): Completion {
    return new Completion(new Passed(handle) as never);
  }

  /** What `open` needs in another thread or process of this user; good for as long as the region is open here. */
  get handle(): string {
    return handleOf(this.#found);
  }

  /** complete(): ends one wait, now or later. @throws ERR_UINTR_CLOSED */
  complete(): void {
    answered(this.#native.complete());
  }

  /** complete_all(): ends every wait, now and until {@link reinit}. @throws ERR_UINTR_CLOSED */
  completeAll(): void {
    answered(this.#native.completeAll());
  }

  /** reinit_completion(): forgets what is done and was not waited for. @throws ERR_UINTR_CLOSED */
  reinit(): void {
    answered(this.#native.reinit());
  }

  /** How many waits would end at once (completion_done(), which only tells whether any would); Infinity: all. */
  get done(): number {
    const done = answered(this.#native.done());
    return done === ALL ? Number.POSITIVE_INFINITY : done;
  }

  /** try_wait_for_completion(): takes one if there is one. @throws ERR_UINTR_CLOSED */
  tryWait(): boolean {
    return answered(this.#native.tryWait());
  }

  /**
   * wait_for_completion_timeout(): blocks this thread until there is one, and takes it. Interrupts move messages meanwhile,
   * but timers and events wait.
   * @throws ERR_UINTR_TIMEOUT after `timeoutMs`; ERR_UINTR_INVALID_ARGUMENT, ERR_UINTR_CLOSED
   */
  wait(timeoutMs?: number): void {
    const limit = checkTimeout(timeoutMs);
    const end = performance.now() + limit;
    for (let left = limit; ; ) {
      if (answered(this.#native.wait(Math.min(left, SLICE_MS)))) return;
      left = end - performance.now();
      if (left <= 0) throw timeoutError(limit, 'wait()');
    }
  }

  /**
   * The same without blocking the event loop: a helper thread waits, for one call at a time; this thread's others queue
   * behind it. Rejects as {@link wait} throws, and with the signal's reason.
   */
  async waitAsync(options?: WaitAsyncOptions): Promise<void> {
    const { timeoutMs, signal } = checkOptions(options, KEYS);
    const limits = { timeoutMs: checkTimeout(timeoutMs), signal: checkSignal(signal) };
    const { queue } = this.#found.object;
    if (queue.isEmpty && signal?.aborted !== true && this.tryWait()) return;
    await queue.wait('waitAsync()', limits, () => {});
  }

  get #native(): NativeCompletion {
    return this.#found.object.native;
  }
}

function answered<T>(answer: T | undefined): T {
  if (answer === undefined) throw regionClosed();
  return answer;
}
