// The end of doorbells that is rung.
import { checkOptions, checkTimeout, keySet } from './arguments.js';
import { binding, failed, type NativeFailure, type NativeReceiver } from './binding.js';
import { invalidArgument, timeoutError, UintrError, type UintrErrorCode } from './errors.js';
import { watchSignals } from './signals.js';

/** Options of {@link registerHandler}. */
export interface HandlerOptions {
  /** `auto`, the default: user interrupts where they work, else signals. */
  driver?: 'auto' | 'uintr' | 'signal';
  /** The signal of the signal driver. Default: the environment variable `UINTR_SIGNAL`, else `SIGURG`. */
  signal?: string;
}

const DRIVERS = ['auto', 'uintr', 'signal'];
const HANDLER_KEYS = keySet('driver', 'signal');

/** As long as process.exit() and a worker's end may be held up by a blocking wait. */
const SLICE_MS = 50;

/**
 * Makes this thread (the main one, or a worker) one that others can ring (compare uintr_register_handler(2)). There may be
 * several receivers per thread, beside worlds: all share the thread's one handler and its 64 vectors.
 *
 * A ring interrupts JavaScript for a moment, in which the handler counts it ({@link Receiver.count}). `onInterrupt` is
 * called from the event loop, with one bit for each vector that came since the last call, never with none: rings coalesce.
 *
 * By signals a sleeping event loop is woken. **A user interrupt does not wake a thread that sleeps in the kernel**, and its
 * sender cannot do more. So with driver `uintr` the loop of an open receiver returns from its sleep by itself: 1 ms after
 * an interrupt, then after 2, 4 … 20 ms, which bounds how late `onInterrupt` is called and costs an idle thread 50
 * wake-ups a second (0.6 % of a processor of 2.1 GHz, where none cost 0.03 %). While JavaScript computes nothing is late.
 *
 * An open receiver keeps the process alive, as a listening server does; see {@link Receiver.unref}.
 *
 * @throws ERR_UINTR_UNSUPPORTED: no such driver here, with the reason, or this program has a handler of its own for the
 * signal; ERR_UINTR_INVALID_ARGUMENT; ERR_UINTR_NO_MEMORY
 */
export function registerHandler(onInterrupt: (vectors: bigint) => void, options?: HandlerOptions): Receiver {
  if (typeof onInterrupt !== 'function') throw invalidArgument('onInterrupt', 'a function', onInterrupt);
  const { driver = 'auto', signal } = checkOptions(options, HANDLER_KEYS);
  if (!DRIVERS.includes(driver)) throw invalidArgument('driver', "one of 'auto', 'uintr', 'signal'", driver);
  if (signal !== undefined && (typeof signal !== 'string' || signal === '')) {
    throw invalidArgument('signal', 'a string that is not empty', signal);
  }
  const opened = binding().openReceiver(
    driver,
    signal ?? (process.env['UINTR_SIGNAL'] || 'SIGURG'),
    (vectors, lost) => {
      if (lost) warnOfLoss();
      if (vectors !== 0n) onInterrupt(vectors);
    },
  );
  if (failed(opened)) throw doorbellError(opened);
  return new Receiver(opened);
}

/** What {@link registerHandler} makes. */
export class Receiver {
  readonly #native: NativeReceiver;
  readonly #unwatch: () => void;
  #closed = false;

  /** @internal */
  constructor(native: NativeReceiver) {
    this.#native = native;
    this.#unwatch = native.driver === 'signal' ? watchSignals() : () => {};
  }

  /** How it is interrupted. */
  get driver(): 'uintr' | 'signal' {
    return this.#native.driver;
  }

  /**
   * A descriptor by which others can ring `vector` (compare uintr_vector_fd(2)): pass it to child processes by `stdio`, or
   * by SCM_RIGHTS. It is close-on-exec, and the caller's to close; a sender needs it only to be made.
   *
   * With driver `uintr` a sender stays good when this receiver is closed and the thread then uses the same vector again.
   *
   * @param vector 0 to 63; worlds of this thread take theirs from 63 down
   * @throws ERR_UINTR_INVALID_ARGUMENT: no vector, or one that this thread uses; ERR_UINTR_NO_MEMORY: no memory, or no
   * descriptor left; ERR_UINTR_CLOSED
   */
  createFd(vector: number): number {
    this.#check(vector);
    const fd = this.#native.createFd(vector);
    if (typeof fd !== 'number') throw doorbellError(fd);
    return fd;
  }

  /**
   * How often the handler ran for `vector`; also while JavaScript computes. At most as often as it was rung.
   * @throws ERR_UINTR_INVALID_ARGUMENT, ERR_UINTR_CLOSED
   */
  count(vector: number): bigint {
    this.#check(vector);
    return this.#native.count(vector);
  }

  /**
   * Blocks this thread until a vector is pending (compare uintr_wait(2)): spins for some microseconds, then sleeps.
   * With driver `uintr` it sleeps for 1 to 10 ms at a time, and so may learn that much later of a ring.
   * @returns those that came since the last call of `onInterrupt`, which is not called with them any more
   * @throws ERR_UINTR_TIMEOUT after `timeoutMs`; ERR_UINTR_INVALID_ARGUMENT, ERR_UINTR_CLOSED
   */
  wait(timeoutMs?: number): bigint {
    this.#checkOpen();
    const limit = checkTimeout(timeoutMs);
    const end = performance.now() + limit;
    let left = limit;
    for (let first = true; ; first = false) {
      const vectors = this.#native.wait(Math.min(left, SLICE_MS), first);
      if (vectors !== 0n) return vectors;
      left = end - performance.now();
      if (left <= 0) throw timeoutError(limit, 'wait()');
    }
  }

  /** Keeps the process alive while it is open; so it does unless {@link unref} was called. */
  ref(): this {
    this.#native.ref();
    return this;
  }

  /** Lets the process end although it is open. */
  unref(): this {
    this.#native.unref();
    return this;
  }

  /** Gives vectors and registration back; what nobody has taken is dropped. Rings are nothing from now on. Idempotent. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#native.close();
    this.#unwatch();
  }

  /** {@link close}, for `using`. */
  [Symbol.dispose](): void {
    this.close();
  }

  #check(vector: unknown): void {
    this.#checkOpen();
    if (!Number.isInteger(vector) || (vector as number) < 0 || (vector as number) > 63) {
      throw invalidArgument('vector', 'an integer from 0 to 63', vector);
    }
  }

  #checkOpen(): void {
    if (this.#closed) throw new UintrError('ERR_UINTR_CLOSED', 'the receiver is closed');
  }
}

export function doorbellError({ code, message, errno, syscall }: NativeFailure): UintrError {
  return new UintrError(code as UintrErrorCode, message, { errno, syscall });
}

function warnOfLoss(): void {
  process.emitWarning(
    'the program took over the signal of uintr; doorbells are heard only by the event loop and wait() now',
    {
      type: 'UintrWarning',
      code: 'UINTR_SIGNAL_TAKEN',
    },
  );
}
