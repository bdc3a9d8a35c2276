// What a communicator has planned before. Programs call the same operation on as many bytes again and again, and to plan
// it takes as long as several short messages; longer still after a long one, which has put V8's code out of the caches.
import type { Schedule } from './schedule.js';

/** How an operation is carried out, whatever its buffers. */
export interface Planned {
  /** What all ranks have to agree on, in words. */
  readonly called: string;
  readonly schedule: Schedule;
}

/** How many ranks there are, and which this one is; and what they have planned, if that is kept. */
export interface Ranks {
  readonly rank: number;
  readonly size: number;
  readonly plans?: Plans;
}

interface Entry {
  readonly operation: string;
  readonly bytes: number;
  readonly root: number;
  readonly detail: number;
  readonly planned: Planned;
}

/** Few, for they are looked through, and a plan of many ranks is long. */
const MOST = 8;

let epoch = 0;

/** All plans are made anew: the thresholds have changed. */
export function forgetPlans(): void {
  epoch += 1;
}

export class Plans {
  readonly #entries: Entry[] = [];
  // The next to be replaced.
  #oldest = 0;
  #epoch = epoch;

  /** What `make` gave for the same numbers; `root` and `detail` are what else it depends on. */
  find(operation: string, bytes: number, root: number, detail: number, make: () => Planned): Planned {
    if (this.#epoch !== epoch) {
      this.#entries.length = this.#oldest = 0;
      this.#epoch = epoch;
    }
    for (const entry of this.#entries) {
      if (entry.bytes !== bytes || entry.detail !== detail || entry.root !== root) continue;
      if (entry.operation === operation) return entry.planned;
    }
    const planned = make();
    this.#entries[this.#oldest] = { operation, bytes, root, detail, planned };
    this.#oldest = (this.#oldest + 1) % MOST;
    return planned;
  }
}

/** As {@link Plans.find}, where plans are kept. */
export function plan(
  { plans }: Ranks,
  operation: string,
  bytes: number,
  root: number,
  detail: number,
  make: () => Planned,
): Planned {
  return plans === undefined ? make() : plans.find(operation, bytes, root, detail, make);
}
