// What ranks are told for collectives, and what one operation is.
import { orderedCpus, whyNotPinned } from './pin.js';
import { type Effort, KiB, MiB, makePlan } from './plan.js';

export const operations = ['barrier', 'bcast', 'reduce', 'allreduce', 'allgather', 'alltoall'] as const;
export type Operation = (typeof operations)[number];

/** Lengths as OSU has them: of the buffer, and where each rank has a block (allgather, alltoall) of that. */
const sizes = [8, 64 * KiB, MiB, 16 * MiB];

export interface CollectivePlan {
  cases: { operation: Operation; bytes: number }[];
  budgetMicros: number;
  minSamples: number;
  maxSamples: number;
  ranks: number[];
  /** Ranks take them in turn. */
  cpus?: number[];
}

export function collectivePlan(effort: Effort, wanted: readonly Operation[] = operations): CollectivePlan {
  const { cases, budgetMicros, minSamples, maxSamples } = makePlan(effort, sizes, 1, undefined);
  const cpus = whyNotPinned() === undefined ? orderedCpus() : undefined;
  return {
    cases: wanted.flatMap((operation): CollectivePlan['cases'] =>
      operation === 'barrier' ? [{ operation, bytes: 0 }] : cases.map(({ bytes }) => ({ operation, bytes })),
    ),
    ranks: effort.ranks ?? [2, 4],
    // There are many cases.
    budgetMicros: budgetMicros / 4,
    minSamples,
    maxSamples,
    ...(cpus && { cpus }),
  };
}

/** Of scenarios, as 'bcast, 2 ranks': all operations of 2 ranks, then all of 4. */
export function fewerRanksFirst(a: string, b: string): number {
  const ranksOf = (scenario: string) => Number(/(\d+) ranks$/.exec(scenario)?.[1]);
  return ranksOf(a) - ranksOf(b);
}

/** As bench/peers/mpi/collectives.h reads it. */
export function argumentsOf({ budgetMicros, minSamples, maxSamples, cases }: CollectivePlan): string[] {
  return [budgetMicros, minSamples, maxSamples, ...cases.map(({ operation, bytes }) => `${operation}:${bytes}`)].map(
    String,
  );
}
