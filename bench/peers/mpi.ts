// Peers: MPI libraries in C, over shared memory. One set of programs, compiled and started by each library's own tools.
import type { Contestant } from '../lib/contest.js';
import type { Mpi, Program } from '../lib/mpi.js';
import { mpich } from '../lib/mpich.js';
import { openmpi } from '../lib/openmpi.js';
import type { Plan } from '../lib/plan.js';
import type { Transfer } from '../lib/transfers.js';

export const mpis: readonly Mpi[] = [openmpi, mpich];
export const mpiPeers = mpis.map(({ id }) => id);

interface Variant {
  /** Added to the library's, where a library has several. */
  id?: string;
  title?: string;
  args?: string[];
}

/** One contestant of each library for each variant. */
export function contestants(program: Program, plan: Plan, variants: Variant[] = [{}]): Contestant[] {
  return mpis.flatMap((mpi) =>
    variants.map(({ id, title, args = [] }) => ({
      id: [mpi.id, id].filter(Boolean).join('/'),
      title: [mpi.title, title].filter(Boolean).join(', '),
      missing: () => mpi.whyNot(program),
      command: () => ({ argv: mpi.command(program, [...args, ...orders(plan)], plan.cpus) }),
    })),
  );
}

/** As bench/peers/mpi/common.h reads it. */
function orders({ budgetMicros, minSamples, maxSamples, cases }: Plan): string[] {
  const each = cases.map(({ bytes, batch, window }) => `${bytes}:${batch}:${window}`);
  return [budgetMicros, minSamples, maxSamples, ...each].map(String);
}

const buffers: Variant[] = [
  { title: 'one buffer', args: ['one'] },
  { id: 'distinct', title: 'distinct buffers', args: ['distinct'] },
];

const transfers: Record<Transfer, { program: Program; variants?: Variant[] }> = {
  latency: { program: 'latency' },
  bandwidth: { program: 'bandwidth', variants: buffers },
  bibandwidth: { program: 'bibandwidth', variants: buffers },
  rate: { program: 'bandwidth', variants: [{ args: ['one'] }] },
};

export function mpiContestants(measure: Transfer, plan: Plan): Contestant[] {
  const { program, variants } = transfers[measure];
  return contestants(program, plan, variants);
}

/** Whether a ratio says something: distinct buffers over distinct ones, and one over one, wherever it lies. */
export function sameBuffers(of: string, to: string): boolean {
  if (!mpiPeers.includes(to.split('/')[0])) return true;
  return of.endsWith('/distinct') === to.endsWith('/distinct');
}
