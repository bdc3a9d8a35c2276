// Calls that wait without blocking, in the order in which they came. The addon waits for the first of them, and for one at
// a time; what it gets is handed to whoever is first by then.
import { listen, stopListening } from '../abort.js';
import { failed, type NativeFailure, type NativeTake } from '../binding.js';
import { AbortError, timeoutError } from '../errors.js';
import { failure, regionClosed } from './region.js';

/** What the addon waits for. */
export interface Source {
  start(done: (outcome: number | undefined) => void): NativeTake | NativeFailure;
  /** Nobody wants any more what has come. */
  undo(outcome: number): void;
}

/** How long, and until when, one call waits. */
export interface Limits {
  timeoutMs: number;
  signal: AbortSignal | undefined;
}

interface Waiter {
  /** Takes what was waited for; nothing else happens before it has. */
  grant(outcome: number): void;
  reject(error: unknown): void;
  /** Stops its timer, and listening to its signal. */
  settle(): void;
}

export class AsyncQueue {
  readonly #source: Source;
  readonly #waiters: Waiter[] = [];
  #take: NativeTake | undefined;
  /** Not to be asked for more while what was handed out is out. */
  #paused = false;

  constructor(source: Source) {
    this.#source = source;
  }

  /** Nobody waits here; the addon may still be about to notice. */
  get isEmpty(): boolean {
    return this.#waiters.length === 0;
  }

  /**
   * Resolves with what `grant` makes of the outcome, in the moment in which it comes. Rejects with ERR_UINTR_TIMEOUT, the
   * signal's reason, or what `grant` throws. `what` names the call.
   */
  wait<T>(what: string, limits: Limits, grant: (outcome: number) => T): Promise<T> {
    const { timeoutMs: limit, signal: abort } = limits;
    if (abort?.aborted) throw abort.reason;
    return new Promise((resolve, reject) => {
      let timer: NodeJS.Timeout | undefined;
      const onAbort = (): void => this.#leave(waiter, abort!.reason ?? new AbortError());
      const waiter: Waiter = {
        grant: (outcome) => {
          try {
            resolve(grant(outcome));
          } catch (error) {
            reject(error);
          }
        },
        reject,
        settle: () => {
          clearTimeout(timer);
          if (abort !== undefined) stopListening(abort, onAbort);
        },
      };
      if (limit !== Number.POSITIVE_INFINITY) {
        // Longer ones than a timer can have are for ever.
        if (limit <= 2 ** 31 - 1) timer = setTimeout(() => this.#leave(waiter, timeoutError(limit, what)), limit);
      }
      if (abort !== undefined) listen(abort, onAbort);
      this.#waiters.push(waiter);
      this.#pump();
    });
  }

  /** The addon waits. */
  get isBusy(): boolean {
    return this.#take !== undefined;
  }

  /** What the addon has got and not told, for a call that does not go through the loop; those who wait here wait on. */
  take(): number | undefined {
    return this.#take?.(false);
  }

  /** Gives that back. */
  takeBack(): void {
    const come = this.take();
    if (come !== undefined) this.#source.undo(come);
  }

  pause(): void {
    this.#paused = true;
  }

  resume(): void {
    this.#paused = false;
    this.#pump();
  }

  /** All who wait fail. */
  close(): void {
    this.#paused = true;
    for (const waiter of this.#waiters.splice(0)) {
      waiter.settle();
      waiter.reject(regionClosed());
    }
    this.#end();
  }

  #end(): void {
    const come = this.#take?.(true);
    if (come !== undefined) this.#source.undo(come);
  }

  #leave(waiter: Waiter, error: unknown): void {
    const place = this.#waiters.indexOf(waiter);
    if (place < 0) return;
    this.#waiters.splice(place, 1);
    waiter.settle();
    waiter.reject(error);
    if (this.#waiters.length === 0) this.#end();
  }

  #pump(): void {
    while (!this.#paused && this.#take === undefined && this.#waiters.length > 0) {
      const started = this.#source.start((outcome) => this.#over(outcome));
      if (!failed(started)) {
        this.#take = started;
        return;
      }
      const waiter = this.#waiters.shift()!;
      waiter.settle();
      waiter.reject(failure(started));
    }
  }

  /** Told by the addon, once for each start: also where that was taken, or ended. */
  #over(outcome: number | undefined): void {
    this.#take = undefined;
    const waiter = outcome === undefined ? undefined : this.#waiters.shift();
    if (waiter !== undefined) {
      waiter.settle();
      waiter.grant(outcome!);
    } else if (outcome !== undefined) {
      this.#source.undo(outcome);
    }
    this.#pump();
  }
}
