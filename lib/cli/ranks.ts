// The processes of `uintr run`: how they start, and how they end.
import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync } from 'node:fs';
import { constants } from 'node:os';
import type { Readable } from 'node:stream';
import { BOOTSTRAP_VARIABLE, encodeBootstrap } from '../launched.js';
import { COULD_NOT_START } from './failure.js';
import { Guard } from './guard.js';
import { LinePrefix } from './prefix.js';

/** How long a rank has between SIGTERM and SIGKILL, in milliseconds. */
const GRACE_MS = 5_000;
/** How long output is read on when all ranks have ended, because something they started still has it, in milliseconds. */
const OUTPUT_MS = 2_000;
/** Where a rank finds its socket to the hub. */
const HUB_FD = 3;

export interface Launch {
  command: string;
  args: readonly string[];
  env: NodeJS.ProcessEnv;
  /** One socket per rank; closed once its rank has it. */
  sockets: readonly number[];
}

export class Ranks {
  readonly #running = new Set<ChildProcess>();
  readonly #guard = new Guard();
  #outputs = 0;
  #firstFailure = 0;
  #ending = false;
  #killTimer: NodeJS.Timeout | undefined;
  #outputTimer: NodeJS.Timeout | undefined;
  #finish!: () => void;
  readonly #finished = new Promise<void>((resolve) => {
    this.#finish = resolve;
  });

  /** Exit code of the first rank that failed (128 + signal number if a signal ended it); 0 if none did. */
  async run(launch: Launch): Promise<number> {
    const sockets = [...launch.sockets];
    for (let rank = 0; rank < launch.sockets.length; rank += 1) {
      if (!this.#ending) this.#start(launch, rank);
      closeSync(sockets.shift()!);
    }
    this.#checkFinished();
    await this.#finished;
    clearTimeout(this.#killTimer);
    clearTimeout(this.#outputTimer);
    this.#guard.dismiss();
    return this.#firstFailure;
  }

  /** Passes a signal on to every rank and to what it started. */
  signal(signal: NodeJS.Signals): void {
    for (const child of this.#running) signalGroup(child, signal);
  }

  /** Ends all that still run: SIGTERM, and SIGKILL for what is left after the grace. `code`: why, if nothing failed yet. */
  end(code: number): void {
    this.#firstFailure ||= code;
    if (this.#ending) return;
    this.#ending = true;
    this.signal('SIGTERM');
    this.#killTimer = setTimeout(() => this.signal('SIGKILL'), GRACE_MS);
  }

  #start({ command, args, env, sockets }: Launch, rank: number): void {
    const child = spawn(command, args, {
      env: { ...env, [BOOTSTRAP_VARIABLE]: encodeBootstrap({ hubFd: HUB_FD, size: sockets.length }) },
      // As with mpirun, input is rank 0's.
      stdio: [rank === 0 ? 'inherit' : 'ignore', 'pipe', 'pipe', sockets[rank]!],
      // A process group of its own: what a wrapper started is ended with it, and Ctrl-C reaches it only through here.
      detached: true,
    });
    this.#prefixed(child.stdout!, process.stdout, rank);
    this.#prefixed(child.stderr!, process.stderr, rank);
    child.once('error', (error) => {
      if (child.pid !== undefined) return; // a signal that could not be sent
      process.stderr.write(`uintr run: rank ${rank}: ${error.message}\n`);
      this.end(COULD_NOT_START);
      this.#checkFinished();
    });
    if (child.pid === undefined) return;
    this.#running.add(child);
    this.#guard.watch(child.pid);
    child.once('exit', (code, signal) => this.#ended(child, code, signal));
  }

  #ended(child: ChildProcess, code: number | null, signal: NodeJS.Signals | null): void {
    // What it left behind in its group goes with it, if the world is being ended.
    if (this.#ending) signalGroup(child, 'SIGKILL');
    this.#running.delete(child);
    const failure = signal === null ? (code ?? 1) : 128 + constants.signals[signal];
    if (failure !== 0) this.end(failure);
    this.#checkFinished();
  }

  #prefixed(from: Readable, to: NodeJS.WriteStream, rank: number): void {
    this.#outputs += 1;
    from.on('error', () => from.destroy());
    const lines = from.pipe(new LinePrefix(`[${rank}] `));
    lines.pipe(to, { end: false });
    // Whom nobody hears may still say all it has to.
    to.once('error', () => lines.resume());
    from.once('close', () => {
      if (!from.readableEnded) lines.end();
    });
    lines.once('end', () => {
      this.#outputs -= 1;
      this.#checkFinished();
    });
  }

  #checkFinished(): void {
    if (this.#running.size > 0) return;
    if (this.#outputs === 0) this.#finish();
    else this.#outputTimer ??= setTimeout(this.#finish, OUTPUT_MS);
  }
}

function signalGroup(child: ChildProcess, signal: NodeJS.Signals): void {
  try {
    process.kill(-child.pid!, signal);
  } catch {
    // The group has ended.
  }
}
