// That all ranks have called the same: dissemination (Hensgen, Finkel, Manber 1988, "Two Algorithms for Barrier
// Synchronization"), merged into the rounds of the operation. In round k each rank tells the one 2^k further on what it
// has called; who has heard that of the same call log2(size) times has, through others, heard it from all. (The idea of
// checking is that of Falzone, Chan, Lusk, Gropp 2005, "Collective Error Detection for MPI Collective Operations".)
//
// The first of them is, whatever a rank has called, the first message to its neighbour, so that a difference is always
// noticed somewhere, and never ends in two ranks that wait for each other.
import { Buffer } from 'node:buffer';
import { UintrError } from '../errors.js';
import { MOST_CALLED } from './schedule.js';

const PREFIX = 'collective:';

/** What this rank has called, and what it hears from others. */
export class Check {
  readonly #rank: number;
  /** In words. */
  readonly called: string;
  /** To be sent, and to be heard from others. */
  readonly message: Uint8Array;

  constructor(rank: number, called: string) {
    this.#rank = rank;
    this.called = called;
    this.message = Buffer.from((PREFIX + called).slice(0, MOST_CALLED), 'latin1');
  }

  /** What is wrong with these bytes, from that rank, if they do not say what this rank says. */
  compare(bytes: Uint8Array, from: number): UintrError | undefined {
    if (Buffer.compare(bytes, this.message) === 0) return undefined;
    const said = Buffer.from(bytes).toString('latin1');
    return mismatch(
      this.#rank,
      from,
      said.startsWith(PREFIX) ? said.slice(PREFIX.length) : 'something else',
      this.called,
    );
  }

  /** Of a message of the operation itself, which may be looked at before what its sender says that it has called. */
  tooLong(from: number): UintrError {
    return mismatch(this.#rank, from, 'something that sends more bytes than are expected', this.called);
  }

  /** As tooLong(). */
  wrongLength(from: number, bytes: number, expected: number): UintrError {
    return mismatch(
      this.#rank,
      from,
      `something that sends ${bytes} bytes where ${expected} are expected`,
      this.called,
    );
  }
}

function mismatch(rank: number, peer: number, theirs: string, ours: string): UintrError {
  return new UintrError('ERR_UINTR_MISMATCH', `rank ${peer} called ${theirs}, and rank ${rank} ${ours}`, {
    rank,
    peer,
  });
}
