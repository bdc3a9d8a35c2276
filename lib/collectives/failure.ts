// How a collective operation of a communicator has failed, as it is told to its other ranks in the Revoke context: tag is
// the operation's place in the order of the collectives, the bytes are this as JSON. After it the communicator can have
// no more collectives, for its ranks are no longer at the same one (compare MPI_Comm_revoke of ULFM).
import { Buffer } from 'node:buffer';
import { type ExitCause, UintrError } from '../errors.js';
import type { Group } from '../group.js';

/** The longest that is sent, in bytes. */
export const FAILURE_BYTES = 512;

export class Failure {
  /** Which operation has failed. */
  readonly sequence: number;
  /** The rank it failed on, as a rank of the world. */
  readonly origin: number;
  readonly #code: string;
  readonly #text: string;
  // The rank that is gone, of the world, and how.
  readonly #gone: { peer: number; cause: ExitCause } | undefined;
  /** What it failed with, on the rank where it did. */
  readonly #error: unknown;

  private constructor(
    sequence: number,
    origin: number,
    code: string,
    text: string,
    gone: { peer: number; cause: ExitCause } | undefined,
    error?: unknown,
  ) {
    this.sequence = sequence;
    this.origin = origin;
    this.#code = code;
    this.#text = text;
    this.#gone = gone;
    this.#error = error;
  }

  /** It failed here. */
  static of(sequence: number, origin: number, error: unknown): Failure {
    const { code, message, peer, cause } = asError(error);
    const gone =
      code === 'ERR_UINTR_PEER_EXITED' && peer !== undefined ? { peer, cause: cause as ExitCause } : undefined;
    return new Failure(sequence, origin, code ?? '', message, gone, error);
  }

  /** It failed on another rank, which sent this. What it says is believed only as far as an error goes. */
  static read(sequence: number, sender: number, bytes: Uint8Array): Failure {
    let said: Record<string, unknown> = {};
    try {
      const value: unknown = JSON.parse(Buffer.from(bytes).toString());
      if (typeof value === 'object' && value !== null) said = value as Record<string, unknown>;
    } catch {
      // It says nothing then.
    }
    const { origin, code, text, peer, cause } = said;
    const isGone =
      Number.isInteger(peer) && (cause === 'closed' || cause === 'exited' || cause === 'killed') ? true : undefined;
    return new Failure(
      sequence,
      Number.isInteger(origin) ? (origin as number) : sender,
      typeof code === 'string' ? code : '',
      typeof text === 'string' ? text : 'it did not say why',
      isGone && { peer: peer as number, cause: cause as ExitCause },
    );
  }

  /** At most FAILURE_BYTES. */
  write(): Uint8Array {
    const say = (text: string): Buffer =>
      Buffer.from(JSON.stringify({ origin: this.origin, code: this.#code, text, ...this.#gone }));
    let text = this.#text.slice(0, FAILURE_BYTES);
    while (text !== '' && say(text).length > FAILURE_BYTES) text = text.slice(0, text.length / 2);
    return say(text);
  }

  /** What operation number `sequence` fails with for that. */
  errorFor(sequence: number, group: Group): Error {
    const { rank } = group;
    const own = group.toGroup(this.origin);
    const text = own === rank ? this.#text : `rank ${own ?? '?'}: ${this.#text}`;
    const gone = this.#gone;
    if (gone !== undefined) {
      const peer = group.toGroup(gone.peer);
      return new UintrError('ERR_UINTR_PEER_EXITED', `rank ${peer ?? '?'} is gone (${gone.cause})`, {
        rank,
        peer,
        cause: gone.cause,
      });
    }
    if (this.#code === 'ERR_UINTR_MISMATCH' && sequence === this.sequence) {
      return new UintrError('ERR_UINTR_MISMATCH', text, { rank });
    }
    const cause = this.#error ?? new Error(text);
    return new UintrError('ERR_UINTR_REVOKED', `a collective operation of this communicator has failed: ${text}`, {
      rank,
      peer: own === rank ? undefined : own,
      cause,
    });
  }
}

interface Described {
  code?: string;
  message: string;
  peer?: number;
  cause?: unknown;
}

/** Anything can be thrown by a function of the program's. */
function asError(error: unknown): Described {
  if (error instanceof Error) {
    const { code, message, peer, cause } = error as Described;
    return { code: typeof code === 'string' ? code : undefined, message: String(message), peer, cause };
  }
  return { message: typeof error === 'string' ? error : 'a value was thrown that is no error' };
}
