// Peer: Open MPI in C, over shared memory, with its default settings.
import type { Contestant } from '../lib/contest.js';
import { mpirun, type Program, whyNot } from '../lib/openmpi.js';
import type { Plan } from '../lib/plan.js';

function contestant(id: string, title: string, program: Program, args: string[], plan: Plan): Contestant {
  return {
    id,
    title,
    missing: () => whyNot(program),
    command: () => ({ argv: mpirun(program, args, plan.cpus) }),
  };
}

/** As bench/peers/openmpi/common.h reads it. */
function orders({ budgetMicros, minSamples, maxSamples, cases }: Plan): string[] {
  const each = cases.map(({ bytes, batch, window }) => `${bytes}:${batch}:${window}`);
  return [budgetMicros, minSamples, maxSamples, ...each].map(String);
}

export function openmpiLatency(plan: Plan): Contestant {
  return contestant('openmpi', 'Open MPI, C', 'latency', orders(plan), plan);
}

export function openmpiBandwidth(plan: Plan): Contestant[] {
  return [
    contestant('openmpi', 'Open MPI, C, one buffer', 'bandwidth', ['one', ...orders(plan)], plan),
    contestant('openmpi/distinct', 'Open MPI, C, distinct buffers', 'bandwidth', ['distinct', ...orders(plan)], plan),
  ];
}
