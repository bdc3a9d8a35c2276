// What goes wrong, as errors that a program can tell apart by `code` (classes do not survive realms and copies).
import { inspect } from 'node:util';

/**
 * Why an operation failed:
 * - `ERR_UINTR_UNSUPPORTED`: this platform, processor or kernel lacks what is needed; `support()` tells more
 * - `ERR_UINTR_INVALID_ARGUMENT`: an argument is not what it has to be; the message has its name and value
 * - `ERR_UINTR_TRUNCATED`: the message was longer than the receive buffer (MPI_ERR_TRUNCATE)
 * - `ERR_UINTR_PEER_EXITED`: the rank `peer` is gone; `cause` is 'closed', 'exited' or 'killed'. Or the receiver of a doorbell
 * - `ERR_UINTR_CLOSED`: this rank's world is closed or closing; this communicator was freed; this receiver or sender of a doorbell, or this region, is closed
 * - `ERR_UINTR_TIMEOUT`: the time that the caller allowed is over
 * - `ERR_UINTR_NO_MEMORY`: no memory, or no request left of `maxRequests`
 * - `ERR_UINTR_JOIN`: the world could not be entered
 * - `ERR_UINTR_PROTOCOL`: a peer wrote what no correct engine writes
 * - `ERR_UINTR_MISMATCH`: the ranks of a communicator did not call the same collective operation, with the same root,
 *   operation, type and length
 * - `ERR_UINTR_DEADLOCK`: this thread owns the lock that it would wait for (EDEADLK)
 * - `ERR_UINTR_NOT_OWNER`: this thread does not own the lock that it would release (EPERM)
 * - `ERR_UINTR_OWNER_DIED`: an owner of the lock died with it, and what it guards may be half changed (EOWNERDEAD)
 * - `ERR_UINTR_REVOKED`: a collective operation of this communicator has failed, here or on another rank; `cause` says
 *   how. It can have no more of them. Or rank `peer` has come back (`rejoin`): communicators that had it are over, and
 *   the collective operations of the world begin anew
 */
export type UintrErrorCode =
  | 'ERR_UINTR_UNSUPPORTED'
  | 'ERR_UINTR_INVALID_ARGUMENT'
  | 'ERR_UINTR_TRUNCATED'
  | 'ERR_UINTR_PEER_EXITED'
  | 'ERR_UINTR_CLOSED'
  | 'ERR_UINTR_TIMEOUT'
  | 'ERR_UINTR_NO_MEMORY'
  | 'ERR_UINTR_JOIN'
  | 'ERR_UINTR_PROTOCOL'
  | 'ERR_UINTR_MISMATCH'
  | 'ERR_UINTR_DEADLOCK'
  | 'ERR_UINTR_NOT_OWNER'
  | 'ERR_UINTR_OWNER_DIED'
  | 'ERR_UINTR_REVOKED';

/** How a rank ended: it closed its world, it ended without, or it vanished (a signal, an exec). */
export type ExitCause = 'closed' | 'exited' | 'killed';

/** What an error may say besides its code and message. */
export interface UintrErrorDetails {
  rank?: number;
  peer?: number;
  errno?: number;
  syscall?: string;
  cause?: unknown;
}

/** Every error of this package, AbortErrors aside. */
export class UintrError extends Error {
  override readonly name: string = 'UintrError';
  /** What went wrong. */
  readonly code: UintrErrorCode;
  /** This rank, where it has one. Of an operation of a communicator it is the communicator's, as is `peer`. */
  declare readonly rank?: number;
  /** The other rank, where one is to blame or gone. */
  declare readonly peer?: number;
  /** Number of the system's error, as in <errno.h>. */
  declare readonly errno?: number;
  /** The system call that failed. */
  declare readonly syscall?: string;
  /** With ERR_UINTR_PEER_EXITED an ExitCause; else what led to this error. */
  declare readonly cause?: unknown;

  constructor(code: UintrErrorCode, message: string, details?: UintrErrorDetails) {
    super(message);
    this.code = code;
    for (const [key, value] of Object.entries(details ?? {})) {
      if (value !== undefined) Object.defineProperty(this, key, { value, enumerable: true, configurable: true });
    }
  }
}

/** The rejection of a request that was cancelled, or aborted without a reason of the program's own. */
export class AbortError extends Error {
  override readonly name: string = 'AbortError';
  readonly code: string = 'ABORT_ERR';
  constructor(message = 'The operation was aborted') {
    super(message);
  }
}

// Node 20 cannot inspect a DataView over a detached buffer.
function inspected(value: unknown): string {
  try {
    return inspect(value, { depth: 0, breakLength: Number.POSITIVE_INFINITY });
  } catch {
    return Object.prototype.toString.call(value);
  }
}

/** `name` is what the caller knows the argument as, `expected` completes "must be …". */
export function invalidArgument(name: string, expected: string, value: unknown): UintrError {
  const shown = typeof value === 'string' ? `'${value}'` : inspected(value);
  const short = shown.length > 120 ? `${shown.slice(0, 117)}...` : shown;
  return new UintrError('ERR_UINTR_INVALID_ARGUMENT', `'${name}' must be ${expected}; it is ${short}`);
}

export function closedError(rank?: number): UintrError {
  return new UintrError('ERR_UINTR_CLOSED', 'the world is closed', { rank });
}

export function freedError(rank: number, name: string): UintrError {
  return new UintrError('ERR_UINTR_CLOSED', `the communicator '${name}' was freed`, { rank });
}

/** `peer`, `rank`: in the communicator. */
export function returnedError(name: string, peer: number, rank: number): UintrError {
  const text = `rank ${peer} of '${name}' has come back, and begins anew`;
  return new UintrError('ERR_UINTR_REVOKED', text, { rank, peer });
}

export function timeoutError(ms: number, what: string): UintrError {
  return new UintrError('ERR_UINTR_TIMEOUT', `${what} took longer than ${ms} ms`);
}
