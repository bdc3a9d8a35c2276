// The contestants of measures in which an end computes, all told by one plan: ours under each driver, and the MPI
// libraries.
import type { Contestant } from '../lib/contest.js';
import { driversToCompare } from '../lib/drivers.js';
import { uintrRun } from '../lib/launch.js';
import type { Program } from '../lib/mpi.js';
import { encodePlan, type Plan } from '../lib/plan.js';
import { contestants } from './mpi.js';
import { rankScript } from './uintr.js';

export function computingContestants(program: Program, plan: Plan): Contestant[] {
  const ours = driversToCompare().map(
    (driver): Contestant => ({
      id: `uintr/${driver}`,
      title: `uintr, driver ${driver}`,
      command: () => ({ argv: uintrRun(rankScript(program), [encodePlan(plan)], ['--driver', driver]) }),
    }),
  );
  return [...ours, ...contestants(program, plan)];
}
