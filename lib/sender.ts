// The end of doorbells that rings.
import { binding, failed, type NativeSender } from './binding.js';
import { invalidArgument, UintrError } from './errors.js';
import { doorbellError } from './receiver.js';

/**
 * Makes a sender of a descriptor that {@link Receiver.createFd} made, here or in another process of this user (compare
 * uintr_register_sender(2)). Any thread may. The descriptor may be closed afterwards.
 *
 * @throws ERR_UINTR_INVALID_ARGUMENT: `fd` is no doorbell; ERR_UINTR_PEER_EXITED: its receiver is closed (with
 * driver `uintr`, where nobody can tell: only if its thread has ended, else the sender rings nothing) or gone;
 * ERR_UINTR_NO_MEMORY with errno ENOSPC: with driver `uintr` a process has 256 senders, those of worlds included;
 * ERR_UINTR_UNSUPPORTED: its receiver is in another PID namespace, where signals do not reach it
 */
export function registerSender(fd: number): Sender {
  if (!Number.isInteger(fd) || fd < 0 || fd > 2 ** 31 - 1) throw invalidArgument('fd', 'a file descriptor', fd);
  const opened = binding().openSender(fd);
  if (failed(opened)) throw doorbellError(opened);
  return new Sender(opened);
}

/** What {@link registerSender} makes. One that nobody closes is closed when it is collected. */
export class Sender {
  #native: NativeSender | undefined;

  /** @internal */
  constructor(native: NativeSender) {
    this.#native = native;
  }

  /**
   * Rings: one instruction with user interrupts, else a signal, and not even that while an earlier one is under way. To a
   * receiver that is closed or gone it does nothing, and does not say so, as `senduipi` does.
   * @throws ERR_UINTR_CLOSED: this sender is closed
   */
  send(): void {
    if (this.#native === undefined) throw new UintrError('ERR_UINTR_CLOSED', 'the sender is closed');
    this.#native.send();
  }

  /** Gives back what it needs. Idempotent. */
  close(): void {
    this.#native?.close();
    this.#native = undefined;
  }

  /** {@link close}, for `using`. */
  [Symbol.dispose](): void {
    this.close();
  }
}
