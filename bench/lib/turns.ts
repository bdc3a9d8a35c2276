// The course of a measurement between two ends, the same for every peer: end 0 says how many samples come next, both take
// them, end 0 keeps the time; zero samples end a case. So only end 0 looks at the clock, and both know when to stop.
import { printSamples } from './peer-lines.js';
import { type Case, type Plan, samplesIn } from './plan.js';
import { summarize } from './stats.js';

type Now<T> = T | Promise<T>;

/** End 0 of a case. */
export interface Leader {
  tell(samples: number): Now<void>;
  /** Takes one sample; a promise only where the peer needs the event loop. */
  sample(): Now<void>;
}

/** End 1 of a case. */
export interface Follower {
  hear(): Now<number>;
  sample(): Now<void>;
}

/** Takes part as end 0 in all cases and prints the samples, divided by `perSample(case)`, in microseconds. */
export async function lead(
  plan: Plan,
  endFor: (one: Case) => Leader,
  perSample: (one: Case) => number,
  about: () => { driver?: string; copy?: string } = () => ({}),
): Promise<void> {
  for (const one of plan.cases) {
    const end = endFor(one);
    const probe = summarize(await take(end, 3)).min;
    const warm = samplesIn(plan.budgetMicros / 4, probe, 1, plan.maxSamples);
    const typical = summarize(await take(end, warm)).median;
    const count = samplesIn(plan.budgetMicros, typical, plan.minSamples, plan.maxSamples);
    const micros = (await take(end, count)).map((time) => time / perSample(one));
    await end.tell(0);
    printSamples({ bytes: one.bytes, window: one.window, micros, ...about() });
  }
}

async function take(end: Leader, count: number): Promise<number[]> {
  const micros: number[] = [];
  await end.tell(count);
  for (let i = 0; i < count; i++) {
    const start = performance.now();
    const pending = end.sample();
    // Where there is nothing to await, not even a microtask comes between.
    if (pending !== undefined) await pending;
    micros.push((performance.now() - start) * 1000);
  }
  return micros;
}

export async function follow(plan: Plan, endFor: (one: Case) => Follower): Promise<void> {
  for (const one of plan.cases) {
    const end = endFor(one);
    for (let count = await end.hear(); count > 0; count = await end.hear()) {
      for (let i = 0; i < count; i++) {
        const pending = end.sample();
        if (pending !== undefined) await pending;
      }
    }
  }
}
