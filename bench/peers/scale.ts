// The contestants of scale, for each number of ranks.
import type { Contestant } from '../lib/contest.js';
import { uintrRun } from '../lib/launch.js';
import { argumentsOf, type ScalePlan } from '../lib/scale-plan.js';
import { mpis } from './mpi.js';
import { rankScript } from './uintr.js';

export function scaleContestants(ranks: number, plan: ScalePlan): Contestant[] {
  return [
    {
      id: 'uintr',
      title: 'uintr',
      scenario: `${ranks} ranks`,
      command: () => ({ argv: uintrRun(rankScript('scale'), [JSON.stringify(plan)], [], ranks) }),
    },
    ...mpis.map((mpi) => ({
      id: mpi.id,
      title: mpi.title,
      scenario: `${ranks} ranks`,
      missing: () => mpi.whyNot('scale'),
      command: () => ({ argv: mpi.command('scale', argumentsOf(plan), plan.cpus, ranks) }),
    })),
  ];
}
