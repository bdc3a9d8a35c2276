// Finds Open MPI, compiles the C programs of bench/peers/openmpi when the benchmark runs, and says how to start them.
import { execFileSync, spawnSync } from 'node:child_process';
import { CPrograms } from './c-programs.js';
import { pinned } from './pin.js';

export type Program = 'latency' | 'bandwidth' | 'overlap';

interface Tools {
  mpicc: string;
  mpirun: string;
}

let found: Tools | { reason: string } | undefined;

/** Where MPICH is installed too, the plain names may be its; Debian gives each family a suffix. */
function tools(): Tools | { reason: string } {
  found ??= findTools();
  return found;
}

function findTools(): Tools | { reason: string } {
  for (const suffix of ['.openmpi', '']) {
    const [mpicc, mpirun] = [`mpicc${suffix}`, `mpirun${suffix}`];
    const asked = spawnSync(mpirun, ['--version'], { encoding: 'utf8' });
    if (asked.error || !/Open MPI|OpenRTE/.test(asked.stdout)) continue;
    if (!spawnSync(mpicc, ['--version']).error) return { mpicc, mpirun };
  }
  return { reason: 'Open MPI: not installed (apt-get install openmpi-bin libopenmpi-dev)' };
}

export function version(): string | undefined {
  const found = tools();
  if ('reason' in found) return undefined;
  return /\d+\.\d+\.\d+/.exec(execFileSync(found.mpirun, ['--version'], { encoding: 'utf8' }))?.[0];
}

const programs = new CPrograms('Open MPI', 'openmpi', () => {
  const found = tools();
  return 'reason' in found ? found : { compiler: found.mpicc };
});

/** Why a program cannot be run, after an attempt to compile it; or undefined. */
export function whyNot(program: Program): string | undefined {
  return programs.whyNot(program);
}

/** Two ranks of a program, each started by the same taskset as other peers' ends, hence without mpirun's own binding. */
export function mpirun(program: Program, args: string[], cpus: [number, number] | undefined): string[] {
  const found = tools();
  if ('reason' in found) throw new Error(found.reason);
  const rank = (cpu: number | undefined) => ['-n', '1', ...pinned(cpu), programs.executable(program), ...args];
  const options = ['--bind-to', 'none'];
  if (process.getuid?.() === 0) options.push('--allow-run-as-root');
  // Open MPI refuses more ranks than processors; told so, it lets ranks yield instead of spinning.
  if (cpus === undefined) options.push('--oversubscribe');
  return [found.mpirun, ...options, ...rank(cpus?.[0]), ':', ...rank(cpus?.[1])];
}
