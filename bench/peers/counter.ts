// The contestants of counter: each primitive, by threads and by processes.
import type { Contestant } from '../lib/contest.js';
import { type CounterPlan, limitOf, primitives } from '../lib/counter-plan.js';
import { rankScript } from './uintr.js';

export function counterContestants(plans: CounterPlan[]): Contestant[] {
  return plans.flatMap((plan) =>
    primitives.map(({ id, title }) => ({
      id: `uintr/${id}`,
      title,
      scenario: plan.crew,
      limitMs: limitOf(plan),
      command: () => ({ argv: [process.execPath, rankScript('counter'), id, JSON.stringify(plan)] }),
    })),
  );
}
