// The contestants of collectives, for each number of ranks.
import { argumentsOf, type CollectivePlan } from '../lib/collective-plan.js';
import type { Contestant } from '../lib/contest.js';
import { uintrRun } from '../lib/launch.js';
import { mpis } from './mpi.js';
import { rankScript } from './uintr.js';

const programs = {
  times: { script: 'collective-times', program: 'collectives' },
  overlap: { script: 'collective-overlap', program: 'collectives-overlap' },
} as const;

export function collectiveContestants(what: keyof typeof programs, plan: CollectivePlan): Contestant[] {
  const { script, program } = programs[what];
  return plan.ranks.flatMap((ranks) => [
    {
      id: 'uintr',
      title: 'uintr',
      scenario: `${ranks} ranks`,
      command: () => ({ argv: uintrRun(rankScript(script), [JSON.stringify(plan)], [], ranks) }),
    },
    ...mpis.map((mpi) => ({
      id: mpi.id,
      title: mpi.title,
      scenario: `${ranks} ranks`,
      missing: () => mpi.whyNot(program),
      command: () => ({ argv: mpi.command(program, argumentsOf(plan), plan.cpus, ranks) }),
    })),
  ]);
}
