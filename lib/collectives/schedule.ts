// A collective operation of one rank as a schedule: rounds of local operations, sends and receives. Within a round the
// local operations that were named before its first message run first, in order; then its sends and receives are all
// posted; local operations that were named later run while these are under way, and touch nothing that they touch. It ends
// when all are done, and the next begins. (Hoefler, Lumsdaine, Rehm 2007, "Implementation and Performance Analysis of
// Non-Blocking Collective Operations for MPI".)
//
// Algorithms keep the rounds of all ranks aligned: what one sends in its round k the other receives in its round k. So
// all messages between two ranks are matched in the order in which both name them, whatever else is merged in.
import type { Passed } from '../bytes.js';
import type { Check } from './check.js';
import { takeScratch } from './scratch.js';

/** A record of a schedule: [kind, peer, buffer, offset, byteLength, buffer2, offset2, extra]. */
export const RECORD = 8;

export enum Kind {
  /** Of a round. */
  End = 0,
  /** From buffer + offset to the rank `peer`. */
  Send = 1,
  /**
   * Into buffer + offset from the rank `peer`, as many bytes. With `extra` it is that many that have to come, equal to
   * those at buffer2 + offset2; fewer or more, or others, are a mismatch as well.
   */
  Recv = 2,
  /** From buffer2 + offset2 to buffer + offset, which may overlap. */
  Copy = 3,
  /** buffer + offset op= buffer2 + offset2; `extra` is the kind of reduction. */
  Reduce = 4,
}

/** A place in one of the buffers of a schedule: 0 is its scratch, 1 and up are the program's. In bytes. */
export interface Place {
  readonly buffer: number;
  readonly offset: number;
}

export const SCRATCH = 0;
export const INTO: Place = { buffer: 1, offset: 0 };
export const FROM: Place = { buffer: 2, offset: 0 };

export function at(place: Place, bytes: number): Place {
  return { buffer: place.buffer, offset: place.offset + bytes };
}

/** The longest text of what a rank has called, in bytes. */
export const MOST_CALLED = 256;

// Enough for every element type, and no line of the cache is shared by two parts.
const ALIGNMENT = 64;

/** Builds a schedule. Ranks are the communicator's. */
export class Schedule {
  readonly rank: number;
  readonly size: number;
  readonly #reduction: { forward: number; reversed: number } | undefined;
  readonly #rounds: number[][] = [[]];
  #scratchBytes = 0;
  /** What is made of it once, for all the times that it is carried out (channel.ts). */
  prepared: { readonly check: Check; readonly records: Float64Array } | undefined;
  #called: { place: Place; bytes: Uint8Array } | undefined;

  /** `reduction`: the `extra` of a reduction, and of one whose operands change places. */
  constructor(rank: number, size: number, reduction?: { forward: number; reversed: number }) {
    this.rank = rank;
    this.size = size;
    this.#reduction = reduction;
  }

  /**
   * Scratch, as it is when it begins, each time it is carried out; for giveScratch(). After records().
   * @throws RangeError: there is no such memory
   */
  memory(): Uint8Array {
    const memory = takeScratch(this.#scratchBytes);
    if (this.#called !== undefined) memory.set(this.#called.bytes, this.#called.place.offset);
    return memory;
  }

  /** Memory of its own. */
  scratch(bytes: number): Place {
    const offset = this.#scratchBytes;
    this.#scratchBytes += Math.ceil(bytes / ALIGNMENT) * ALIGNMENT;
    return { buffer: SCRATCH, offset };
  }

  send(to: number, from: Place, bytes: number): void {
    this.#transfer(Kind.Send, to, from, bytes);
  }

  recv(from: number, into: Place, bytes: number): void {
    this.#transfer(Kind.Recv, from, into, bytes);
  }

  copy(into: Place, from: Place, bytes: number): void {
    if (bytes > 0) this.#local(Kind.Copy, into, from, bytes, 0);
  }

  /** `into` = `into` op `from`. What `into` holds comes from lower ranks than what `from` holds, unless op commutes. */
  reduce(into: Place, from: Place, bytes: number): void {
    if (bytes > 0) this.#local(Kind.Reduce, into, from, bytes, this.#reduction!.forward);
  }

  /** `into` = `from` op `into`. */
  reduceBefore(into: Place, from: Place, bytes: number): void {
    if (bytes > 0) this.#local(Kind.Reduce, into, from, bytes, this.#reduction!.reversed);
  }

  /** Begins the next round. */
  next(): void {
    this.#rounds.push([]);
  }

  /**
   * Its records, once, with ranks as `toWorld` gives them; each round ends with an End. Before others the first rounds
   * have the messages by which ranks see that all have called the same (check.ts): `called`, at most MOST_CALLED bytes.
   * Within a round receives come before sends, so that what comes meets them.
   */
  records(toWorld: (rank: number) => number, called: Uint8Array): Float64Array {
    const rounds = this.#rounds;
    while (rounds.length > 0 && rounds.at(-1)!.length === 0) rounds.pop();
    const checks = doublings(this.size);
    const place = this.scratch(called.length);
    const { offset } = place;
    this.#called = { place, bytes: called };
    const flat: number[] = [];
    for (let i = 0; i < Math.max(rounds.length, checks); i += 1) {
      const round = rounds[i] ?? [];
      const messages = firstMessage(round);
      append(flat, round.slice(0, messages), isLocal);
      if (i < checks) {
        const room = this.scratch(MOST_CALLED).offset;
        const teller = tellerOf(this.rank, this.size, i);
        flat.push(Kind.Recv, teller, SCRATCH, room, MOST_CALLED, SCRATCH, offset, called.length);
      }
      append(flat, round, (kind) => kind === Kind.Recv);
      if (i < checks) {
        flat.push(Kind.Send, toldBy(this.rank, this.size, i), SCRATCH, offset, called.length, 0, 0, 0);
      }
      append(flat, round, (kind) => kind === Kind.Send);
      append(flat, round.slice(messages), isLocal);
      flat.push(Kind.End, 0, 0, 0, 0, 0, 0, 0);
    }
    const records = new Float64Array(flat);
    for (let i = 0; i < records.length; i += RECORD) {
      const kind = records[i]!;
      if (kind === Kind.Send || kind === Kind.Recv) records[i + 1] = toWorld(records[i + 1]!);
    }
    return records;
  }

  #transfer(kind: Kind, peer: number, place: Place, bytes: number): void {
    this.#rounds.at(-1)!.push(kind, peer, place.buffer, place.offset, bytes, 0, 0, 0);
  }

  #local(kind: Kind, into: Place, from: Place, bytes: number, extra: number): void {
    this.#rounds.at(-1)!.push(kind, 0, into.buffer, into.offset, bytes, from.buffer, from.offset, extra);
  }
}

function isLocal(kind: Kind): boolean {
  return kind === Kind.Copy || kind === Kind.Reduce;
}

/** Where in a round its first message is. 0 if it has none: then what is to be checked goes first, for others wait for it. */
function firstMessage(round: readonly number[]): number {
  for (let at = 0; at < round.length; at += RECORD) if (!isLocal(round[at]!)) return at;
  return 0;
}

/** Those records of a round. */
function append(flat: number[], round: readonly number[], which: (kind: Kind) => boolean): void {
  for (let at = 0; at < round.length; at += RECORD) {
    if (!which(round[at]!)) continue;
    for (let i = at; i < at + RECORD; i += 1) flat.push(round[i]!);
  }
}

/** The number of rounds in which something that doubles grows from 1 to `size`. */
export function doublings(size: number): number {
  return Math.ceil(Math.log2(size));
}

/** Whom `rank` tells in this round of a dissemination, and who tells it. */
export function toldBy(rank: number, size: number, round: number): number {
  return (rank + 2 ** round) % size;
}

export function tellerOf(rank: number, size: number, round: number): number {
  return (rank - 2 ** round + size) % size;
}

/** The parts of the program's buffers that the records write to. */
export function* writtenBy(records: Float64Array, buffers: readonly Passed[]): Iterable<Uint8Array> {
  for (let i = 0; i < records.length; i += RECORD) {
    const [kind, , buffer, offset, bytes] = records.subarray(i, i + RECORD);
    if (kind === Kind.End || kind === Kind.Send || buffer === SCRATCH) continue;
    const data = buffers[buffer! - 1]!;
    yield ArrayBuffer.isView(data)
      ? new Uint8Array(data.buffer, data.byteOffset + offset!, bytes!)
      : new Uint8Array(data, offset!, bytes!);
  }
}
