// The contestants of overlap: ours under each driver, and Open MPI.
import type { Contestant } from '../lib/contest.js';
import { uintrRun } from '../lib/launch.js';
import { mpirun, whyNot } from '../lib/openmpi.js';
import type { OverlapPlan } from '../lib/overlap-plan.js';
import { rankScript } from './uintr.js';

/** `orders` is asked at each start, since the work is as long as a transfer was just before. */
export function overlapContestants(drivers: string[], orders: () => OverlapPlan): Contestant[] {
  const ours = drivers.map(
    (driver): Contestant => ({
      id: `uintr/${driver}`,
      title: `uintr, driver ${driver}`,
      command: () => ({ argv: uintrRun(rankScript('overlap'), [JSON.stringify(orders())], ['--driver', driver]) }),
    }),
  );
  return [...ours, openmpi(orders)];
}

function openmpi(orders: () => OverlapPlan): Contestant {
  return {
    id: 'openmpi',
    title: 'Open MPI, C',
    missing: () => whyNot('overlap'),
    command: () => {
      const { cases, cpus } = orders();
      const args = cases.map(({ bytes, repetitions, computeMicros }) => `${bytes}:${repetitions}:${computeMicros}`);
      return { argv: mpirun('overlap', args, cpus) };
    },
  };
}
