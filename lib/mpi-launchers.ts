// Ranks that another MPI's launcher has started: mpirun, mpiexec, srun. They find each other under a name that is made
// of what identifies the job, so that two jobs never meet.
import { createHash } from 'node:crypto';
import { UintrError } from './errors.js';
import { starter } from './starter.js';

type Environment = NodeJS.ProcessEnv;

/** What a launcher tells a rank. */
interface Job {
  /** For messages and the name. */
  launcher: string;
  /** The variable that has it; of several, the first that is set. */
  rank: string;
  size: string[];
  /** How many nodes, or (`local`) how many ranks on this one; where the launcher tells neither, only time will. */
  nodes?: string[];
  local?: string[];
  /** The same for all ranks of the job, and for no other job of this host. */
  id: (env: Environment) => (string | undefined)[];
  /** Whether a rank of it is what `rank` says. */
  applies?: (env: Environment) => boolean;
}

/** Step ids from here on are no steps of srun, but the batch script or an interactive shell (slurm.h). */
const SLURM_FIRST_SPECIAL_STEP = 0xfffffff0;

// In order of precedence: Open MPI and MPICH may have been started by srun, and then pass its variables on.
const JOBS: readonly Job[] = [
  {
    launcher: 'openmpi',
    rank: 'OMPI_COMM_WORLD_RANK',
    size: ['OMPI_COMM_WORLD_SIZE'],
    local: ['OMPI_COMM_WORLD_LOCAL_SIZE'],
    // The first alone is a number of 16 bits that changes from job to job.
    id: (env) => [
      env['PMIX_NAMESPACE'],
      env['OMPI_MCA_ess_base_jobid'],
      env['OMPI_MCA_orte_precondition_transports'],
      env['PMIX_SERVER_URI2'],
    ],
  },
  {
    launcher: 'hydra',
    rank: 'PMI_RANK',
    size: ['PMI_SIZE'],
    local: ['MPI_LOCALNRANKS'],
    applies: (env) => env['MPI_LOCALNRANKS'] !== undefined,
    id: pmiJob,
  },
  {
    launcher: 'slurm',
    rank: 'SLURM_PROCID',
    size: ['SLURM_STEP_NUM_TASKS', 'SLURM_NTASKS'],
    nodes: ['SLURM_STEP_NUM_NODES', 'SLURM_NNODES'],
    applies: (env) => Number(env['SLURM_STEP_ID'] ?? Number.NaN) < SLURM_FIRST_SPECIAL_STEP,
    id: (env) => [env['SLURM_CLUSTER_NAME'], env['SLURM_JOB_ID'], env['SLURM_STEP_ID']],
  },
  {
    launcher: 'pmi',
    rank: 'PMI_RANK',
    size: ['PMI_SIZE'],
    local: ['PMI_LOCAL_SIZE'],
    id: pmiJob,
  },
  { launcher: 'pmix', rank: 'PMIX_RANK', size: ['PMIX_SIZE'], id: (env) => [env['PMIX_NAMESPACE']] },
];

const MAX_RANKS = 1024;

// MPICH's own launcher sets none of these.
function pmiJob(env: Environment): (string | undefined)[] {
  const named = [env['PMI_JOBID'], env['PMI_KVS']];
  return named.some(Boolean) ? named : [starter('PMI_RANK')];
}

/** Forgets the rank: the children of this process are not to inherit it. Of the job they may still know. */
export function dropJob(env: Environment): void {
  for (const { rank } of JOBS) delete env[rank];
}

/** The world of the job that this process was started for; takes the rank out of the environment. */
export function takeJob(env: Environment): { name: string; size: number; rank: number } | undefined {
  const job = JOBS.find(({ rank, applies }) => env[rank] !== undefined && (applies?.(env) ?? true));
  if (job === undefined) return undefined;
  try {
    return placeIn(job, env);
  } finally {
    dropJob(env);
  }
}

function placeIn(job: Job, env: Environment): { name: string; size: number; rank: number } {
  const [size] = numberIn(env, job.size, 1, MAX_RANKS);
  const [rank] = numberIn(env, [job.rank], 0, size - 1);
  if (job.nodes?.some((variable) => env[variable] !== undefined)) {
    const [nodes, variable] = numberIn(env, job.nodes, 1, Number.MAX_SAFE_INTEGER);
    if (nodes !== 1) throw severalNodes(`${variable} is ${nodes}`);
  }
  if (job.local?.some((variable) => env[variable] !== undefined)) {
    const [local, variable] = numberIn(env, job.local, 1, size);
    if (local !== size) throw severalNodes(`there are ${size} ranks, and ${variable} is ${local}`);
  }
  const id = job.id(env).filter((part) => part !== undefined && part !== '');
  if (id.length === 0) {
    throw failed(
      `${job.rank} is '${env[job.rank]}', but nothing in the environment tells one job from another: join with World.join({ name, size, rank })`,
    );
  }
  const digest = createHash('sha256').update(id.join('\n')).digest('hex').slice(0, 32);
  return { name: `${job.launcher}-${digest}`, size, rank };
}

/** With the variable that it comes from. */
function numberIn(env: Environment, variables: string[], least: number, most: number): [number, string] {
  const variable = variables.find((one) => env[one] !== undefined) ?? variables[0]!;
  const text = env[variable];
  const value = text !== undefined && /^\d{1,15}$/.test(text) ? Number(text) : Number.NaN;
  if (value >= least && value <= most) return [value, variable];
  const found = text === undefined ? 'is missing' : `is '${text}'`;
  throw failed(`a launcher started this, but ${variable} ${found}: it must be a number from ${least} to ${most}`);
}

function severalNodes(found: string): UintrError {
  return failed(`${found}: this job runs on several nodes, and the ranks of a world are on one host`);
}

function failed(message: string): UintrError {
  return new UintrError('ERR_UINTR_JOIN', message);
}
