// What this thread has of one lock: who owns it here, and who waits here without blocking.
import type { NativeLock } from '../binding.js';
import { timeoutError, UintrError } from '../errors.js';
import { AsyncQueue, type Limits } from './async-queue.js';
import { type Closable, openHere, regionClosed, type SharedRegion } from './region.js';

// src-native/sync/lock.h, enum Attempt, and what the addon answers beside
const INCONSISTENT = 1;
const WAITING = 2;
const DEADLOCK = 3;
const CLOSED = -1;
const NO_SEAT = -2;

/** As long as process.exit() and a worker's end may be held up by a call that blocks. */
const SLICE_MS = 50;
const SHORT_SLICE_MS = 5;

/** A thread that has a lock: numbers as its own PID namespace has them. */
export interface Holder {
  pid: number;
  tid: number;
}

/**
 * A lock that is held, until it is released: `using guard = mutex.lock()`, or `guard.unlock()`.
 */
export class LockGuard {
  /**
   * The owner died while it held the lock, or an owner before it did, and nobody has called {@link consistent} since: what
   * the lock guards may be half changed. Only with `recover: true`.
   */
  readonly ownerDied: boolean;
  readonly #state: LockState;
  /** @internal Got by a helper, in whose name it is owned. */
  readonly async: boolean;

  /** @internal */
  constructor(state: LockState, async: boolean, ownerDied: boolean) {
    this.#state = state;
    this.async = async;
    this.ownerDied = ownerDied;
  }

  /**
   * Says that what the lock guards is whole again (compare pthread_mutex_consistent(3)). Unlike there, a lock that is
   * released without this can be locked, but everybody is told until somebody has.
   * @throws ERR_UINTR_NOT_OWNER: it was released already
   */
  consistent(): void {
    this.#state.consistent(this);
  }

  /**
   * Releases the lock.
   * @throws ERR_UINTR_NOT_OWNER: that has happened already; ERR_UINTR_CLOSED
   */
  unlock(): void {
    this.#state.release(this);
  }

  /** Releases the lock if that has not happened yet, for `using`. */
  [Symbol.dispose](): void {
    if (this.#state.guard === this) this.#state.release(this);
  }
}

export class LockState implements Closable {
  /** The lock as this thread owns it. */
  guard: LockGuard | undefined;
  readonly #what: string;
  readonly #native: NativeLock;
  // Not to be collected, and so closed, while a guard or a wait is left of what it was opened for.
  readonly #region: SharedRegion;
  readonly #line: number;
  readonly #queue: AsyncQueue;
  #closed = false;

  constructor(what: string, native: NativeLock, region: SharedRegion, line: number) {
    this.#what = what;
    this.#native = native;
    this.#region = region;
    this.#line = line;
    this.#queue = new AsyncQueue({
      start: (done) => native.acquireAsync(done),
      undo: () => void native.release(true),
    });
  }

  lock(limit: number, recover: boolean): LockGuard {
    this.#checkNotOwner();
    return this.#comeFor(recover) ?? this.#wait(limit, recover);
  }

  tryLock(recover: boolean): LockGuard | undefined {
    this.#checkOpen();
    if (this.guard !== undefined) return undefined;
    const come = this.#comeFor(recover);
    if (come !== undefined) return come;
    const attempt = this.#native.tryAcquire();
    return attempt === WAITING || attempt === DEADLOCK ? undefined : this.#granted(attempt, false, recover);
  }

  async lockAsync(limits: Limits, recover: boolean): Promise<LockGuard> {
    this.#checkOpen();
    if (this.guard === undefined && this.#queue.isEmpty && limits.signal?.aborted !== true) {
      // In the name of calls that block: a helper that nobody waits for any more may still be at it in its own.
      const attempt = this.#native.tryAcquire();
      if (attempt !== WAITING && attempt !== DEADLOCK) return this.#granted(attempt, false, recover);
    }
    return this.#queue.wait('lockAsync()', limits, (outcome) => this.#granted(outcome, true, recover));
  }

  /** Releases what the guard holds; of whoever owns the lock here, if it is not given. */
  release(guard: LockGuard | undefined = this.guard): void {
    this.#checkOpen();
    if (guard === undefined || guard !== this.guard) {
      const holder = this.#native.holder();
      const owner = holder === undefined ? 'nobody owns it' : `thread ${holder.tid} of process ${holder.pid} owns it`;
      throw new UintrError(
        'ERR_UINTR_NOT_OWNER',
        `this thread does not own the ${this.#what}: ${guard === undefined ? owner : 'this guard has released it'}`,
      );
    }
    this.guard = undefined;
    const owned = this.#native.release(guard.async);
    this.#queue.resume();
    if (!owned) throw new UintrError('ERR_UINTR_PROTOCOL', `the ${this.#what} was taken from its owner`);
  }

  consistent(guard: LockGuard): void {
    this.#checkOpen();
    if (guard !== this.guard) {
      throw new UintrError('ERR_UINTR_NOT_OWNER', `this guard has released the ${this.#what}`);
    }
    this.#native.consistent();
  }

  holder(): Holder | undefined {
    this.#checkOpen();
    return this.#native.holder();
  }

  regionClosed(): void {
    this.#closed = true;
    this.guard = undefined;
    this.#queue.close();
  }

  #checkOpen(): void {
    if (this.#closed) throw regionClosed();
  }

  #checkNotOwner(): void {
    this.#checkOpen();
    if (this.guard !== undefined) throw this.#deadlock();
  }

  /** What has come for those who wait without blocking: it cannot be theirs while this call does not go through the loop. */
  #comeFor(recover: boolean): LockGuard | undefined {
    const come = this.#queue.take();
    return come === undefined ? undefined : this.#granted(come, true, recover);
  }

  /**
   * Through another mapping of the same memory this thread is somebody else for the addon. If it owns the lock so, it would
   * wait for itself; and what has come there for those who wait without blocking would not get to them.
   */
  #checkOthers(): void {
    for (const region of openHere(this.#region.identity)) {
      const other = region.known(this.#line);
      if (other === this || !(other instanceof LockState)) continue;
      if (other.guard !== undefined) throw this.#deadlock();
      other.#queue.takeBack();
    }
  }

  #deadlock(): UintrError {
    return new UintrError('ERR_UINTR_DEADLOCK', `this thread owns the ${this.#what}, and would wait for itself`);
  }

  #wait(limit: number, recover: boolean): LockGuard {
    let attempt = WAITING;
    let end = 0;
    try {
      for (let left = limit, first = true; first || left > 0; first = false) {
        // Shorter where a helper competes, which may get the lock for somebody who cannot have it now.
        const slice = Math.min(left, this.#queue.isBusy ? SHORT_SLICE_MS : SLICE_MS);
        attempt = this.#native.acquire(slice, first);
        if (attempt !== WAITING) return this.#granted(attempt, false, recover);
        this.#checkOthers();
        const come = this.#comeFor(recover);
        if (come !== undefined) return come;
        if (first) end = performance.now() + limit - slice;
        left = end - performance.now();
      }
    } finally {
      // Whatever ends the wait without the lock: those behind in a fair one wait for this thread's number.
      if (attempt === WAITING) this.#native.giveUp();
    }
    throw timeoutError(limit, 'lock()');
  }

  #granted(attempt: number, async: boolean, recover: boolean): LockGuard {
    switch (attempt) {
      case CLOSED:
        throw regionClosed();
      case NO_SEAT:
        throw new UintrError('ERR_UINTR_NO_MEMORY', 'too many threads use locks of this region');
      case DEADLOCK:
        throw new UintrError('ERR_UINTR_DEADLOCK', `this thread owns the ${this.#what}`);
    }
    const guard = new LockGuard(this, async, attempt === INCONSISTENT);
    this.guard = guard;
    this.#queue.pause();
    if (attempt !== INCONSISTENT || recover) return guard;
    const { pid, tid } = this.#native.dead();
    this.release(guard);
    throw new UintrError(
      'ERR_UINTR_OWNER_DIED',
      `thread ${tid} of process ${pid} died while it owned the ${this.#what}, and what that guards may be half changed: ` +
        'lock it with recover: true, mend that, and call consistent()',
    );
  }
}
