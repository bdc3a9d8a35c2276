// Runs one peer, both its ends, to its end or to a limit, and collects the lines that it prints.
import { type ChildProcess, spawn } from 'node:child_process';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { type Line, parse } from './json.js';

export interface Command {
  argv: string[];
  env?: Record<string, string>;
}

export interface Outcome {
  lines: Line[];
  /** Why it did not do what it should, or undefined. */
  failure?: string;
}

/** The package's root; this file is compiled to dist/bench/lib. */
export const root = resolve(__dirname, '..', '..', '..');
const launcher = join(root, 'dist', 'lib', 'cli', 'main.js');

/** Ranks of a script, started by the package's own launcher. */
export function uintrRun(script: string, args: string[], options: string[] = [], ranks = 2): string[] {
  return [process.execPath, launcher, 'run', '-n', String(ranks), ...options, script, ...args];
}

const graceMs = 2000;
const running = new Set<ChildProcess>();

export async function launch(command: Command, limitMs: number): Promise<Outcome> {
  const [file, ...args] = command.argv;
  // A process group of its own: what hangs is ended with all that it started.
  const child = spawn(file, args, {
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, ...command.env },
  });
  running.add(child);
  const lines: Line[] = [];
  const said: string[] = [];
  for (const stream of [child.stdout, child.stderr]) {
    createInterface({ input: stream }).on('line', (text) => {
      const line = parse(text);
      if (line) lines.push(line);
      else if (text.trim() !== '') said.push(text.trim());
    });
  }

  let late = false;
  const timer = setTimeout(() => {
    late = true;
    // Politely first: mpirun ends its ranks, which are in groups of their own, only if it is asked.
    endGroup(child, 'SIGTERM');
    setTimeout(() => endGroup(child, 'SIGKILL'), graceMs).unref();
  }, limitMs);
  const how = await new Promise<string | undefined>((done) => {
    child.once('error', (error) => done(`${file}: ${error.message}`));
    child.once('close', (code, signal) => done(code === 0 ? undefined : `${file} ended with ${signal ?? code}`));
  });
  clearTimeout(timer);
  running.delete(child);
  if (late) return { lines, failure: `did not end within ${limitMs / 1000} s` };
  if (how !== undefined) return { lines, failure: because(how, firstError(said)) };
  return { lines };
}

function because(how: string, error: string | undefined): string {
  return error === undefined ? how : `${error} (${how})`;
}

/** What a person would look at first: not stack frames, and not a launcher's rulers and boxes. */
function firstError(said: string[]): string | undefined {
  const telling = said.filter((text) => /[a-z]/i.test(text) && !/^(\[\S+\] )?at /.test(text));
  const error = telling.find((text) => /error|fail|cannot|not /i.test(text)) ?? telling[0];
  return error?.slice(0, 200);
}

function endGroup(child: ChildProcess, signal: NodeJS.Signals): void {
  // Once all have ended, the number may be another group's.
  if (!running.has(child)) return;
  try {
    if (child.pid !== undefined) process.kill(-child.pid, signal);
  } catch {
    // It is gone already.
  }
}

/** Ends what runs; for a signal that ends the benchmark itself, which a group of its own does not get. */
export function endAll(): void {
  for (const child of running) endGroup(child, 'SIGTERM');
}
