// That all ranks have called the same: dissemination (Hensgen, Finkel, Manber 1988, "Two Algorithms for Barrier
// Synchronization"), merged into the rounds of the operation. In round k each rank tells the one 2^k further on what it
// has called; who has heard that of the same call log2(size) times has, through others, heard it from all. (The idea of
// checking is that of Falzone, Chan, Lusk, Gropp 2005, "Collective Error Detection for MPI Collective Operations".)
//
// The first of them is, whatever a rank has called, the first message to its neighbour, so that a difference is always
// noticed somewhere, and never ends in two ranks that wait for each other.
import { Buffer } from 'node:buffer';
import { UintrError } from '../errors.js';
import { doublings, tellerOf, toldBy } from './schedule.js';

const PREFIX = 'collective:';
const MOST_BYTES = 256;

/** What this rank has called, and what it hears from others. */
export class Check {
  readonly #rank: number;
  readonly #size: number;
  readonly #called: string;
  /** To be sent. */
  readonly message: Uint8Array;

  constructor(rank: number, size: number, called: string) {
    this.#rank = rank;
    this.#size = size;
    this.#called = called;
    this.message = Buffer.from((PREFIX + called).slice(0, MOST_BYTES), 'latin1');
  }

  get rounds(): number {
    return doublings(this.#size);
  }

  to(round: number): number {
    return toldBy(this.#rank, this.#size, round);
  }

  from(round: number): number {
    return tellerOf(this.#rank, this.#size, round);
  }

  /** What to receive into. */
  room(): Uint8Array {
    return new Uint8Array(MOST_BYTES);
  }

  /** Throws unless these bytes, from that rank, say what this rank says. */
  compare(bytes: Uint8Array, from: number): void {
    if (Buffer.compare(bytes, this.message) === 0) return;
    const said = Buffer.from(bytes).toString('latin1');
    throw mismatch(
      this.#rank,
      from,
      said.startsWith(PREFIX) ? said.slice(PREFIX.length) : 'something else',
      this.#called,
    );
  }

  /** Of a message of the operation itself, which may be looked at before what its sender says that it has called. */
  tooLong(from: number): UintrError {
    return mismatch(this.#rank, from, 'something that sends more bytes than are expected', this.#called);
  }

  /** As tooLong(). */
  wrongLength(from: number, bytes: number, expected: number): UintrError {
    return mismatch(
      this.#rank,
      from,
      `something that sends ${bytes} bytes where ${expected} are expected`,
      this.#called,
    );
  }
}

function mismatch(rank: number, peer: number, theirs: string, ours: string): UintrError {
  return new UintrError('ERR_UINTR_MISMATCH', `rank ${peer} called ${theirs}, and rank ${rank} ${ours}`, {
    rank,
    peer,
  });
}
