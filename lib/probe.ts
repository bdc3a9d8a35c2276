// Waiting for a message without receiving it (MPI 4.1, 3.8). Nothing polls: the core looks after what waits whenever it
// hears of an arrival.
import { listen, stopListening } from './abort.js';
import { PROC_NULL } from './constants.js';
import type { Core } from './core.js';
import { fromNobody, type Status } from './message.js';
import type { Scope } from './scope.js';

/** Which message is looked for, as checked arguments say it. */
export interface Wanted {
  source: number;
  tag: number;
  context: number;
  signal: AbortSignal | undefined;
  /** Of a communicator that is not the world. */
  scope: Scope | undefined;
}

/** All that wait for messages of a world, in the order in which they began. */
export class Probes {
  readonly #core: Core;
  readonly #waiting = new Set<Wait<unknown>>();

  constructor(core: Core) {
    this.#core = core;
  }

  /** Waits until `look` finds something (returns it) or there is nothing to wait for any more (throws). */
  wait<T>({ source, tag, context, signal }: Wanted, look: () => T | undefined): Promise<T> {
    // What came meanwhile is for those who wait already.
    const inVain = this.look();
    const key = `${context} ${source} ${tag}`;
    const wait = new Wait<T>(key, look, signal, () => this.#remove(wait));
    if ((inVain.has(key) && signal?.aborted !== true) || !wait.look()) this.#add(wait);
    return wait.promise;
  }

  /** Something has come, or somebody gone. Returns the keys of those that have looked in vain. */
  look(): Set<string> {
    // More may come between two looks: it is not for one that would overtake another with the same key.
    const inVain = new Set<string>();
    for (const wait of this.#waiting) if (!inVain.has(wait.key) && !wait.look()) inVain.add(wait.key);
    return inVain;
  }

  fail(error: unknown): void {
    for (const wait of this.#waiting) wait.fail(error);
  }

  #add(wait: Wait<unknown>): void {
    // What comes between the look and this counts as come afterwards.
    if (this.#waiting.size === 0) this.#core.native.watch(true);
    this.#waiting.add(wait);
    this.#core.want();
  }

  #remove(wait: Wait<unknown>): void {
    if (!this.#waiting.delete(wait)) return;
    this.#core.unwant();
    if (this.#waiting.size === 0) this.#core.native.watch(false);
  }
}

class Wait<T> {
  /** The same for those that look for the same messages. */
  readonly key: string;
  readonly promise: Promise<T>;
  readonly #look: () => T | undefined;
  readonly #signal: AbortSignal | undefined;
  readonly #onAbort = (): void => this.fail(this.#signal!.reason);
  readonly #ended: () => void;
  // Takes a T; said as what it is called with, so that a Wait<T> is a Wait<unknown>.
  #resolve!: (value: unknown) => void;
  #reject!: (error: unknown) => void;

  constructor(key: string, look: () => T | undefined, signal: AbortSignal | undefined, ended: () => void) {
    this.key = key;
    this.#look = look;
    this.#signal = signal;
    this.#ended = ended;
    this.promise = new Promise((resolve, reject) => {
      this.#resolve = resolve as (value: unknown) => void;
      this.#reject = reject;
    });
    if (signal !== undefined) listen(signal, this.#onAbort);
  }

  /** Whether it is over. */
  look(): boolean {
    let found: T | undefined;
    try {
      if (this.#signal?.aborted) throw this.#signal.reason;
      found = this.#look();
    } catch (error) {
      this.fail(error);
      return true;
    }
    if (found === undefined) return false;
    this.#end();
    this.#resolve(found);
    return true;
  }

  fail(error: unknown): void {
    this.#end();
    this.#reject(error);
  }

  #end(): void {
    if (this.#signal !== undefined) stopListening(this.#signal, this.#onAbort);
    this.#ended();
  }
}

/** The Status of the message that a receive would get, as soon as there is one. */
export function probe(core: Core, wanted: Wanted): Promise<Status> {
  const { source, tag, context, scope } = wanted;
  if (source === PROC_NULL) return Promise.resolve(fromNobody());
  return core.probes.wait(wanted, () => {
    scope?.check();
    const found = core.probe(source, tag, context, scope);
    if (found === null) core.checkReachable(source, scope);
    return found ?? undefined;
  });
}
