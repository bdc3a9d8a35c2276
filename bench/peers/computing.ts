// The contestants of measures in which an end computes, all told by one plan: ours under each driver, and the MPI
// libraries.
import type { Contestant } from '../lib/contest.js';
import type { Program } from '../lib/mpi.js';
import { encodePlan, type Plan } from '../lib/plan.js';
import { contestants } from './mpi.js';
import { underDrivers } from './uintr.js';

export function computingContestants(program: Program, plan: Plan): Contestant[] {
  return [...underDrivers(program, () => [encodePlan(plan)]), ...contestants(program, plan)];
}
