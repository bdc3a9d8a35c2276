// One operation that is under way, and every way to see it end.
import { listen, stopListening } from './abort.js';
import { checkTimeout } from './arguments.js';
import type { Core } from './core.js';
import { settleChannel } from './diagnostics.js';
import { AbortError, timeoutError } from './errors.js';
import { R_ERROR } from './exchange.js';
import { CANCELLED, failureOf } from './failures.js';
import { type Outcome, testAny, testSome, waitAll, waitAny } from './request-sets.js';
import type { Scope } from './scope.js';

/** Makes the value of a finished operation from its record in the exchange. */
export type Reader<T> = (core: Core, words: Int32Array, at: number) => T;

enum State {
  Active,
  Done,
  Failed,
}

/** What few requests have: one object more for those, and all others are smaller and sooner made. */
class Rest {
  resolve: ((value: unknown) => void) | undefined = undefined;
  reject: ((error: unknown) => void) | undefined = undefined;
  signal: AbortSignal | undefined = undefined;
  onAbort: (() => void) | undefined = undefined;
  /** Why it is being withdrawn, if not by cancel() or an AbortSignal. */
  reason: unknown = undefined;
  first: Request<unknown> | undefined = undefined;
  over: (() => void) | undefined = undefined;
}

// What the rest of the package does with a request, and programs do not: assigned in the class, which alone sees its
// private fields.
type Data = ArrayBufferView | ArrayBufferLike | undefined;

/** An operation that is about to be posted; with a scope, in a communicator that is not the world. */
export let create: <T>(core: Core, read: Reader<T>, data: Data, isSend: boolean, scope?: Scope) => Request<T>;
/** One that needs no posting. */
export let resolved: <T>(core: Core, value: T) => Request<T>;
export let rejected: <T>(core: Core, error: unknown) => Request<T>;
/** One that goes on behind others (composite.ts); while `first` can be taken back it can. Ends by `fulfil` or `fail`. */
export let composed: <T>(core: Core, first: Request<unknown>, isSend: boolean) => Request<T>;
export let fulfil: <T>(request: Request<T>, value: T) => void;
/**
 * Calls `over` when it is over: at once, or after the batch in which its completion came. More may be posted and taken back
 * there, but it is no place for code of the program: wait() may be under way.
 */
export let whenOver: (request: Request<unknown>, over: () => void) => void;
/** As cancel(), of sends too. */
export let takeBack: (request: Request<unknown>) => boolean;
/** It was posted and occupies a slot. */
export let started: (request: Request<unknown>, slot: number) => void;
/** It is over; `words[at…]` is its record. */
export let finish: (request: Request<unknown>, words: Int32Array, at: number) => void;
/** It is over, and the engine has nothing more to say about it. */
export let fail: (request: Request<unknown>, error: unknown) => void;
/** Withdraws it when the signal says so. */
export let abortOn: (request: Request<unknown>, signal: AbortSignal) => void;
/** Takes back what is not matched, which then has failed with `reason`. */
export let withdrawWith: (request: Request<unknown>, reason: unknown) => void;
/** Where the engine keeps it while it is active. */
export let slotOf: (request: Request<unknown>) => number;
export let isActive: (request: Request<unknown>) => boolean;
export let isSend: (request: Request<unknown>) => boolean;
/** Somebody has got its value or its error. */
export let isCollected: (request: Request<unknown>) => boolean;
export let collect: <T>(request: Request<T>) => T;
/** As awaiting it gives it. */
export let promiseOf: <T>(request: Request<T>) => Promise<T>;
/** How it ended; counts as collecting. */
export let takeOutcome: <T>(request: Request<T>) => Outcome<T>;
export let hasFailed: (request: Request<unknown>) => boolean;
export let coreOf: (request: Request<unknown>) => Core;
export let dataOf: (request: Request<unknown>) => Data;
export let isRequest: (value: unknown) => value is Request<unknown>;

/**
 * An operation that is under way (MPI 4.1, 3.7.1). It makes progress whether or not anybody looks at it.
 *
 * A request can be awaited; it becomes a promise only then, so one that fails and that nobody looks at is silent. All
 * its methods give the same value, or throw or reject with the same error, however often they are called.
 */
export class Request<T> implements PromiseLike<T> {
  readonly #core: Core;
  readonly #read: Reader<T>;
  #state: State = State.Active;
  #slot = -1;
  // Held while the engine may touch it.
  #data: Data;
  readonly #isSend: boolean;
  readonly #scope: Scope | undefined;
  // Whether it counts among what keeps the process alive.
  #wanted = false;
  #collected = false;
  // Its value, or what it failed with.
  #result: unknown;
  #promise: Promise<T> | undefined;
  #rest: Rest | undefined;

  private constructor(core: Core, read: Reader<T>, data: Data, isSend: boolean, scope?: Scope) {
    this.#core = core;
    this.#read = read;
    this.#data = data;
    this.#isSend = isSend;
    this.#scope = scope;
  }

  /**
   * Whether it is over, with or without success. Asking makes progress, so `while (!request.done) work();` ends.
   */
  get done(): boolean {
    if (this.#state === State.Active) this.#core.progress();
    return this.#state !== State.Active;
  }

  /**
   * Its value if it is over, else undefined; never blocks (MPI 4.1, 3.7.3, MPI_Test). Asking makes progress.
   * @throws what it failed with
   */
  test(): T | undefined {
    if (this.#state === State.Active) this.#core.progress();
    return this.#state === State.Active ? undefined : this.#collect();
  }

  /**
   * Blocks this thread until it is over (MPI 4.1, 3.7.3, MPI_Wait): spins shortly, then sleeps. Nothing else of this
   * thread runs meanwhile: no timer and no abort event.
   *
   * A receive without a buffer that finds the heap full has garbage collected, and takes the memory of Messages that
   * nobody refers to any more. Where that does not help, only the program could, which waits: the request fails with
   * ERR_UINTR_NO_MEMORY, and its message is there for the next receive that matches it, one with a buffer, say, or
   * after World.free(). Awaited, it goes on waiting for memory.
   * @param timeoutMs for how long, in milliseconds; for ever if not given
   * @throws what it failed with; ERR_UINTR_TIMEOUT when the time is over: the request then stays active
   */
  wait(timeoutMs?: number): T {
    if (this.#state === State.Active) {
      const limit = checkTimeout(timeoutMs);
      if (!this.#core.waitUntil(this, limit)) throw timeoutError(limit, 'wait()');
    } else if (timeoutMs !== undefined) {
      checkTimeout(timeoutMs);
    }
    return this.#collect();
  }

  /**
   * Takes back a receive that no message has matched (MPI 4.1, 3.8.4, MPI_Cancel).
   * @returns whether it did; the request has then failed with an AbortError (code ABORT_ERR). False for one that is
   * matched or over, and for every send.
   */
  cancel(): boolean {
    return this.#state === State.Active && !this.#isSend && this.#core.withdraw(slotOf(this));
  }

  /** As a promise's. While a request is awaited it keeps the process alive. */
  // biome-ignore lint/suspicious/noThenProperty: a request is a thenable by contract
  then<R = T, E = never>(
    onFulfilled?: ((value: T) => R | PromiseLike<R>) | null,
    onRejected?: ((reason: unknown) => E | PromiseLike<E>) | null,
  ): Promise<R | E> {
    return this.#asPromise().then(onFulfilled, onRejected);
  }

  /** As a promise's. */
  catch<E = never>(onRejected?: ((reason: unknown) => E | PromiseLike<E>) | null): Promise<T | E> {
    return this.#asPromise().catch(onRejected);
  }

  /** As a promise's. */
  finally(onFinally?: (() => void) | null): Promise<T> {
    return this.#asPromise().finally(onFinally);
  }

  get [Symbol.toStringTag](): string {
    return 'Request';
  }

  /** See {@link waitAll}. */
  static readonly waitAll: typeof waitAll = waitAll;
  /** See {@link waitAny}. */
  static readonly waitAny: typeof waitAny = waitAny;
  /** See {@link testAny}. */
  static readonly testAny: typeof testAny = testAny;
  /** See {@link testSome}. */
  static readonly testSome: typeof testSome = testSome;

  #collect(): T {
    this.#collected = true;
    if (this.#state === State.Failed) throw this.#result;
    return this.#result as T;
  }

  #asPromise(): Promise<T> {
    if (this.#state !== State.Active) {
      this.#collected = true;
      // One that failed gets its handler from the caller in the same step, so the rejection is not unhandled.
      this.#promise ??= this.#state === State.Done ? Promise.resolve(this.#result as T) : Promise.reject(this.#result);
    } else if (this.#promise === undefined) {
      this.#promise = new Promise((resolve, reject) => {
        const rest = this.#more();
        rest.resolve = resolve as (value: unknown) => void;
        rest.reject = reject;
      });
      this.#want();
    }
    return this.#promise;
  }

  #want(): void {
    if (this.#wanted) return;
    this.#wanted = true;
    this.#core.want();
  }

  #more(): Rest {
    this.#rest ??= new Rest();
    return this.#rest;
  }

  #settle(state: State, result: unknown): void {
    this.#state = state;
    this.#result = result;
    this.#data = undefined;
    if (this.#slot >= 0 && this.#scope !== undefined) this.#scope.over(this);
    this.#slot = -1;
    if (this.#wanted) {
      this.#wanted = false;
      this.#core.unwant();
    }
    const rest = this.#rest;
    this.#rest = undefined;
    if (rest?.signal !== undefined) stopListening(rest.signal, rest.onAbort!);
    if (this.#promise !== undefined) {
      this.#collected = true;
      if (state === State.Done) rest!.resolve!(result);
      else rest!.reject!(result);
    }
    if (settleChannel.hasSubscribers && this.#read !== never) {
      const error = state === State.Failed ? result : undefined;
      this.#core.steps.tell(() => settleChannel.publish({ rank: this.#core.rank, request: this, error }));
    }
    if (rest?.over !== undefined) this.#core.steps.afterBatch(rest.over);
  }

  static {
    create = (core, read, data, isSend, scope) => new Request(core, read, data, isSend, scope);

    resolved = <T>(core: Core, value: T) => {
      const request = new Request<T>(core, never, undefined, true);
      request.#settle(State.Done, value);
      return request;
    };

    rejected = <T>(core: Core, error: unknown) => {
      const request = new Request<T>(core, never, undefined, true);
      request.#settle(State.Failed, error);
      return request;
    };

    composed = <T>(core: Core, first: Request<unknown>, isSend: boolean) => {
      const request = new Request<T>(core, never, undefined, isSend);
      request.#more().first = first;
      if (isSend) request.#want();
      return request;
    };

    fulfil = (request, value) => {
      if (request.#state === State.Active) request.#settle(State.Done, value);
    };

    whenOver = (request, over) => {
      if (request.#state !== State.Active) {
        over();
        return;
      }
      const rest = request.#more();
      const before = rest.over;
      rest.over =
        before === undefined
          ? over
          : () => {
              before();
              over();
            };
    };

    takeBack = (request) => request.#core.withdraw(slotOf(request));

    started = (request, slot) => {
      request.#slot = slot;
      if (request.#scope !== undefined) request.#scope.begin(request, request.#isSend);
      // An active send keeps the process alive, a receive only once it is awaited.
      if (request.#isSend) request.#want();
    };

    finish = (request, words, at) => {
      const core = request.#core;
      const scope = request.#scope;
      const code = words[at + R_ERROR]!;
      if (scope !== undefined) scope.localize(words, at);
      if (code !== 0) {
        const rest = request.#rest;
        const aborted = code === CANCELLED && rest?.signal?.aborted === true;
        const error =
          code === CANCELLED
            ? (rest?.reason ?? (aborted ? rest!.signal!.reason : new AbortError('The receive was cancelled')))
            : failureOf(core, scope?.group.rank ?? core.rank, words, at, request.#data);
        request.#settle(State.Failed, error);
        return;
      }
      let value: unknown;
      try {
        value = request.#read(core, words, at);
      } catch (error) {
        request.#settle(State.Failed, error);
        return;
      }
      request.#settle(State.Done, value);
    };

    fail = (request, error) => {
      if (request.#state === State.Active) request.#settle(State.Failed, error);
    };

    abortOn = (request, signal) => {
      if (request.#state !== State.Active) return;
      const rest = request.#more();
      rest.signal = signal;
      rest.onAbort = () => {
        if (request.#state === State.Active) request.#core.withdraw(request.#slot);
      };
      listen(signal, rest.onAbort);
    };

    withdrawWith = (request, reason) => {
      if (request.#state !== State.Active) return;
      request.#more().reason = reason;
      if (!request.#core.withdraw(request.#slot)) request.#more().reason = undefined;
    };

    slotOf = (request) => (request.#rest?.first ?? request).#slot;
    isActive = (request) => request.#state === State.Active;
    isSend = (request) => request.#isSend;
    isCollected = (request) => request.#collected;
    collect = (request) => request.#collect();
    promiseOf = (request) => request.#asPromise();
    hasFailed = (request) => request.#state === State.Failed;
    takeOutcome = (request) => {
      request.#collected = true;
      return request.#state === State.Failed
        ? { status: 'rejected', reason: request.#result }
        : { status: 'fulfilled', value: request.#result as never };
    };
    coreOf = (request) => request.#core;
    dataOf = (request) => request.#data;
    isRequest = (value): value is Request<unknown> => typeof value === 'object' && value !== null && #core in value;
  }
}

function never(): never {
  throw new Error('a request that never began has no record');
}
