// What the two ends are told for notify.
import { chooseCpus, whyNotPinned } from './pin.js';
import type { Effort } from './plan.js';

export interface NotifyPlan {
  /** Time for the samples of one state; at least `minSamples`, at most `maxSamples` are taken. */
  budgetMicros: number;
  minSamples: number;
  maxSamples: number;
  /** How long who rings computes before it does, so that the other end is back at what it does. */
  settleMicros: number;
  cpus?: [number, number];
}

export function notifyPlan(effort: Effort): NotifyPlan {
  const cpus = whyNotPinned() === undefined ? chooseCpus() : undefined;
  return {
    budgetMicros: (effort.budget ?? (effort.quick ? 100 : 600)) * 1000,
    minSamples: 3,
    maxSamples: effort.quick ? 500 : 2000,
    settleMicros: 100,
    ...(cpus && { cpus }),
  };
}

/** As bench/peers/notify/common.h reads it. */
export function argumentsOf({ budgetMicros, minSamples, maxSamples, settleMicros, cpus }: NotifyPlan): string[] {
  return [budgetMicros, minSamples, maxSamples, settleMicros, ...(cpus ?? [])].map(String);
}
