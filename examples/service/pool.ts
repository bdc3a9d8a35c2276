// A front process with workers, whatever connects them.
import type { AnswerTo, Job } from './jobs.js';

export interface Pool {
  run<J extends Job>(job: J): Promise<AnswerTo<J>>;
  close(): Promise<void>;
}

/** Gives each job to the worker that has the fewest. */
export class Dispatch<W> {
  readonly #jobs: Map<W, number>;

  constructor(workers: Iterable<W>) {
    this.#jobs = new Map([...workers].map((worker) => [worker, 0]));
  }

  async run<T>(job: (worker: W) => Promise<T>): Promise<T> {
    const [[worker]] = [...this.#jobs].sort((one, other) => one[1] - other[1]);
    this.#jobs.set(worker, this.#jobs.get(worker)! + 1);
    try {
      return await job(worker);
    } finally {
      this.#jobs.set(worker, this.#jobs.get(worker)! - 1);
    }
  }
}

/** Answers by number, for channels that have only messages. */
export class Answers {
  readonly #waiting = new Map<number, (answer: never) => void>();
  #last = 0;

  ask<T>(send: (id: number) => void): Promise<T> {
    this.#last += 1;
    const id = this.#last;
    return new Promise((resolve) => {
      this.#waiting.set(id, resolve);
      send(id);
    });
  }

  answered({ id, answer }: { id: number; answer: unknown }): void {
    this.#waiting.get(id)!(answer as never);
    this.#waiting.delete(id);
  }
}
