// C programs of bench/peers, compiled when the benchmark runs.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { root } from './launch.js';

/** The compiler to call, or why there is none. */
export type Compiler = { compiler: string } | { reason: string };

/** The programs of one folder. */
export class CPrograms {
  // The compiler leaves C where it is; only TypeScript goes to dist.
  readonly #sources: string;
  readonly #title: string;
  readonly #find: () => Compiler;
  readonly #parent: string;
  readonly #failures = new Map<string, string | undefined>();
  #folder?: string;

  /** `title` begins every reason; what is compiled goes to a folder in `parent`. */
  constructor(title: string, folder: string, find: () => Compiler, parent = tmpdir()) {
    this.#title = title;
    this.#sources = join(root, 'bench', 'peers', folder);
    this.#find = find;
    this.#parent = parent;
  }

  /** Why a program cannot be run, after an attempt to compile it; or undefined. */
  whyNot(program: string): string | undefined {
    if (!this.#failures.has(program)) this.#failures.set(program, this.#compile(program));
    return this.#failures.get(program);
  }

  executable(program: string): string {
    if (this.#folder === undefined) {
      // A new folder each time: a file of a known name in /tmp could be somebody else's.
      const made = mkdtempSync(join(this.#parent, 'uintr-bench-'));
      process.once('exit', () => rmSync(made, { recursive: true, force: true }));
      this.#folder = made;
    }
    return join(this.#folder, program);
  }

  #compile(program: string): string | undefined {
    const found = this.#find();
    if ('reason' in found) return found.reason;
    const source = join(this.#sources, `${program}.c`);
    if (!existsSync(source)) return `${this.#title}: its program is not part of this installation (${source})`;
    const options = ['-O2', '-o', this.executable(program), source, '-ldl'];
    const { status, stderr, error } = spawnSync(found.compiler, options, { encoding: 'utf8' });
    if (status === 0) return undefined;
    const why = error?.message ?? stderr.trim().split('\n')[0];
    return `${this.#title}: ${found.compiler} does not compile ${program}.c: ${why}`;
  }
}
