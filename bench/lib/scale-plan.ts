// What ranks are told for scale, and what memory of a world is measured.

import type { SharedMemory } from './peer-lines.js';
import { orderedCpus, whyNotPinned } from './pin.js';
import { type Effort, KiB, makePlan } from './plan.js';

export interface ScalePlan {
  sizes: number[];
  budgetMicros: number;
  minSamples: number;
  maxSamples: number;
  cpus?: number[];
}

/** That a receiver has beside those of the messages it gets. */
export const postedReceives = 4096;

export function scalePlan(effort: Effort): ScalePlan {
  const { cases, budgetMicros, minSamples, maxSamples } = makePlan(effort, [8, 64 * KiB], 1, undefined);
  const cpus = whyNotPinned() === undefined ? orderedCpus() : undefined;
  return { sizes: cases.map(({ bytes }) => bytes), budgetMicros, minSamples, maxSamples, ...(cpus && { cpus }) };
}

export function scaleRanks(effort: Effort): number[] {
  return effort.ranks ?? (effort.quick ? [2, 4, 8, 16] : [2, 4, 8, 16, 32, 64]);
}

/** As bench/peers/mpi/scale.c reads it. */
export function argumentsOf({ sizes, budgetMicros, minSamples, maxSamples }: ScalePlan): string[] {
  return [budgetMicros, minSamples, maxSamples, ...sizes].map(String);
}

/** What a pair that talks adds, for pairs of neighbours and for all. */
export function perPair(ranks: number, { joined, neighbours, all }: SharedMemory): { neighbours: number; all: number } {
  return {
    neighbours: (neighbours - joined) / Math.floor(ranks / 2),
    all: (all - joined) / ((ranks * (ranks - 1)) / 2),
  };
}
