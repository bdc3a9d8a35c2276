// A crew: the processes of one test, what they said, and how they ended. Whatever happens, none outlives its test.
import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { heard, type Said } from './messages.js';
import { describeProcess } from './proc.js';

const LINES_KEPT = 30;

/** What became of one rank. */
export interface Outcome {
  rank: number;
  /** Exit code and signal; undefined where a launcher stands between. */
  code?: number | null;
  signal?: NodeJS.Signals | null;
  result?: unknown;
  error?: Said['error'];
  output: string[];
}

interface Member {
  pid?: number;
  lastNote?: string;
  result?: unknown;
  error?: Said['error'];
}

interface Started {
  child: ChildProcess;
  how: { command: string; args: string[]; env: NodeJS.ProcessEnv };
  rank?: number;
  output: string[];
  ended: Promise<void>;
}

const crews = new Set<Crew>();
process.on('exit', () => {
  for (const crew of crews) crew.killAll();
});

export class Crew {
  readonly #started: Started[] = [];
  readonly #members = new Map<number, Member>();
  readonly #events: Said[] = [];
  readonly #waiting: { matches: (said: Said) => boolean; resolve: (said: Said) => void }[] = [];
  readonly #failed: Promise<never>;
  #fail!: (error: Error) => void;
  #timedOut = false;
  readonly #timer: NodeJS.Timeout;

  /** Kills every process after `timeoutMs`, and fails with what each was doing. */
  constructor(timeoutMs: number) {
    this.#failed = new Promise((_resolve, reject) => {
      this.#fail = reject;
    });
    this.#failed.catch(() => {});
    this.#timer = setTimeout(() => this.#onTimeout(timeoutMs), timeoutMs);
    crews.add(this);
  }

  /** Starts a process. `rank`: whose it is, if it is not a launcher. */
  start(command: string, args: string[], env: NodeJS.ProcessEnv, rank?: number): void {
    // A process group of its own, so that what it started can be ended with it.
    const child = spawn(command, args, { env, detached: true, stdio: ['ignore', 'pipe', 'pipe'] });
    const output: string[] = [];
    const keep = (line: string): void => {
      output.push(line);
      if (output.length > LINES_KEPT) output.shift();
    };
    createInterface({ input: child.stdout! }).on('line', (line) => {
      const said = heard(line);
      if (said) this.#hear(said);
      else keep(line);
    });
    createInterface({ input: child.stderr! }).on('line', keep);
    const ended = new Promise<void>((resolve) => {
      child.once('close', () => resolve());
      child.once('error', (error) => {
        this.#fail(new Error(`${command} could not be started`, { cause: error }));
        resolve();
      });
    });
    this.#started.push({ child, how: { command, args, env }, rank, output, ended });
  }

  /** Resolves when the process of a rank that was started last has ended. */
  async over(rank: number): Promise<void> {
    await Promise.race([this.#started.findLast((one) => one.rank === rank)!.ended, this.#failed]);
  }

  /** Starts the process of a rank once more when the one before has ended, with its number in LIFE. */
  async again(rank: number): Promise<void> {
    await this.over(rank);
    const lives = this.#started.filter((one) => one.rank === rank);
    const { how } = lives[0]!;
    this.start(how.command, how.args, { ...how.env, LIFE: `${lives.length}` }, rank);
  }

  /** Resolves when `rank` has told `event` (also if it did so before), with what it told. */
  async event(rank: number, event: string): Promise<unknown> {
    const matches = (said: Said): boolean => said.rank === rank && said.event === event;
    const before = this.#events.find(matches);
    if (before) return before.data;
    const told = new Promise<Said>((resolve) => this.#waiting.push({ matches, resolve }));
    const ended = this.ended().then(() => {
      throw new Error(`all processes ended before rank ${rank} told ${event}\n${this.report()}`);
    });
    ended.catch(() => {});
    return (await Promise.race([told, ended, this.#failed])).data;
  }

  /** The pid of a rank, once it runs. */
  async pid(rank: number): Promise<number> {
    return (await this.event(rank, 'started')) as number;
  }

  /** Resolves when all processes have ended and their output is read; fails if the timeout ended them. */
  async ended(): Promise<void> {
    await Promise.race([Promise.all(this.#started.map((one) => one.ended)), this.#failed]);
    // The question that a rank is asked on a timeout can wake it; that it then ends does not make it in time.
    if (this.#timedOut) await this.#failed;
  }

  /** How it ended, by rank; `ranks` of them, whether or not they said anything. */
  outcomes(ranks: number): Outcome[] {
    return Array.from({ length: ranks }, (_, rank) => {
      const { result, error } = this.#member(rank);
      const own = this.#started.find((one) => one.rank === rank);
      const output = own?.output ?? this.#started.flatMap((one) => one.output);
      return { rank, code: own?.child.exitCode, signal: own?.child.signalCode, result, error, output };
    });
  }

  /** Exit code or signal of each process in the order of their start. */
  exits(): (number | string | null)[] {
    return this.#started.map(({ child }) => child.signalCode ?? child.exitCode);
  }

  killAll(): void {
    for (const { child } of this.#started) {
      if (child.pid === undefined) continue;
      try {
        process.kill(-child.pid, 'SIGKILL');
      } catch {
        // Ended with all it had started.
      }
    }
  }

  /** To be called once, when the test has ended. */
  dispose(): void {
    clearTimeout(this.#timer);
    this.killAll();
    crews.delete(this);
  }

  /** What everyone was doing. */
  report(): string {
    const parts = [...this.#members].map(([rank, { pid, lastNote, result, error }]) => {
      const what = pid === undefined ? '' : `, ${describeProcess(pid)}`;
      const said = lastNote === undefined ? 'nothing noted' : `last note: ${lastNote}`;
      const ended = error
        ? `\n  failed: ${error.stack ?? error.message}`
        : result === undefined
          ? '\n  body not ended'
          : '\n  body ended';
      return `rank ${rank} (pid ${pid}${what})\n  ${said}${ended}`;
    });
    for (const { child, how, rank, output } of this.#started) {
      const state = child.signalCode ?? child.exitCode ?? 'still runs';
      const last = output.length === 0 ? ' nothing' : `\n    ${output.join('\n    ')}`;
      parts.push(
        `${rank === undefined ? [how.command, ...how.args].join(' ') : `process of rank ${rank}`}: ${state}; last output:${last}`,
      );
    }
    return parts.join('\n');
  }

  #member(rank: number): Member {
    let member = this.#members.get(rank);
    if (!member) {
      member = {};
      this.#members.set(rank, member);
    }
    return member;
  }

  #hear(said: Said): void {
    const member = this.#member(said.rank);
    if (said.pid !== undefined) member.pid = said.pid;
    if (said.note !== undefined) member.lastNote = said.note;
    if ('result' in said) member.result = said.result;
    if (said.error !== undefined) member.error = said.error;
    if (said.event === undefined) return;
    this.#events.push(said);
    for (const waiting of [...this.#waiting]) {
      if (!waiting.matches(said)) continue;
      this.#waiting.splice(this.#waiting.indexOf(waiting), 1);
      waiting.resolve(said);
    }
  }

  #onTimeout(timeoutMs: number): void {
    this.#timedOut = true;
    // A rank whose event loop still turns answers with what its world is waiting for.
    for (const { pid } of this.#members.values()) {
      if (pid === undefined) continue;
      try {
        process.kill(pid, 'SIGUSR2');
      } catch {
        // It has ended.
      }
    }
    setTimeout(() => {
      const report = this.report();
      this.killAll();
      this.#fail(new Error(`not finished after ${timeoutMs} ms; killed. What they were doing:\n${report}`));
    }, 500);
  }
}
