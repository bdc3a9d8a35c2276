// What is counted with, by how many, and how far: the kernel lab's experiment.
import { availableParallelism } from 'node:os';
import { chooseCpus, whyNotPinned } from './pin.js';
import type { Effort } from './plan.js';
import { unique } from './report.js';

export const primitives = [
  { id: 'mutex', title: 'mutex' },
  { id: 'adaptive', title: 'adaptive mutex' },
  { id: 'spinlock', title: 'spinlock' },
  { id: 'ticket', title: 'ticket lock' },
  { id: 'atomic', title: 'atomic counter' },
  { id: 'per-cpu', title: 'per-CPU counter' },
] as const;

export type PrimitiveId = (typeof primitives)[number]['id'];

export function isLock(id: PrimitiveId): boolean {
  return id !== 'atomic' && id !== 'per-cpu';
}

/** The loop runs in the addon, or calls it for each operation. */
export type Series = 'native code' | 'JavaScript';

/** What the workers are, and where they run. */
export type Crew = 'threads' | 'processes' | 'processes on one processor';

export interface CounterPlan {
  crew: Crew;
  /** The one processor. */
  cpu?: number;
  /** Numbers of workers, of which each second one decrements. */
  workers: number[];
  series: Series[];
  /** Of two: operations of all workers together, in one case. */
  exponent: number;
  /** When to stop before that. */
  budgetMicros?: number;
  /** How long somebody holds a lock and does not run, while as many workers as there are processors want it. */
  held?: { milliseconds: number; workers: number };
}

/** The lab's: 16 workers with 2^25 operations each, 8 with 2^26, 4 with 2^27, 2 with 2^28. */
const labExponent = 29;

export function counterPlans(effort: Effort): CounterPlan[] {
  const { quick, exponent = labExponent, ranks = [2, 4, 8, 16] } = effort;
  const milliseconds = effort.budget ?? (effort.exponent === undefined ? (quick ? 60 : 500) : undefined);
  const common = {
    // Half of them each way.
    workers: unique(ranks.map((count) => count + (count % 2))),
    exponent,
    ...(milliseconds !== undefined && { budgetMicros: milliseconds * 1000 }),
  };
  const series: Series[] = ['native code', 'JavaScript'];
  const held = { milliseconds: quick ? 50 : 200, workers: availableParallelism() };
  const cpu = whyNotPinned() === undefined ? chooseCpus()?.[0] : undefined;
  return [
    { crew: 'threads', series, ...common },
    { crew: 'processes', series, held, ...common },
    ...(cpu === undefined
      ? []
      : [{ crew: 'processes on one processor' as const, cpu, series: series.slice(0, 1), ...common }]),
  ];
}

/** In milliseconds, some 25 days; one that is longer ends at once. */
const longestTimer = 2 ** 31 - 1;

/** Of one start, with much to spare; what has not ended by then hangs. */
export function limitOf({ workers, series, exponent, budgetMicros = Number.POSITIVE_INFINITY }: CounterPlan): number {
  // Where each operation of a fair lock waits for a turn of the scheduler.
  const slowestMicros = 100 * 2 ** exponent;
  const cases = workers.length * series.length;
  const limit = 90_000 + (cases * Math.min(slowestMicros, 10 * budgetMicros)) / 1000;
  return Math.min(limit, longestTimer);
}
