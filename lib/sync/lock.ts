// What Mutex and SpinLock have in common for who uses them.
import { checkFlag, checkOptions, checkSignal, checkTimeout, keySet } from '../arguments.js';
import type { NativeLock } from '../binding.js';
import { type Holder, type LockGuard, LockState } from './lock-state.js';
import { type Found, handleOf, locate, type Passed, type Place } from './primitive.js';

/** Options of `tryLock`. */
export interface TryLockOptions {
  /**
   * Take the lock although an owner has died with it, to mend what it guards (see {@link LockGuard.ownerDied}). Default
   * false: that fails with ERR_UINTR_OWNER_DIED, without the lock.
   */
  recover?: boolean;
}

/** Options of `lock`. */
export interface LockOptions extends TryLockOptions {
  /** How long to wait, in milliseconds. Default: for ever. */
  timeoutMs?: number;
}

/** Options of `lockAsync`. */
export interface LockAsyncOptions extends LockOptions {
  /** Ends the wait. */
  signal?: AbortSignal;
}

const TRY_KEYS = keySet('recover');
const LOCK_KEYS = keySet('recover', 'timeoutMs');
const ASYNC_KEYS = keySet('recover', 'timeoutMs', 'signal');

/** @internal */
export abstract class Lock {
  readonly #found: Found<LockState>;

  protected constructor(
    what: string,
    place: Place | Passed,
    name: string | undefined,
    kind: number,
    kinds: readonly number[],
  ) {
    this.#found = locate(what, place, name, kind, kinds, (native: NativeLock, region, line) => {
      return new LockState(what, native, region, line);
    });
  }

  /** @internal */
  protected get kind(): number {
    return this.#found.kind;
  }

  /** What `open` needs in another thread or process of this user, a string; good for as long as the region is open here. */
  get handle(): string {
    return handleOf(this.#found);
  }

  /** Whether somebody owns it, as of now. */
  get locked(): boolean {
    return this.#found.object.holder() !== undefined;
  }

  /** Who owns it, as of now. A hint, for diagnosis: where several PID namespaces share it, numbers may mean others. */
  get holder(): Holder | undefined {
    return this.#found.object.holder();
  }

  /**
   * Takes the lock; blocks this thread until it has it. Interrupts move messages meanwhile, but timers and events wait.
   *
   * @returns what releases it, by `using` or `unlock()`
   * @throws ERR_UINTR_TIMEOUT; ERR_UINTR_DEADLOCK: this thread owns it; ERR_UINTR_OWNER_DIED: an owner has died with it, and
   * it was not mended; ERR_UINTR_NO_MEMORY: no seat of the region's 512 is left; ERR_UINTR_CLOSED;
   * ERR_UINTR_INVALID_ARGUMENT
   */
  lock(options?: LockOptions): LockGuard {
    if (options === undefined) return this.#found.object.lock(Number.POSITIVE_INFINITY, false);
    const { recover, timeoutMs } = checkOptions(options, LOCK_KEYS);
    return this.#found.object.lock(checkTimeout(timeoutMs), checkFlag('recover', recover));
  }

  /**
   * Takes the lock if it is free.
   * @returns undefined: somebody owns it
   * @throws as {@link lock}, but for the time and the deadlock
   */
  tryLock(options?: TryLockOptions): LockGuard | undefined {
    return this.#found.object.tryLock(checkFlag('recover', checkOptions(options, TRY_KEYS).recover));
  }

  /**
   * Takes the lock without blocking the event loop: a helper thread waits, for one call at a time; this thread's others
   * queue behind it, also behind an owner in this thread.
   *
   * It is owned from the moment in which the helper has it, although this thread may compute and learn of it later.
   *
   * Rejects as {@link lock} throws, but for the deadlock, and with the signal's reason.
   */
  async lockAsync(options?: LockAsyncOptions): Promise<LockGuard> {
    const { recover, timeoutMs, signal } = checkOptions(options, ASYNC_KEYS);
    const limits = { timeoutMs: checkTimeout(timeoutMs), signal: checkSignal(signal) };
    return this.#found.object.lockAsync(limits, checkFlag('recover', recover));
  }

  /**
   * Releases it, as the guard does that was given for it.
   * @throws ERR_UINTR_NOT_OWNER: this thread does not own it; the message says who does
   */
  unlock(): void {
    this.#found.object.release();
  }
}
