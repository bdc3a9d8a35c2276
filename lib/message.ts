// What a finished operation says.
import { ANY_TAG, PROC_NULL } from './constants.js';

/**
 * What was sent or received (MPI 4.1, 3.2.5).
 */
export interface Status {
  /** The rank that sent the message; of a send, the own rank. */
  source: number;
  /** Its tag. */
  tag: number;
  /** Its length in bytes. */
  byteLength: number;
}

/**
 * A message that was received without a buffer: it lies in the shared heap until it is released, or `data` is collected
 * (then when the event loop turns). It can stand in a `using` declaration.
 */
export interface Message extends Status {
  /** The bytes, in an ArrayBuffer of their own. */
  data: Uint8Array<ArrayBuffer>;
  /**
   * Whether `data` are the sender's own memory, because it has sent with `lend`. Then they are to be read only, and the
   * sender waits for their release. Nothing can be received into them; what else writes there changes what the sender
   * finds in its buffer. Closing the world releases them.
   */
  readonly lent: boolean;
  /**
   * Gives the memory back now, to the sender if it was lent, and detaches `data`, which is empty from then on. Done
   * before, it does nothing.
   * @throws ERR_UINTR_INVALID_ARGUMENT: a request uses it
   */
  release(): void;
  /** {@link release}, for `using`. */
  [Symbol.dispose](): void;
}

/** A value that was received. */
export interface ReceivedValue<T = unknown> extends Status {
  value: T;
}

/** Of a message from PROC_NULL (MPI 4.1, 3.10). */
export function fromNobody(): Status {
  return { source: PROC_NULL, tag: ANY_TAG, byteLength: 0 };
}
