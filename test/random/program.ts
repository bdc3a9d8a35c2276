// A random program: what each rank does, and what has to come of it.
//
// All operations lie on one line of time, and each rank does its own in that order. Nobody waits for an operation
// before both its ends lie in the past, so no program can block; and what a receive gets either follows from MPI's
// rules of matching (exact sources), or is limited by them to an order per sender (wildcards). A collective operation has
// as many ends as there are ranks; one that blocks lies at the same time on all of them.
import type { Call } from './collectives.js';

/** Tags of the barrier between two programs; no message of a program has them. */
export const BARRIER = { go: 901, arrived: 902, released: 903 } as const;

/** Where the bytes lie. */
export type Place = 'plain' | 'offset' | 'shared' | 'heap' | 'buffer';
export const PLACES: readonly Place[] = ['plain', 'offset', 'shared', 'heap', 'buffer'];

export interface Send {
  kind: 'send';
  id: number;
  time: number;
  rank: number;
  dest: number;
  tag: number;
  size: number;
  synchronous: boolean;
  place: Place;
  /** Aborted after so much computing, and sent again if that withdrew it. */
  abortAfter?: number;
}

/** How a message is looked for before it is received; the last two take it out of matching. */
export type Probe = 'iprobe' | 'probe' | 'improbe' | 'mprobe';
export const PROBES: readonly Probe[] = ['iprobe', 'probe', 'improbe', 'mprobe'];

export interface Receive {
  kind: 'receive';
  id: number;
  time: number;
  rank: number;
  /** undefined: any. */
  source?: number;
  tag?: number;
  /** undefined: a receive without a buffer. */
  room?: number;
  place: Place;
  /** Probed for first, and received when it is there. */
  probe?: Probe;
  /** Cancelled after so much computing, and posted again if that succeeded. */
  cancelAfter?: number;
  /** The message it has to get; undefined where only the order is known, null where none will come. */
  gets?: Send | null;
}

export type WaitStyle =
  | 'await'
  | 'wait'
  | 'waitBriefly'
  | 'test'
  | 'done'
  | 'promiseAll'
  | 'waitAll'
  | 'waitAny'
  | 'testAny'
  | 'testSome';
export const WAIT_STYLES: readonly WaitStyle[] = [
  'await',
  'wait',
  'waitBriefly',
  'test',
  'done',
  'promiseAll',
  'waitAll',
  'waitAny',
  'testAny',
  'testSome',
];

/** One rank's part in a collective operation. Parts of one operation have one id; it is in the same order on all ranks. */
export interface Part {
  kind: 'collective';
  id: number;
  time: number;
  rank: number;
  call: Call;
  place: Place;
  /** Called as a promise, or waited for like that, before anything else; undefined: waited for later. */
  blocking?: WaitStyle | 'promise';
}

/** Waits for the operations with these ids. */
export interface Wait {
  kind: 'wait';
  time: number;
  rank: number;
  ids: number[];
  style: WaitStyle;
}

export interface Compute {
  kind: 'compute';
  time: number;
  rank: number;
  units: number;
}

/** Looks whether something is there, without needing it to be. */
export interface Peek {
  kind: 'peek';
  time: number;
  rank: number;
}

/** Withdraws a receive that nothing will match. */
export interface Withdraw {
  kind: 'withdraw';
  time: number;
  rank: number;
  id: number;
}

export type Step = Send | Receive | Part | Wait | Compute | Peek | Withdraw;

/**
 * How a rank receives:
 * - exact: from named ranks, with named tags or any
 * - tagged: from any rank, with named tags
 * - any: from any rank, with any tag
 */
export type Mode = 'exact' | 'tagged' | 'any';

export interface Program {
  index: number;
  ranks: number;
  modes: Mode[];
  /** The rank that may receive anything; it ends the program, because nobody may disturb it before. */
  coordinator: number;
  /** In the order of time. */
  steps: Step[];
}

/** The content of a message. */
export function keyOf(program: Program, send: Send): number {
  return (program.index * 64 + send.id) | 0;
}

export const sendsOf = (program: Program): Send[] => program.steps.filter((step) => step.kind === 'send');
export const receivesOf = (program: Program): Receive[] => program.steps.filter((step) => step.kind === 'receive');

export const partsOf = (program: Program): Part[] => program.steps.filter((step) => step.kind === 'collective');

/** A step as a person reads it. */
export function shown({ kind, rank, time: _, ...rest }: Step): string {
  const values = Object.entries(rest).map(([key, value]) => {
    if (key === 'gets' && value) return `gets=${(value as Send).id}`;
    if (key === 'call') return Object.values(value as Call).join(' ');
    return `${key}=${Array.isArray(value) ? value.join('+') : value}`;
  });
  return `rank ${rank} ${kind} ${values.join(' ')}`;
}

/** The program as a person reads it. */
export function listing(program: Program): string {
  const lines = program.steps.map((step) => `  ${shown(step)}`);
  return [`program ${program.index}, modes ${program.modes.join(' ')}`, ...lines].join('\n');
}
