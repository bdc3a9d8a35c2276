// What our rank scripts of notify share: the clock, the settling time, and how many samples are taken.
import { readFileSync } from 'node:fs';
import type { NotifyPlan } from '../lib/notify-plan.js';
import { work } from '../lib/work.js';

/** Of a clock that both processes read alike. */
export function now(): number {
  const [seconds, nanoseconds] = process.hrtime();
  return seconds * 1e6 + nanoseconds / 1e3;
}

export function computeFor(micros: number): void {
  for (const end = now() + micros; now() < end; ) work(64);
}

/** Samples within the budget, after a quarter of it for warming up. */
export class Times {
  readonly oneWay: number[] = [];
  readonly roundTrip: number[] = [];
  readonly #plan: NotifyPlan;
  #warm: number;
  #start = now();

  constructor(plan: NotifyPlan) {
    this.#plan = plan;
    this.#warm = Math.ceil(plan.maxSamples / 4);
  }

  wantsMore(): boolean {
    const { budgetMicros, minSamples, maxSamples } = this.#plan;
    const spent = now() - this.#start;
    if (this.#warm > 0 && spent > budgetMicros / 4) this.#begin();
    const { length } = this.roundTrip;
    return length < minSamples || (length < maxSamples && spent <= budgetMicros);
  }

  add([oneWay, roundTrip]: [number, number]): void {
    if (this.#warm > 0) {
      if (--this.#warm === 0) this.#begin();
      return;
    }
    this.oneWay.push(oneWay);
    this.roundTrip.push(roundTrip);
  }

  #begin(): void {
    this.#warm = 0;
    this.#start = now();
  }
}

/** Whether user interrupts are the test suite's, not the processor's. */
export function emulated(driver: string): boolean {
  return driver === 'uintr' && readFileSync('/proc/self/maps', 'utf8').includes('libuintr-emulator');
}
