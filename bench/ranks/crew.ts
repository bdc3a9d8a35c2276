// The workers of counter as who leads them has them: threads or processes, which do what they are told, all at once.
import { type ChildProcess, fork } from 'node:child_process';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import type { Order, Report, Setup } from './counter-worker.js';

const script = join(__dirname, 'counter-worker.js');

interface Channel {
  send(order: Order): void;
  end(): Promise<unknown>;
}

/** Rejects what it was told last if it ends before it has done that. */
class Hand {
  readonly #channel: Channel;
  #settle?: { resolve(report: Report): void; reject(error: Error): void };

  constructor(kind: 'thread' | 'process', setup: Setup) {
    const lost = (why: string) => this.#settle?.reject(new Error(`a worker has failed: ${why}`));
    const done = (answer: unknown) => {
      const { failure } = answer as { failure?: string };
      if (failure === undefined) this.#settle?.resolve(answer as Report);
      else lost(failure);
    };
    this.#channel = kind === 'thread' ? thread(setup, done, lost) : child(setup, done, lost);
  }

  do(order: Order): Promise<Report> {
    return new Promise<Report>((resolve, reject) => {
      this.#settle = { resolve, reject };
      this.#channel.send(order);
    });
  }

  async end(): Promise<void> {
    this.#settle = undefined;
    await this.#channel.end();
  }
}

function thread(setup: Setup, done: (answer: unknown) => void, lost: (why: string) => void): Channel {
  const worker = new Worker(script, { workerData: setup });
  worker.on('message', done);
  worker.on('error', (error) => lost(error.message));
  worker.on('exit', (code) => lost(`exit code ${code}`));
  return { send: (order) => worker.postMessage(order), end: () => worker.terminate() };
}

function child(setup: Setup, done: (answer: unknown) => void, lost: (why: string) => void): Channel {
  const process: ChildProcess = fork(script, [JSON.stringify(setup)]);
  process.on('message', done);
  process.on('error', (error) => lost(error.message));
  process.on('exit', (code, signal) => lost(signal ?? `exit code ${code}`));
  // It ends when nobody can tell it anything any more.
  const end = () =>
    new Promise<void>((resolve) => {
      if (process.exitCode !== null || process.signalCode !== null) resolve();
      process.once('exit', () => resolve());
      if (process.connected) process.disconnect();
    });
  return { send: (order) => process.send(order), end };
}

export class Crew {
  readonly #kind: 'thread' | 'process';
  readonly #setup: Setup;
  readonly #hands: Hand[] = [];

  constructor(kind: 'thread' | 'process', setup: Setup) {
    this.#kind = kind;
    this.#setup = setup;
  }

  grow(size: number): void {
    while (this.#hands.length < size) this.#hands.push(new Hand(this.#kind, this.#setup));
  }

  /** One order for each. */
  do(orders: Order[]): Promise<Report>[] {
    return orders.map((order, i) => this.#hands[i].do(order));
  }

  async end(): Promise<void> {
    await Promise.all(this.#hands.map((hand) => hand.end()));
  }
}
