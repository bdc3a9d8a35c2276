// The lines that benchmarks print: one JSON object each. What two ends of a peer print ("samples", "overlap", "notify")
// is for the measure that started them; what a measure prints is for people's scripts and for `uintr bench`.
import type { Summary } from './stats.js';

/** Printed by end 0 of a peer: times in microseconds. */
export interface SamplesLine {
  bench: 'samples';
  bytes: number;
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

export interface MachineLine {
  bench: 'machine';
  cpu: string;
  cores: number;
  kernel: string;
  node: string;
  /** Its version, where it is installed. */
  openmpi?: string;
  /** Processors the two ends are pinned to; absent where they are not, and `notPinned` says why. */
  cpus?: [number, number];
  notPinned?: string;
}

export interface ProgressLine {
  bench: 'progress';
  measure: string;
  step: number;
  steps: number;
  what: string;
}

export interface SkippedLine {
  bench: 'skipped';
  measure: string;
  contestant: string;
  title: string;
  reason: string;
}

export interface ResultLine {
  bench: 'result';
  measure: string;
  contestant: string;
  title: string;
  /** 0 where nothing is carried. */
  bytes: number;
  scenario?: Scenario | Way;
  /** Microseconds as measured (per message in a window). */
  time: Summary;
  /** The measure's own figure, from the same samples. `best` is that of the shortest time, `p99` that which 99 % of the samples reach. */
  figure: { unit: Unit; median: number; best: number; p99: number };
  window?: number;
  driver?: string;
  copy?: string;
  /** By what the receiver gets to know (notify). */
  how?: string;
  /** User interrupts were emulated: such a time says nothing, and no ratio is made of it. */
  emulated?: true;
}

export type Unit = 'µs' | 'GB/s' | 'exposed';

/** Median by median, both of this run. */
export interface RatioLine {
  bench: 'ratio';
  measure: string;
  bytes: number;
  scenario?: ResultLine['scenario'];
  of: string;
  to: string;
  /** In figures: `of` divided by `to`. */
  value: number;
}

/** Something a reader has to know to judge the figures. */
export interface NoteLine {
  bench: 'note';
  measure: string;
  text: string;
}

export interface ReferenceLine {
  bench: 'reference';
  measure: string;
  bytes: number;
  /** Whose transfer time t_ref is. */
  by: string;
  time: Summary;
}

export type PeerLine = SamplesLine | OverlapLine | NotifyLine;
export type MeasureLine = MachineLine | ProgressLine | SkippedLine | ResultLine | RatioLine | NoteLine | ReferenceLine;
export type Line = PeerLine | MeasureLine;
export type Emit = (line: MeasureLine) => void;

const opening = '{"bench":';

export function format(line: Line): string {
  return JSON.stringify(line);
}

/** The line in a text, or undefined if it is none; launchers write their rank before what a process prints. */
export function parse(text: string): Line | undefined {
  const at = text.indexOf(opening);
  if (at < 0) return undefined;
  try {
    return JSON.parse(text.slice(at)) as Line;
  } catch {
    return undefined;
  }
}

export function printSamples(line: Omit<SamplesLine, 'bench'>): void {
  print({ bench: 'samples', ...line, micros: line.micros.map(nanosecond) });
}

export function printOverlap(line: Omit<OverlapLine, 'bench'>): void {
  const rounded = (rows: number[][]) => rows.map((row) => row.map(nanosecond));
  print({ bench: 'overlap', ...line, alone: rounded(line.alone), total: rounded(line.total) });
}

export function printNotify({ oneWay = [], roundTrip = [], ...line }: Omit<NotifyLine, 'bench'>): void {
  print({ bench: 'notify', ...line, oneWay: oneWay.map(nanosecond), roundTrip: roundTrip.map(nanosecond) });
}

function print(line: PeerLine): void {
  process.stdout.write(`${format(line)}\n`);
}

/** Digits beyond the nanosecond are the clock's noise. */
function nanosecond(micros: number): number {
  return Math.round(micros * 1000) / 1000;
}
