// The ranks that World.spawn starts: processes or worker threads, and how they end.
import { type ChildProcess, spawn } from 'node:child_process';
import { Worker } from 'node:worker_threads';

/** How a process or thread that {@link World.spawn} started has ended. */
export interface ChildExit {
  /** Its rank. */
  rank: number;
  /** What it ended with; null if a signal ended it, or it never ran. 1 for a thread that was terminated. */
  exitCode: number | null;
  /** The signal that ended it, else null. Threads have none. */
  signal: NodeJS.Signals | null;
  /** Why it could not be started; or what a thread threw and nobody caught (a process writes that to standard error). */
  error?: unknown;
}

/** What is to be started, and how. */
export interface Start {
  kind: 'process' | 'thread';
  /** Path of the script. */
  script: string;
  args: readonly string[];
  env: NodeJS.ProcessEnv;
  execArgv: readonly string[] | undefined;
}

/** How long a process has between SIGTERM and SIGKILL, in milliseconds. */
const GRACE_MS = 2_000;
/** How long after its last sign of life the end of a child may take to be told, in milliseconds. */
const TOLD_MS = 1_000;

interface Child {
  rank: number;
  exit: ChildExit | undefined;
  readonly ended: Promise<ChildExit>;
  stop(force: boolean): void;
  unref(): void;
}

/** Options that belong to the program text on a command line, which a child does not get, and whether a value follows. */
const EVALUATED: Readonly<Record<string, boolean>> = {
  '-e': true,
  '--eval': true,
  '-p': true,
  '-pe': true,
  '--print': true,
  '-c': false,
  '--check': false,
  '-i': false,
  '--interactive': false,
};

export class Children {
  readonly #children: Child[] = [];
  #tell: ((exit: ChildExit) => void) | undefined;

  /** `socket`: the descriptor that a process finds as its number 3. Whatever prevents the start is told as the end. */
  start(rank: number, what: Start, socket: number): Promise<ChildExit> {
    const child: Child = { rank, exit: undefined, ...started(rank, what, socket) };
    this.#children.push(child);
    void child.ended.then((exit) => {
      child.exit = exit;
      this.#tell?.(exit);
    });
    return child.ended;
  }

  /** Each end from now on, and those that there were. */
  onExit(tell: (exit: ChildExit) => void): void {
    this.#tell = tell;
    for (const { exit } of this.#children) if (exit !== undefined) tell(exit);
  }

  /** They keep this process alive no longer. */
  unref(): void {
    for (const child of this.#children) child.unref();
  }

  /** How it ended: soon, or undefined. */
  async exitOf(rank: number): Promise<ChildExit | undefined> {
    const child = this.#children.find((one) => one.rank === rank);
    return child && (await within(TOLD_MS, child.ended));
  }

  /** Ends all that still run. */
  async end(): Promise<void> {
    const stop = (force: boolean): void => {
      for (const child of this.#children) if (child.exit === undefined) child.stop(force);
    };
    const all = Promise.all(this.#children.map(({ ended }) => ended));
    stop(false);
    if ((await within(GRACE_MS, all)) !== undefined) return;
    stop(true);
    await within(GRACE_MS, all);
  }
}

type Handle = Pick<Child, 'ended' | 'stop' | 'unref'>;

function started(rank: number, what: Start, socket: number): Handle {
  try {
    return what.kind === 'thread' ? startThread(rank, what) : startProcess(rank, what, socket);
  } catch (error) {
    return { ended: Promise.resolve(unstarted(rank, error)), stop: () => {}, unref: () => {} };
  }
}

function startProcess(rank: number, { script, args, env, execArgv }: Start, socket: number): Handle {
  const child: ChildProcess = spawn(process.execPath, [...(execArgv ?? inheritedExecArgv()), script, ...args], {
    env,
    // As with mpirun, input is rank 0's.
    stdio: ['ignore', 'inherit', 'inherit', socket],
  });
  const ended = new Promise<ChildExit>((resolve) => {
    child.once('exit', (exitCode, signal) => resolve({ rank, exitCode, signal }));
    child.on('error', (error) => {
      // Else a signal that could not be sent.
      if (child.pid === undefined) resolve(unstarted(rank, error));
    });
  });
  return { ended, stop: (force) => void child.kill(force ? 'SIGKILL' : 'SIGTERM'), unref: () => child.unref() };
}

function startThread(rank: number, { script, args, env, execArgv }: Start): Handle {
  const worker = new Worker(script, {
    argv: [...args],
    env,
    ...(execArgv !== undefined && { execArgv: [...execArgv] }),
  });
  const ended = new Promise<ChildExit>((resolve) => {
    let failure: { error?: unknown } = {};
    worker.on('error', (error) => {
      failure = { error };
    });
    worker.once('exit', (exitCode) => resolve({ rank, exitCode, signal: null, ...failure }));
  });
  return { ended, stop: () => void worker.terminate(), unref: () => worker.unref() };
}

function unstarted(rank: number, error: unknown): ChildExit {
  return { rank, exitCode: null, signal: null, error };
}

/** What this process was started with, less its program text. */
function inheritedExecArgv(): string[] {
  const kept: string[] = [];
  for (let i = 0; i < process.execArgv.length; i += 1) {
    const argument = process.execArgv[i]!;
    const valueFollows = EVALUATED[argument];
    if (valueFollows) i += 1;
    if (valueFollows === undefined && !/^--(eval|print|input-type)=/.test(argument)) kept.push(argument);
  }
  return kept;
}

/** In words; completes "rank 2 …". */
export function describeExit({ exitCode, signal, error }: ChildExit): string {
  if (exitCode === null && signal === null) return `could not be started: ${messageOf(error)}`;
  if (error !== undefined) return `failed: ${messageOf(error)}`;
  return signal === null ? `ended with exit code ${exitCode}` : `was ended by ${signal}`;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

async function within<T>(ms: number, promise: Promise<T>): Promise<T | undefined> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<undefined>((resolve) => {
    timer = setTimeout(() => resolve(undefined), ms);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}
