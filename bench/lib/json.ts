// The lines that measures print, one JSON object each: for people's scripts, for `uintr bench` and its files.
import type { PeerLine } from './peer-lines.js';
import type { Summary } from './stats.js';

export interface MachineLine {
  bench: 'machine';
  cpu: string;
  cores: number;
  kernel: string;
  node: string;
  /** This package's version, and what `driver: 'auto'` is here. */
  uintr: string;
  driver: string;
  /** Versions, where they are installed. */
  openmpi?: string;
  mpich?: string;
  zeromq?: string;
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
  scenario?: string;
  /** Or workers, where it is measured with several numbers of them. */
  ranks?: number;
  /** Microseconds as measured (per message in a window). */
  time: Summary;
  /** The measure's own figure, from the same samples. `best` is that of the shortest time, `p99` that which 99 % of the samples reach. */
  figure: { unit: Unit; median: number; best: number; p99: number; p999?: number; worst?: number };
  window?: number;
  driver?: string;
  copy?: string;
  /** By what the receiver gets to know (notify). */
  how?: string;
  /** Of counter, medians: operations in a case, and what all workers together have spent for a million of them. */
  spent?: { operations: number; cpuSeconds: number; voluntary: number; involuntary: number };
  /** User interrupts were emulated: such a time says nothing, and no ratio is made of it. */
  emulated?: true;
}

export type Unit =
  | 'µs'
  | 'GB/s'
  | 'M/s'
  | 'k/s'
  | 'exposed'
  | 'available'
  | 'ov'
  | 'overlap'
  | '%'
  | 'W'
  | 'KiB'
  | 'per thousand';

/** Median by median, both of this run. */
export interface RatioLine {
  bench: 'ratio';
  measure: string;
  bytes: number;
  scenario?: ResultLine['scenario'];
  ranks?: number;
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
