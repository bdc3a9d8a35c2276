// The processes of `uintr run`: how they start, and how they end.
import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync } from 'node:fs';
import { constants } from 'node:os';
import type { Readable } from 'node:stream';
import { BOOTSTRAP_VARIABLE, encodeBootstrap } from '../launched.js';
import { COULD_NOT_START } from './failure.js';
import { Guard } from './guard.js';
import { listenersIn } from './listeners.js';
import { LinePrefix } from './prefix.js';

/** How long a rank has between SIGTERM and SIGKILL, in milliseconds. */
const GRACE_MS = 5_000;
/** How long what ranks have started may go on when all have ended, in milliseconds. */
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

interface Rank {
  child: ChildProcess;
  running: boolean;
  /** Output streams that something in the rank's process group still has open. */
  outputs: number;
}

export class Ranks {
  readonly #ranks: Rank[] = [];
  readonly #guard = new Guard();
  #firstFailure = 0;
  #ending = false;
  #timer: NodeJS.Timeout | undefined;
  #finish!: () => void;
  readonly #finished = new Promise<void>((resolve) => {
    this.#finish = resolve;
  });

  /** Exit code of the first rank that failed (128 + signal number if a signal ended it); 0 if none did. */
  async run(launch: Launch): Promise<number> {
    launch.sockets.forEach((socket, rank) => {
      if (!this.#ending) this.#start(launch, rank);
      closeSync(socket);
    });
    await this.#finished;
    clearTimeout(this.#timer);
    this.#guard.dismiss();
    return this.#firstFailure;
  }

  /** Passes a signal on to every rank and to what it started. */
  signal(signal: NodeJS.Signals): void {
    for (const rank of this.#ranks) {
      // A group of which nothing is left may be somebody else's by now.
      if (rank.running || rank.outputs > 0) signalGroup(rank.child, signal);
    }
  }

  /** Passes a signal on to what listens to it, and to nothing else, which it would end. */
  signalListeners(signal: NodeJS.Signals): void {
    const groups = this.#ranks.filter(({ running, outputs }) => running || outputs > 0).map(({ child }) => child.pid!);
    for (const pid of listenersIn(groups, signal)) signalProcess(pid, signal);
  }

  /** Ends all that still run: SIGTERM, and SIGKILL for what is left after the grace. `code`: why, if nothing failed yet. */
  end(code: number): void {
    this.#firstFailure ||= code;
    if (this.#ending) return;
    this.#ending = true;
    this.signal('SIGTERM');
    this.#killIn(GRACE_MS);
  }

  #start({ command, args, env, sockets }: Launch, number: number): void {
    const child = spawn(command, args, {
      env: { ...env, [BOOTSTRAP_VARIABLE]: encodeBootstrap({ hubFd: HUB_FD, size: sockets.length }, sockets[number]!) },
      // As with mpirun, input is rank 0's.
      stdio: [number === 0 ? 'inherit' : 'ignore', 'pipe', 'pipe', sockets[number]!],
      // A process group of its own: what a wrapper started is ended with it, and Ctrl-C reaches it only through here.
      detached: true,
    });
    const rank: Rank = { child, running: child.pid !== undefined, outputs: 0 };
    this.#ranks.push(rank);
    child.once('error', (error) => {
      if (child.pid !== undefined) return; // a signal that could not be sent
      process.stderr.write(`uintr run: rank ${number}: ${error.message}\n`);
      this.end(COULD_NOT_START);
      this.#checkFinished();
    });
    if (child.pid === undefined) return;
    this.#guard.watch(child.pid);
    this.#prefixed(rank, child.stdout!, process.stdout, number);
    this.#prefixed(rank, child.stderr!, process.stderr, number);
    child.once('exit', (code, signal) => {
      rank.running = false;
      const failure = signal === null ? (code ?? 1) : 128 + constants.signals[signal];
      if (failure !== 0) this.end(failure);
      this.#checkFinished();
    });
  }

  #prefixed(rank: Rank, from: Readable, to: NodeJS.WriteStream, number: number): void {
    rank.outputs += 1;
    const lines = from.pipe(new LinePrefix(`[${number}] `));
    lines.pipe(to, { end: false });
    // Whom nobody hears may still say all it has to.
    to.once('error', () => lines.resume());
    from.once('error', () => from.destroy());
    from.once('close', () => {
      if (!from.readableEnded) lines.end();
    });
    lines.once('end', () => {
      rank.outputs -= 1;
      this.#checkFinished();
    });
  }

  #checkFinished(): void {
    if (this.#ranks.some(({ running }) => running)) return;
    if (this.#ranks.every(({ outputs }) => outputs === 0)) this.#finish();
    // What ranks have started and left behind, and what has their output open.
    else if (!this.#ending) this.#killIn(OUTPUT_MS);
  }

  /** Ends what there is then, and with it all waiting. */
  #killIn(ms: number): void {
    this.#timer ??= setTimeout(() => {
      this.signal('SIGKILL');
      // Whoever left its rank's process group keeps running, and may keep the output open.
      this.#timer = setTimeout(this.#finish, OUTPUT_MS);
    }, ms);
  }
}

function signalGroup(child: ChildProcess, signal: NodeJS.Signals): void {
  signalProcess(-child.pid!, signal);
}

function signalProcess(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {
    // The process, or group, has ended.
  }
}
