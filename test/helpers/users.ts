// Programs as other users: what they need to be able to run them, and how they are started.
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, chownSync, cpSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { temporaryFolder } from './folder.js';
import { ROOT } from './paths.js';

/** Whose world it is. */
export const OWNER = 54_321;
/** Who has no business there. Neither user needs to exist. */
export const OTHER = 54_322;

const isRoot = process.geteuid?.() === 0;

/** A test that runs programs as other users, which only root can; elsewhere its name says that nothing was tested. */
export function usersTest(name: string, body: () => Promise<void>): void {
  if (isRoot) it(name, body);
  else it(`NOT TESTED, because this is not root: ${name}`, () => {});
}

/** What any user can read and run, wherever the checkout lies; gone after the tests. */
export class PublicPlace {
  readonly folder: string;
  /** The files of `test/security/fixtures`, compiled. */
  readonly fixtures: string;

  constructor(name: string) {
    this.folder = temporaryFolder(name);
    this.fixtures = join(this.folder, 'dist', 'test', 'security', 'fixtures');
    if (!isRoot) return;
    chmodSync(this.folder, 0o755);
    for (const part of ['package.json', 'prebuilds', 'dist/lib', 'dist/test/security/fixtures']) {
      cpSync(join(ROOT, part), join(this.folder, part), { recursive: true });
    }
    // Whatever the umask of these tests is.
    execFileSync('chmod', ['-R', 'a+rX', this.folder]);
  }

  /** A C program of the fixtures, compiled. */
  compile(name: string): string {
    const program = join(this.folder, name);
    if (!isRoot) return program;
    const source = join(ROOT, 'test', 'security', 'fixtures', `${name}.c`);
    execFileSync('cc', ['-O1', '-Wall', '-Wextra', '-Werror', '-o', program, source]);
    chmodSync(program, 0o755);
    return program;
  }

  /** A new directory of that user. */
  directory(name: string, user: number, mode = 0o700): string {
    const path = join(this.folder, name);
    mkdirSync(path);
    chownSync(path, user, user);
    chmodSync(path, mode);
    return path;
  }
}

/** How a program ended, and all that it said. */
export interface Ran {
  code: number | null;
  signal: NodeJS.Signals | null;
  lines: string[];
}

/** A program of another user. */
export class Foreigner {
  readonly child: ChildProcess;
  readonly #lines: string[] = [];
  readonly #waiting = new Map<string, (line: string) => void>();
  readonly #ended: Promise<void>;

  constructor(user: number, command: string, args: string[], env: NodeJS.ProcessEnv = {}) {
    const path = { PATH: process.env['PATH'] };
    const stdio = ['pipe', 'pipe', 'pipe'] as const;
    // A session of its own, because within one everybody may send SIGCONT to everybody.
    this.child = spawn(command, args, {
      uid: user,
      gid: user,
      env: { ...path, ...env },
      cwd: '/',
      detached: true,
      stdio: [...stdio],
    });
    const keep = (line: string): void => {
      this.#lines.push(line);
      for (const [start, resolve] of this.#waiting) {
        if (!line.startsWith(start)) continue;
        this.#waiting.delete(start);
        resolve(line);
      }
    };
    for (const stream of [this.child.stdout!, this.child.stderr!]) createInterface({ input: stream }).on('line', keep);
    this.#ended = once(this.child, 'close').then(() => {});
    foreigners.add(this);
  }

  /** The line that begins so, once it is there. */
  async said(start: string): Promise<string> {
    const before = this.#lines.find((line) => line.startsWith(start));
    if (before !== undefined) return before;
    const told = new Promise<string>((resolve) => this.#waiting.set(start, resolve));
    const ended = this.#ended.then(() => {
      throw new Error(`it ended before it said '${start}': ${this.#lines.join('\n')}`);
    });
    ended.catch(() => {});
    return Promise.race([told, ended]);
  }

  async ended(): Promise<Ran> {
    await this.#ended;
    return { code: this.child.exitCode, signal: this.child.signalCode, lines: this.#lines };
  }

  kill(): void {
    if (this.child.pid === undefined) return;
    try {
      process.kill(-this.child.pid, 'SIGKILL');
    } catch {
      // It has ended.
    }
  }
}

const foreigners = new Set<Foreigner>();
process.on('exit', () => {
  for (const one of foreigners) one.kill();
});

/** To be called after each test: none outlives it. */
export function noForeignersLeft(): void {
  for (const one of foreigners) one.kill();
  foreigners.clear();
}
