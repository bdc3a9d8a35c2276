// The contestants of idle.
import type { Contestant } from '../lib/contest.js';
import { uintrRun } from '../lib/launch.js';
import { mpis } from './mpi.js';
import { rankScript } from './uintr.js';

export interface IdlePlan {
  milliseconds: number;
  cpus?: [number, number];
}

export function idleContestants(plan: IdlePlan): Contestant[] {
  const ours = ['await', 'wait'].map((how) => ({
    id: `uintr/${how}`,
    title: how === 'await' ? 'uintr, await' : 'uintr, wait()',
    command: () => ({ argv: uintrRun(rankScript('idle'), [how, JSON.stringify(plan)]) }),
  }));
  const theirs = mpis.map((mpi) => ({
    id: mpi.id,
    title: `${mpi.title}, MPI_Recv`,
    missing: () => mpi.whyNot('idle'),
    command: () => ({ argv: mpi.command('idle', [String(plan.milliseconds)], plan.cpus) }),
  }));
  return [...ours, ...theirs];
}

/** What the machine uses when nobody waits at all. */
export function nobody({ milliseconds }: IdlePlan): Contestant {
  const script = `setTimeout(() => console.log('{"bench":"idle","waited":1,"spent":0}'), ${milliseconds})`;
  return { id: 'nobody', title: 'nobody waits', command: () => ({ argv: [process.execPath, '-e', script] }) };
}
