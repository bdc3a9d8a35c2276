// World.join() under the launchers of other MPIs, as far as their environment goes (test/cli/mpi-launchers.test.ts runs
// those there are).

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { complete, LAUNCHED, type Said, said } from '../helpers/launched.js';
import { CLI, uniqueName } from '../helpers/paths.js';
import { cleanEnvironment } from '../helpers/rank-test.js';

const STAYS = join(__dirname, 'fixtures', 'launched-stays.js');

type Environment = Record<string, string>;

/** Runs a rank in each of these environments, all at once. */
async function ranks(token: string, environments: Environment[]): Promise<Said[]> {
  const all = await Promise.all(environments.map((env) => said(process.execPath, [LAUNCHED, token], env)));
  return all.flat();
}

const slurm = (size: number, more: Environment = {}): Environment[] =>
  Array.from({ length: size }, (_, rank) => ({
    SLURM_JOB_ID: uniqueJob,
    SLURM_STEP_ID: '0',
    SLURM_STEP_NUM_TASKS: `${size}`,
    SLURM_STEP_NUM_NODES: '1',
    SLURM_PROCID: `${rank}`,
    ...more,
  }));

const openMpi = (size: number, more: Environment = {}): Environment[] =>
  Array.from({ length: size }, (_, rank) => ({
    OMPI_COMM_WORLD_RANK: `${rank}`,
    OMPI_COMM_WORLD_SIZE: `${size}`,
    OMPI_COMM_WORLD_LOCAL_SIZE: `${size}`,
    PMIX_NAMESPACE: uniqueJob,
    PMIX_RANK: `${rank}`,
    ...more,
  }));

const pmi = (size: number, more: Environment = {}): Environment[] =>
  Array.from({ length: size }, (_, rank) => ({
    PMI_RANK: `${rank}`,
    PMI_SIZE: `${size}`,
    PMI_JOBID: uniqueJob,
    ...more,
  }));

const staying: Stays[] = [];
afterEach(() => {
  for (const rank of staying.splice(0)) rank.kill();
});

/** A rank that stays until it is to leave. */
class Stays {
  readonly #child: ChildProcess;
  readonly #ended: Promise<unknown>;
  #output = '';

  constructor(token: string, env: Environment) {
    this.#child = spawn(process.execPath, [STAYS, token], { env: cleanEnvironment(env), stdio: ['pipe', 'pipe', 2] });
    this.#ended = once(this.#child, 'close');
    staying.push(this);
    this.#child.stdout!.on('data', (data) => {
      this.#output += data;
    });
  }

  async says(what: string): Promise<void> {
    while (!this.#output.includes(what)) {
      const ended = await Promise.race([once(this.#child.stdout!, 'data').then(() => false), this.#ended]);
      if (ended !== false && !this.#output.includes(what)) throw new Error(`it said ${this.#output}`);
    }
  }

  leave(): void {
    this.#child.stdin!.end();
  }

  kill(): void {
    this.#child.kill('SIGKILL');
  }

  ended(): Promise<unknown> {
    return this.#ended;
  }
}

let uniqueJob: string;
beforeEach(() => {
  uniqueJob = uniqueName();
});

describe('World.join()', () => {
  it('1. joins the ranks of a step of srun, and of no other step', async () => {
    const [first, second] = await Promise.all([
      ranks('first', slurm(3)),
      ranks('second', slurm(2, { SLURM_STEP_ID: '1' })),
    ]);
    expect(first).toEqual(complete(3, 'first'));
    expect(second).toEqual(complete(2, 'second'));
  });

  it('2. joins the ranks of mpirun', async () => {
    expect(await ranks('x', openMpi(2))).toEqual(complete(2, 'x'));
  });

  it('3. joins the ranks of a PMI that names its job', async () => {
    expect(await ranks('x', pmi(2))).toEqual(complete(2, 'x'));
  });

  it('4. joins the ranks of a PMI that does not, by the process that started them', async () => {
    expect(await ranks('x', pmi(2, { PMI_JOBID: '' }))).toEqual(complete(2, 'x'));
  });

  it('5. believes mpirun where srun has started that', async () => {
    const [tasks] = slurm(1);
    expect(await ranks('x', openMpi(2, tasks))).toEqual(complete(2, 'x'));
  });

  it.each([
    ['no step', { SLURM_JOB_ID: '7', SLURM_PROCID: '0', SLURM_NTASKS: '4' }],
    ['the step of the script', { SLURM_JOB_ID: '7', SLURM_STEP_ID: '4294967291', SLURM_PROCID: '0' }],
  ])('6. is alone in a batch script of Slurm (%s)', async (_, env) => {
    expect(await ranks('x', [env])).toEqual([{ rank: 0, heard: ['x'], inner: 1, again: 1 }]);
  });

  it.each([
    ['srun', () => slurm(2, { SLURM_STEP_NUM_NODES: '2' }), 'SLURM_STEP_NUM_NODES is 2'],
    [
      'an older srun',
      () => [{ SLURM_STEP_ID: '0', SLURM_PROCID: '0', SLURM_NTASKS: '2', SLURM_NNODES: '2' }],
      'SLURM_NNODES is 2',
    ],
    ['mpirun', () => openMpi(4, { OMPI_COMM_WORLD_LOCAL_SIZE: '2' }), 'OMPI_COMM_WORLD_LOCAL_SIZE is 2'],
    ['mpiexec', () => pmi(4, { MPI_LOCALNRANKS: '3' }), 'MPI_LOCALNRANKS is 3'],
  ])('7. refuses a job of %s on several nodes', async (_, environments, told) => {
    const [found] = await ranks('x', environments().slice(0, 1));
    expect(found?.code).toBe('ERR_UINTR_JOIN');
    expect(found?.message).toContain(told);
    expect(found?.message).toContain('one host');
  });

  it.each([
    [{ OMPI_COMM_WORLD_RANK: '2', OMPI_COMM_WORLD_SIZE: '2' }, "OMPI_COMM_WORLD_RANK is '2'"],
    [{ OMPI_COMM_WORLD_RANK: '0' }, 'OMPI_COMM_WORLD_SIZE is missing'],
    [{ PMI_RANK: 'one', PMI_SIZE: '2' }, "PMI_RANK is 'one'"],
    [{ PMI_RANK: '1', PMI_SIZE: '5000' }, "PMI_SIZE is '5000'"],
    [{ PMIX_RANK: '0', PMIX_SIZE: '2' }, 'nothing in the environment tells one job from another'],
    [{ PMIX_RANK: '0', PMIX_NAMESPACE: 'a' }, 'PMIX_SIZE is missing'],
  ])('8. names what a launcher has set wrongly: %j', async (env, told) => {
    const [found] = await ranks('x', [env as Environment]);
    expect(found?.code).toBe('ERR_UINTR_JOIN');
    expect(found?.message).toContain(told);
  });

  it('9. prefers the world of `uintr run`', async () => {
    const [env] = openMpi(3);
    expect(await said(process.execPath, [CLI, 'run', '-n', '2', LAUNCHED, 'x'], env)).toEqual(complete(2, 'x'));
  });

  it('10. leaves the launcher alone where a name is given', async () => {
    const [env] = slurm(3, { SLURM_STEP_NUM_NODES: '2' });
    const found = await said(process.execPath, [LAUNCHED, 'x', uniqueName(), '1', '0'], env);
    // Afterwards it joins without a name, and is told about the nodes.
    expect(found).toEqual([{ rank: 0, heard: ['x'], inner: 0, again: 'ERR_UINTR_JOIN' }]);
  });

  it('11. waits until the ranks of the program before have left the world of the job', async () => {
    const program = (token: string): Stays[] => openMpi(2).map((env) => new Stays(token, env));
    const first = program('first');
    for (const rank of first) await rank.says('joined first, as first');
    const second = program('second');
    for (const rank of second) await rank.says('joining');
    first[0]!.leave();
    // They have its place only when both are gone.
    await first[0]!.ended();
    first[1]!.leave();
    for (const rank of second) await rank.says('joined second, as second');
    for (const rank of second) rank.leave();
    for (const rank of [...first, ...second]) await rank.ended();
  });
});
