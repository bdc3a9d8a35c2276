// The contestants of overlap: ours under each driver, and the MPI libraries.
import type { Contestant } from '../lib/contest.js';
import type { Mpi } from '../lib/mpi.js';
import type { OverlapPlan } from '../lib/overlap-plan.js';
import { mpis } from './mpi.js';
import { underDrivers } from './uintr.js';

/** `orders` is asked at each start, since the work is as long as a transfer was just before. */
export function overlapContestants(orders: () => OverlapPlan): Contestant[] {
  return [...underDrivers('overlap', () => [JSON.stringify(orders())]), ...mpis.map((mpi) => contestant(mpi, orders))];
}

function contestant(mpi: Mpi, orders: () => OverlapPlan): Contestant {
  return {
    id: mpi.id,
    title: mpi.title,
    missing: () => mpi.whyNot('overlap'),
    command: () => {
      const { cases, cpus } = orders();
      const args = cases.map(({ bytes, repetitions, computeMicros }) => `${bytes}:${repetitions}:${computeMicros}`);
      return { argv: mpi.command('overlap', args, cpus) };
    },
  };
}
