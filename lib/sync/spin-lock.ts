import { checkFlag, checkOptions, keySet } from '../arguments.js';
import { Lock } from './lock.js';
import { Kind, Passed, type Place, type PrimitiveOptions } from './primitive.js';

/** Options of a {@link SpinLock}. */
export interface SpinLockOptions extends PrimitiveOptions {
  /** The fair variant: first come, first served. Default false. */
  ticket?: boolean;
}

const KEYS = keySet('name', 'ticket');
const KINDS = [Kind.SpinLock, Kind.TicketLock];

/**
 * A spinlock: one owner at a time, a thread, and everybody else looks again and again.
 *
 * The kernel's `spinlock_t` (Documentation/locking/spinlocks.rst) in user space: test-and-test-and-set with the processor's
 * pause in between, or, as `ticket`, numbers that are served in turn, so that each other thread gets the lock at most once
 * before one that waits.
 *
 * **Wrong where there are more threads than processors.** The kernel disables preemption while a spinlock is held. A program
 * cannot: its thread may lose the processor inside, and then all who wait burn theirs until it runs again; with `ticket` also
 * where the next in turn has lost it. After some 30 µs a waiter yields its processor between two looks, which bounds the
 * damage and does not mend it. Hold it for some hundred nanoseconds, and never across anything that can block.
 *
 * As a {@link Mutex} it belongs to its owner and survives its death, for which a waiter looks every millisecond.
 */
export class SpinLock extends Lock {
  /** @throws ERR_UINTR_INVALID_ARGUMENT; ERR_UINTR_NO_MEMORY: the region is full; ERR_UINTR_CLOSED */
  constructor(where: Place, options?: SpinLockOptions) {
    const { name, ticket } = checkOptions(options, KEYS);
    super('SpinLock', where, name, checkFlag('ticket', ticket) ? Kind.TicketLock : Kind.SpinLock, KINDS);
  }

  /**
   * The spinlock of this `handle`, which another thread or process has.
   * @throws as {@link SharedRegion.open}
   */
  static open(handle: string): SpinLock {
    return new SpinLock(new Passed(handle) as never);
  }

  /** Whether it is the fair variant. */
  get ticket(): boolean {
    return this.kind === Kind.TicketLock;
  }
}
