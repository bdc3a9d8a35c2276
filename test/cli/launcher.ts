// Starts `uintr` as a user would, and tells how it ended and what it said.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { CLI } from '../helpers/paths.js';
import { processesWith } from '../helpers/proc.js';
import { cleanEnvironment } from '../helpers/rank-test.js';

export const PROGRAM = join(__dirname, 'rank-program.js');

let marks = 0;
const launchers: Launcher[] = [];

export class Launcher {
  readonly child: ChildProcess;
  /** In the environment of all processes that this launcher starts, and of no other. */
  readonly mark: string;
  stdout = '';
  stderr = '';
  readonly #closed: Promise<unknown>;
  #heard = (): void => {};

  /** `more`: for the environment. */
  constructor(args: string[], input?: string, more: Record<string, string> = {}) {
    marks += 1;
    this.mark = `test-cli-${process.pid}-${Date.now().toString(36)}-${marks}`;
    const env = cleanEnvironment({ ...more, UINTR_TEST_MARK: this.mark });
    this.child = spawn(process.execPath, [CLI, ...args], { env, stdio: ['pipe', 'pipe', 'pipe'] });
    this.child.stdin!.end(input);
    this.child.stdout!.on('data', (data) => {
      this.stdout += data;
      this.#heard();
    });
    this.child.stderr!.on('data', (data) => {
      this.stderr += data;
      this.#heard();
    });
    this.#closed = once(this.child, 'close');
    launchers.push(this);
  }

  /** Ends what a failed test has left. */
  static killAll(): void {
    for (const { mark } of launchers.splice(0)) {
      for (const pid of processesWith(mark)) {
        try {
          process.kill(pid, 'SIGKILL');
        } catch {
          // It has just ended.
        }
      }
    }
  }

  /** Resolves with exit code or signal. */
  async ended(): Promise<number | NodeJS.Signals | null> {
    await this.#closed;
    return this.child.signalCode ?? this.child.exitCode;
  }

  /** Resolves when `text` was said `times` times. */
  async said(text: string, times: number, where: 'stdout' | 'stderr' = 'stdout'): Promise<void> {
    while (this[where].split(text).length - 1 < times) {
      await new Promise<void>((resolve, reject) => {
        this.#heard = resolve;
        this.#closed.then(() => reject(new Error(`ended before it said ${text}: ${this.stdout}${this.stderr}`)));
      });
    }
  }

  lines(): string[] {
    return this.stdout.split('\n').filter(Boolean).sort();
  }
}

/** Runs to the end. */
export async function uintr(args: string[], input?: string): Promise<Launcher & { code: unknown }> {
  const launcher = new Launcher(args, input);
  return Object.assign(launcher, { code: await launcher.ended() });
}
