// An MPI library for C programs: found, and the programs of bench/peers/mpi compiled with it, when the benchmark runs.
import { spawnSync } from 'node:child_process';
import { CPrograms } from './c-programs.js';
import { pinned } from './pin.js';

export type Program =
  | 'scale'
  | 'collectives'
  | 'collectives-overlap'
  | 'latency'
  | 'bandwidth'
  | 'bibandwidth'
  | 'overlap'
  | 'availability'
  | 'madmpi'
  | 'idle';

export interface Tools {
  mpicc: string;
  mpirun: string;
}

/** What is particular to one library. */
export interface Family {
  /** As in results and for --peers: 'openmpi'. */
  id: string;
  title: string;
  /** The Debian packages it comes in. */
  packages: string;
  /** Pairs of commands to try: where several libraries are installed, plain names may be another one's. */
  candidates: Tools[];
  /** Its version, in what `mpirun --version` says; no match: it is another library's. */
  version: RegExp;
  /** Options of mpirun for ranks that are pinned by their own command line, or not at all. */
  options(pinned: boolean): string[];
}

export class Mpi {
  readonly id: string;
  readonly title: string;
  readonly #family: Family;
  readonly #programs: CPrograms;
  #found?: (Tools & { version: string }) | { reason: string };

  /** What is compiled goes to a folder in `parent`, if given. */
  constructor(family: Family, parent?: string) {
    this.#family = family;
    this.id = family.id;
    this.title = `${family.title}, C`;
    const compiler = () => {
      const tools = this.#tools();
      return 'reason' in tools ? tools : { compiler: tools.mpicc };
    };
    this.#programs = new CPrograms(family.title, 'mpi', compiler, parent);
  }

  /** Its version, or undefined where it is not installed. */
  get version(): string | undefined {
    const tools = this.#tools();
    return 'reason' in tools ? undefined : tools.version;
  }

  /** Why a program cannot be run, after an attempt to compile it; or undefined. */
  whyNot(program: Program): string | undefined {
    return this.#programs.whyNot(program);
  }

  /** Ranks of a program, each started by the same taskset as other peers' ends, hence without mpirun's own binding. */
  command(program: Program, args: string[], cpus: number[] | undefined, ranks = 2): string[] {
    const tools = this.#tools();
    if ('reason' in tools) throw new Error(tools.reason);
    const start = [this.#programs.executable(program), ...args];
    const each = cpus
      ? Array.from({ length: ranks }, (_, rank) => ['-n', '1', ...pinned(cpus[rank % cpus.length]), ...start])
      : [['-n', String(ranks), ...start]];
    const apart = each.flatMap((one, i) => (i === 0 ? one : [':', ...one]));
    return [tools.mpirun, ...this.#family.options(cpus !== undefined && cpus.length >= ranks), ...apart];
  }

  #tools(): (Tools & { version: string }) | { reason: string } {
    this.#found ??= this.#find();
    return this.#found;
  }

  #find(): (Tools & { version: string }) | { reason: string } {
    const { title, packages, candidates, version } = this.#family;
    for (const { mpicc, mpirun } of candidates) {
      const asked = spawnSync(mpirun, ['--version'], { encoding: 'utf8' });
      const found = asked.error ? null : version.exec(asked.stdout);
      if (found && compiles(mpicc)) return { mpicc, mpirun, version: found[1] };
    }
    return { reason: `${title}: not installed (apt-get install ${packages})` };
  }
}

/** The command may be there without the headers, which are in another package. */
function compiles(mpicc: string): boolean {
  // Open MPI's adds its folders only where something is compiled.
  return spawnSync(mpicc, ['-c', '-xc', '-', '-o', '/dev/null'], { input: '#include <mpi.h>\n' }).status === 0;
}
