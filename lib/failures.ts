// A failed operation's record, as an error.
import type { Core } from './core.js';
import { closedError, type ExitCause, UintrError } from './errors.js';
import { R_CAUSE, R_ERROR, R_LENGTH, R_SOURCE, R_TAG, read64 } from './exchange.js';

// src-native/engine/types.h, enum Error
const TRUNCATED = 1;
const PEER_EXITED = 2;
const CLOSED = 3;
export const CANCELLED = 4;
export const NO_MEMORY = 5;
const PROTOCOL = 6;
const COPY_FAILED = 7;
const TIMEOUT = 8;
const MISMATCH = 9;

// src-native/engine/types.h, enum Cause
const CAUSES: readonly (ExitCause | undefined)[] = [undefined, 'closed', 'exited', 'killed'];

export function exitCause(code: number): ExitCause {
  return CAUSES[code] ?? 'killed';
}

/** Not what the receive in this record of a schedule expects; of this many bytes. Whoever posted it knows what to say. */
export class UnexpectedMessage extends Error {
  readonly record: number;
  readonly byteLength: number;

  constructor(record: number, byteLength: number) {
    super(`a message of ${byteLength} bytes is not what is expected`);
    this.record = record;
    this.byteLength = byteLength;
  }
}

/** `rank`: the own one, as the one in the record is meant; `data`: the buffer of the operation. */
export function failureOf(
  core: Core,
  rank: number,
  words: Int32Array,
  at: number,
  data: ArrayBufferView | ArrayBufferLike | undefined,
): Error {
  const source = words[at + R_SOURCE]!;
  const tag = words[at + R_TAG]!;
  const length = read64(words, at + R_LENGTH);
  const peer = source >= 0 && source < core.size ? source : undefined;
  const code = words[at + R_ERROR];
  switch (code) {
    case TRUNCATED:
      return new UintrError(
        'ERR_UINTR_TRUNCATED',
        `a message of ${length} bytes from rank ${source} with tag ${tag} does not fit ${data?.byteLength ?? 0} bytes`,
        { rank, peer },
      );
    case PEER_EXITED: {
      const cause = exitCause(words[at + R_CAUSE]!);
      const who = peer === undefined ? 'every other rank is gone' : `rank ${peer} is gone`;
      return new UintrError('ERR_UINTR_PEER_EXITED', `${who} (${cause})`, { rank, peer, cause });
    }
    case CLOSED:
      return closedError(rank);
    case NO_MEMORY:
      return new UintrError(
        'ERR_UINTR_NO_MEMORY',
        `no memory for a message of ${length} bytes from rank ${source} with tag ${tag}: the heap has ${core.native.heapBytes} bytes, and what was received without a buffer lies there until it is freed or collected`,
        { rank, peer },
      );
    case PROTOCOL:
      return new UintrError('ERR_UINTR_PROTOCOL', `rank ${peer} wrote what no correct engine writes`, { rank, peer });
    case COPY_FAILED:
      return new UintrError('ERR_UINTR_PROTOCOL', `the kernel refused a copy between rank ${rank} and rank ${peer}`, {
        rank,
        peer,
        errno: length,
        syscall: 'process_vm_readv',
      });
    case TIMEOUT:
      return new UintrError('ERR_UINTR_TIMEOUT', 'close() ran out of time before this was done', { rank, peer });
    case MISMATCH:
      return new UnexpectedMessage(tag, length);
    default:
      return new UintrError('ERR_UINTR_PROTOCOL', `the engine reported an unknown error ${code}`, { rank, peer });
  }
}

/** Which memory is missing. */
export function noMemory(core: Core): UintrError {
  const { rank, active, maxRequests } = core;
  // The engine keeps a few slots for itself.
  return active + 16 >= maxRequests
    ? new UintrError(
        'ERR_UINTR_NO_MEMORY',
        `${active} requests are outstanding, and the option 'maxRequests' allows ${maxRequests}`,
        { rank },
      )
    : new UintrError('ERR_UINTR_NO_MEMORY', 'no memory for the message', { rank });
}
