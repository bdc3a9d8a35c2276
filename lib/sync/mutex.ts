import { checkFlag, checkOptions, keySet } from '../arguments.js';
import { Lock } from './lock.js';
import { Kind, Passed, type Place, type PrimitiveOptions } from './primitive.js';

/** Options of a {@link Mutex}. */
export interface MutexOptions extends PrimitiveOptions {
  /**
   * Spins while its owner runs on a processor, and sleeps otherwise. Default false: sleeps at once. It is the mutex that
   * is adaptive, not who uses it.
   */
  adaptive?: boolean;
}

const KEYS = keySet('name', 'adaptive');
const KINDS = [Kind.Mutex, Kind.AdaptiveMutex];

/**
 * A mutex: one owner at a time, a thread, and everybody else sleeps.
 *
 * The kernel's `struct mutex` (Documentation/locking/mutex-design.rst) in user space, by futexes: taking and releasing one
 * that nobody wants needs no system call. As there, only the owner may release it, it cannot be taken twice, and the
 * adaptive one spins while the owner runs. Different from there:
 * - it is robust (Documentation/locking/robust-futexes.rst): when its owner dies, by a signal, an exec, the end of a worker,
 *   the next one to ask gets ERR_UINTR_OWNER_DIED, or with `recover: true` the lock. Who already sleeps learns of it within
 *   50 ms;
 * - it makes no promise of order: the kernel's hands itself to a waiter that was passed over, this one to whoever comes
 *   first when it is free;
 * - of whether the owner runs it knows what the kernel tells: its thread's processor time if it is of the same process. Of
 *   one in another process the kernel tells no more than its last tick, so there waiters spin for some microseconds. Else
 *   for 200 µs at most, because a program cannot see that somebody else needs the processor.
 *
 * Handlers of interrupts take no locks: one may be held while messages come in.
 */
export class Mutex extends Lock {
  /** @throws ERR_UINTR_INVALID_ARGUMENT; ERR_UINTR_NO_MEMORY: the region is full; ERR_UINTR_CLOSED */
  constructor(where: Place, options?: MutexOptions) {
    const { name, adaptive } = checkOptions(options, KEYS);
    super('Mutex', where, name, checkFlag('adaptive', adaptive) ? Kind.AdaptiveMutex : Kind.Mutex, KINDS);
  }

  /**
   * The mutex of this `handle`, which another thread or process has.
   * @throws as {@link SharedRegion.open}
   */
  static open(handle: string): Mutex {
    return new Mutex(new Passed(handle) as never);
  }

  /** Whether it spins while its owner runs. */
  get adaptive(): boolean {
    return this.kind === Kind.AdaptiveMutex;
  }
}
