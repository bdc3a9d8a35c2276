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

/** A message that was received without a buffer: it lies in the shared heap until `data` is collected or freed. */
export interface Message extends Status {
  /** The bytes, in an ArrayBuffer of their own. */
  data: Uint8Array<ArrayBuffer>;
}

/** A value that was received. */
export interface ReceivedValue<T = unknown> extends Status {
  value: T;
}

/** Of a message from PROC_NULL (MPI 4.1, 3.10). */
export function fromNobody(): Status {
  return { source: PROC_NULL, tag: ANY_TAG, byteLength: 0 };
}
