// The lines that the ends of a peer print, for the measure that started them: one JSON object each.
import type { Series } from './counter-plan.js';
import { format } from './json.js';

/** Printed by end 0 of a peer: times in microseconds. */
export interface SamplesLine {
  bench: 'samples';
  bytes: number;
  /** Where a program measures several. */
  scenario?: string;
  window?: number;
  micros: number[];
  driver?: string;
  copy?: string;
}

/** Printed by end 0 of a peer that measured overlap: one scenario at one size. */
export interface OverlapLine {
  bench: 'overlap';
  scenario: Scenario;
  bytes: number;
  /** The fixed work alone, on each end that computes. */
  alone: number[][];
  /** From posting the request to its completion, on each end that computes. */
  total: number[][];
  driver?: string;
  copy?: string;
}

/** Printed by the host of Sandia's post-work-wait, in microseconds: without work, with the last work tried, and that alone. */
export interface AvailabilityLine {
  bench: 'availability';
  /** What the host does that computes, and whether for as long as four transfers. */
  scenario: `${Exclude<Scenario, 'both'>}${'' | '-long'}`;
  bytes: number;
  base: number[];
  iter: number[];
  alone: number[];
  driver?: string;
  copy?: string;
}

/** Printed by rank 0 of MadMPI's overlap, in microseconds. */
export interface MadmpiLine {
  bench: 'madmpi';
  scenario: Scenario;
  bytes: number;
  /** Half a round trip of nothing. */
  lat0: number;
  /** A transfer without computation, less lat0. */
  latref: number;
  /** What the clock bounded the computation to. */
  compute: number;
  /** With computation. */
  rtt: number[];
  driver?: string;
  copy?: string;
}

/** Printed by a rank that has waited, in microseconds: for how long, and what processor time it spent. */
export interface IdleLine {
  bench: 'idle';
  waited: number;
  spent: number;
  driver?: string;
}

/** Printed by rank 0, of both ranks' handlers: element i counts the runs of 2^i to 2^(i+1) cycles. */
export interface HandlerLine {
  bench: 'handler';
  bytes: number;
  cycles: number[];
  driver: string;
  copy: string;
}

/** Printed by rank 0 of a nonblocking collective operation, in microseconds. */
export interface CollectiveOverlapLine {
  bench: 'collective-overlap';
  scenario: string;
  bytes: number;
  /** The operation where nobody computes, the slowest rank's median. */
  pure: number;
  /** By how much computation and operation took longer than that computation alone, on the slowest rank. */
  exposed: number[];
  driver?: string;
}

/** Printed by rank 0 of many, times in microseconds, memory in bytes. */
export interface ScaleLine {
  bench: 'scale';
  ranks: number;
  /** From when the last rank began to join until the last one had joined. */
  join: number;
  /** Of the slowest rank, by length of a block. */
  alltoall: { bytes: number; micros: number[] }[];
  pair?: PairTimes;
  shared: SharedMemory;
  driver?: string;
}

/** Of a short message between ranks 0 and 1, while the others are silent, and beside receives posted for others. */
export interface PairTimes {
  silent: number[];
  posted: number[];
}

/** Shared memory in use in all ranks together: nobody has talked, each has with one other, each has with each. */
export interface SharedMemory {
  joined: number;
  neighbours: number;
  all: number;
}

/** Printed by who leads workers that count, in microseconds: one number of them, in one series. */
export interface CounterLine {
  bench: 'counter';
  series: Series;
  workers: number;
  operations: number;
  /** From the first worker's first operation to the last one's last. */
  micros: number;
  /** Of all workers together. */
  cpuMicros: number;
  /** Context switches. */
  voluntary: number;
  involuntary: number;
}

/** Printed by the same: what workers spent while they waited for a lock whose holder did not run. */
export interface HeldLine {
  bench: 'held';
  workers: number;
  micros: number;
  cpuMicros: number;
}

export type Scenario = 'sender' | 'receiver' | 'both';

/** What the end that is notified does meanwhile. */
export type State = 'running' | 'asleep';

/** Printed by end 0 of a mechanism of notification, for each state: times in microseconds, or why it has none. */
export interface NotifyLine {
  bench: 'notify';
  state: State;
  reason?: string;
  /** By what an end gets to know. */
  how?: string;
  /** From just before the ring until the other end's program knows. */
  oneWay?: number[];
  /** Until the answer to that is known. */
  roundTrip?: number[];
  emulated?: true;
  driver?: string;
}

export type Way = `${State}, ${'one way' | 'round trip'}`;

export type PeerLine =
  | SamplesLine
  | OverlapLine
  | AvailabilityLine
  | MadmpiLine
  | IdleLine
  | HandlerLine
  | CollectiveOverlapLine
  | ScaleLine
  | CounterLine
  | HeldLine
  | NotifyLine;

export function printSamples(line: Omit<SamplesLine, 'bench'>): void {
  print({ bench: 'samples', ...line, micros: line.micros.map(nanosecond) });
}

export function printOverlap(line: Omit<OverlapLine, 'bench'>): void {
  const rounded = (rows: number[][]) => rows.map((row) => row.map(nanosecond));
  print({ bench: 'overlap', ...line, alone: rounded(line.alone), total: rounded(line.total) });
}

export function printAvailability({ base, iter, alone, ...line }: Omit<AvailabilityLine, 'bench'>): void {
  const [b, i, a] = [base, iter, alone].map((times) => times.map(nanosecond));
  print({ bench: 'availability', ...line, base: b, iter: i, alone: a });
}

export function printMadmpi(line: Omit<MadmpiLine, 'bench'>): void {
  print({ bench: 'madmpi', ...line, rtt: line.rtt.map(nanosecond) });
}

export function printCollectiveOverlap(line: Omit<CollectiveOverlapLine, 'bench'>): void {
  print({ bench: 'collective-overlap', ...line, exposed: line.exposed.map(nanosecond) });
}

export function printIdle(line: Omit<IdleLine, 'bench'>): void {
  print({ bench: 'idle', ...line });
}

export function printNotify({ oneWay = [], roundTrip = [], ...line }: Omit<NotifyLine, 'bench'>): void {
  print({ bench: 'notify', ...line, oneWay: oneWay.map(nanosecond), roundTrip: roundTrip.map(nanosecond) });
}

export function print(line: PeerLine): void {
  process.stdout.write(`${format(line)}\n`);
}

/** Digits beyond the nanosecond are the clock's noise. */
function nanosecond(micros: number): number {
  return Math.round(micros * 1000) / 1000;
}
