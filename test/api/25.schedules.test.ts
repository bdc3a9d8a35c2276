// Collective operations: the schedules of all ranks together give every rank what it has to get. Here without processes,
// so that there can be many of them.
import { Buffer } from 'node:buffer';
import type { Passed } from '../../lib/bytes.js';
import type { Call } from '../../lib/collectives/channel.js';
import * as moving from '../../lib/collectives/moving.js';
import * as reducing from '../../lib/collectives/reducing.js';
import { reduceBytes } from '../../lib/collectives/reductions.js';
import { Kind, RECORD } from '../../lib/collectives/schedule.js';
import {
  type Case,
  countedCases,
  movingCases,
  named,
  type Operations,
  OWN_FUNCTION,
  reducingCases,
} from '../helpers/collective-cases.js';
import { ARRAYS, opsOf } from '../helpers/reference.js';
import { shortenThresholds } from '../helpers/thresholds.js';

type AnyCall = Call<unknown>;

/** What stands for a communicator: starting an operation gives its call. */
function operations(rank: number, size: number): Operations<AnyCall> {
  const ranks = { rank, size };
  const bound = Object.entries({ ...moving, ...reducing })
    .filter(([name]) => name.startsWith('call'))
    .map(([name, call]) => {
      const start = (...args: unknown[]): AnyCall => (call as (...all: unknown[]) => AnyCall)(ranks, ...args);
      return [`i${name[4]!.toLowerCase()}${name.slice(5)}`, start];
    });
  return Object.fromEntries(bound) as Operations<AnyCall>;
}

interface Sent {
  bytes: Uint8Array;
  round: number;
}

function view(data: Passed): Uint8Array {
  return ArrayBuffer.isView(data)
    ? new Uint8Array(data.buffer, data.byteOffset, data.byteLength)
    : new Uint8Array(data);
}

function overlap(one: Uint8Array, others: readonly Uint8Array[]): boolean {
  const [begin, end] = [one.byteOffset, one.byteOffset + one.length];
  return others.some(
    ({ buffer, byteOffset, length }) => buffer === one.buffer && byteOffset < end && begin < byteOffset + length,
  );
}

/** One rank that carries out its schedule, with messages in `mail`, by receiver and sender. */
class Rank {
  readonly #rank: number;
  readonly #call: AnyCall;
  readonly #records: Float64Array;
  readonly #buffers: Uint8Array[];
  readonly #mail: Sent[][][];
  #at = 0;
  #round = 0;
  #receives: { from: number; into: Uint8Array; expected: Uint8Array | undefined }[] = [];

  constructor(rank: number, call: AnyCall, mail: Sent[][][]) {
    this.#rank = rank;
    this.#call = call;
    // With the messages of the check, which must not change what meets what.
    this.#records = call.schedule.records((peer) => peer, new TextEncoder().encode(call.called));
    this.#buffers = [call.schedule.memory(), ...call.buffers.map(view)];
    this.#mail = mail;
  }

  get done(): boolean {
    return this.#at >= this.#records.length && this.#receives.length === 0;
  }

  /** Whether anything could be done. */
  step(): boolean {
    const [next] = this.#receives;
    if (next !== undefined) {
      const sent = this.#mail[this.#rank]![next.from]!.shift();
      if (sent === undefined) return false;
      if (sent.round !== this.#round) throw new Error(`sent in round ${sent.round}, received in round ${this.#round}`);
      const { expected = next.into } = next;
      if (sent.bytes.length !== expected.length) {
        throw new Error(`${sent.bytes.length} bytes where ${expected.length} are expected`);
      }
      next.into.set(sent.bytes);
      if (next.expected !== undefined && Buffer.compare(sent.bytes, next.expected) !== 0)
        throw new Error('other bytes');
      this.#receives.shift();
      if (this.#receives.length === 0) this.#round += 1;
      return true;
    }
    if (this.done) return false;
    this.#begin();
    if (this.#receives.length === 0) this.#round += 1;
    return true;
  }

  #begin(): void {
    const records = this.#records;
    // By the messages of this round.
    const read: Uint8Array[] = [];
    const written: Uint8Array[] = [];
    for (; ; this.#at += RECORD) {
      const [kind, peer, buffer, offset, bytes, buffer2, offset2, extra] = records.subarray(this.#at);
      if (kind === Kind.End) break;
      const place = this.#place(buffer!, offset!, bytes!);
      if (kind === Kind.Send) {
        this.#mail[peer!]![this.#rank]!.push({ bytes: place.slice(), round: this.#round });
        read.push(place);
      } else if (kind === Kind.Recv) {
        const expected = extra === 0 ? undefined : this.#place(buffer2!, offset2!, extra!);
        this.#receives.push({ from: peer!, into: place, expected });
        written.push(place);
      } else if (overlap(place, [...read, ...written]) || overlap(this.#place(buffer2!, offset2!, bytes!), written)) {
        throw new Error('a local operation touches what a message on its way does');
      } else if (kind === Kind.Copy) place.set(this.#place(buffer2!, offset2!, bytes!));
      else reduceBytes(extra!, place, this.#place(buffer2!, offset2!, bytes!), this.#call.combine);
    }
    this.#at += RECORD;
  }

  #place(buffer: number, offset: number, bytes: number): Uint8Array {
    const whole = this.#buffers[buffer]!;
    if (offset < 0 || offset + bytes > whole.length) throw new Error(`outside of buffer ${buffer}`);
    return whole.subarray(offset, offset + bytes);
  }
}

function run(one: Case, size: number): void {
  const all = Array.from({ length: size }, (_, rank) => rank);
  const parts = all.map((rank) => one.of(rank, size));
  const calls = all.map((rank) => parts[rank]!.start(operations(rank, size)));
  expect(new Set(calls.map(({ called }) => called)).size).toBe(1);
  const mail = all.map(() => all.map((): Sent[] => []));
  const ranks = all.map((rank) => new Rank(rank, calls[rank]!, mail));
  // Not all at the same pace: those of odd ranks as far as they come, before the others do anything.
  const order = [...ranks.filter((_, i) => i % 2 === 1), ...ranks.filter((_, i) => i % 2 === 0)];
  while (order.some((rank) => !rank.done)) {
    let moved = false;
    for (const rank of order) while (rank.step()) moved = true;
    if (!moved) throw new Error('all ranks wait for each other');
  }
  if (mail.flat(2).length > 0) throw new Error('messages are left');
  for (const part of parts) part.check();
}

function runAll(cases: readonly Case[], sizes: readonly number[]): void {
  for (const size of sizes) {
    for (const one of cases) {
      try {
        run(one, size);
      } catch (error) {
        throw new Error(`${one.name}, ${size} ranks: ${(error as Error).message}`, { cause: error });
      }
    }
  }
}

const SIZES = [1, 2, 3, 4, 5, 6, 7, 8, 9, 13, 16, 17];

/** Lengths just below, at and just above a threshold. */
const around = (bytes: number): number[] => [bytes - 8, bytes, bytes + 8];

/** The first, the last and one in the middle. */
const rootsOf = (size: number): number[] => [...new Set([0, Math.floor(size / 2), size - 1])];

const only = (operation: string, cases: readonly Case[]): Case[] =>
  cases.filter(({ name }) => name.startsWith(`${operation} `));

describe('schedules', () => {
  afterEach(() => void shortenThresholds(1));

  it('1. of what only moves data, for powers of two and other sizes', () => {
    for (const size of SIZES) {
      for (const root of rootsOf(size)) {
        for (const bytes of [0, 1, 24]) runAll(movingCases(bytes, root), [size]);
        runAll(countedCases(5, root), [size]);
      }
    }
  });

  it('2. of what only moves data, at every threshold', () => {
    const { treeBlockLong, alltoallMedium } = shortenThresholds(1);
    for (const bytes of around(treeBlockLong)) {
      runAll([...only('gather', movingCases(bytes, 1)), ...only('scatter', movingCases(bytes, 1))], [2, 5, 8]);
    }
    for (const bytes of around(alltoallMedium)) runAll(only('alltoall', movingCases(bytes, 0)), [7, 8, 9]);
    const { bcastLong, alltoallLong, allgatherBruckLong, allgatherDoublingLong } = shortenThresholds(128);
    for (const bytes of around(bcastLong)) runAll(only('bcast', movingCases(bytes, 1)), [2, 3, 4, 5, 8]);
    for (const bytes of around(alltoallLong)) runAll(only('alltoall', movingCases(bytes, 0)), [3, 4]);
    for (const size of [3, 4]) {
      const bytes = Math.ceil((size === 3 ? allgatherBruckLong : allgatherDoublingLong) / size);
      runAll([...only('allgather', movingCases(bytes, 0)), ...only('allgather', movingCases(bytes - 1, 0))], [size]);
    }
  });

  it('3. of reductions, for powers of two and other sizes', () => {
    for (const size of SIZES) {
      for (const root of rootsOf(size)) {
        runAll(reducingCases(named(Float64Array, 'sum'), 3, root), [size]);
        runAll(reducingCases(OWN_FUNCTION, 2, root), [size]);
        runAll(reducingCases(OWN_FUNCTION, 0, root), [size]);
      }
    }
  });

  it('4. of reductions, at every threshold', () => {
    const { reduceSegment, allreduceLong, allreduceRing, reduceScatterLong } = shortenThresholds(128);
    for (const kind of [named(Int32Array, 'bxor'), OWN_FUNCTION]) {
      for (const bytes of [...around(reduceSegment), 2 * reduceSegment, 7 * reduceSegment + 8]) {
        for (const size of [1, 2, 3, 6, 8, 9]) {
          for (const root of rootsOf(size)) runAll(only('reduce', reducingCases(kind, bytes / 4, root)), [size]);
        }
      }
      for (const bytes of around(allreduceLong)) {
        runAll(only('allreduce', reducingCases(kind, bytes / 4, 0)), [3, 6, 8]);
      }
    }
    for (const bytes of around(allreduceRing)) {
      runAll(only('allreduce', reducingCases(named(Int32Array, 'bxor'), bytes / 4, 0)), [3, 4]);
    }
    for (const size of [3, 4]) {
      const length = Math.ceil(reduceScatterLong / size / 4);
      runAll(only('reduceScatter', reducingCases(named(Int32Array, 'sum'), length, 0)), [size]);
      runAll(only('reduceScatter', reducingCases(named(Int32Array, 'sum'), length - 1, 0)), [size]);
    }
  });

  it('5. of every operation on every type', () => {
    for (const array of ARRAYS) {
      for (const op of opsOf(array)) runAll(reducingCases(named(array, op), 9, 1), [3, 4]);
    }
  });
});
