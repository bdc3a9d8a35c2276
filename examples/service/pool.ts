// A front process with workers, whatever connects them.
import type { Filtered, Image } from './image.js';

export interface Pool {
  filter(image: Image): Promise<Filtered>;
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
  readonly #waiting = new Map<number, (answer: Filtered) => void>();
  #last = 0;

  ask(send: (id: number) => void): Promise<Filtered> {
    this.#last += 1;
    const id = this.#last;
    return new Promise((resolve) => {
      this.#waiting.set(id, resolve);
      send(id);
    });
  }

  answered({ id, answer }: { id: number; answer: Filtered }): void {
    this.#waiting.get(id)!(answer);
    this.#waiting.delete(id);
  }
}
