// A request made of several, which the program does not see. It goes on where completions are settled and not in
// promises, so that wait(), which lets no promise go on, completes it as well.
import type { Core } from './core.js';
import { composed, fail, fulfil, type Request, takeOutcome, whenOver } from './request.js';
import type { Outcome } from './request-sets.js';

/**
 * Is over when all its parts are, since before that the engine may touch their buffers; fails with what the first of them
 * failed with.
 */
export class Composite<T> {
  /** What the program sees. */
  readonly request: Request<T>;
  readonly #core: Core;
  readonly #finish: () => T;
  // Parts under way, and reasons to expect more. The one is the maker's, until release().
  #pending = 1;
  #failure: { error: unknown } | undefined;

  /** While `first` can be taken back, so can the whole. `finish` makes the value; what it throws is a failure. */
  constructor(core: Core, first: Request<unknown>, isSend: boolean, finish: () => T) {
    this.#core = core;
    this.request = composed(core, first, isSend);
    this.#finish = finish;
  }

  get failed(): boolean {
    return this.#failure !== undefined;
  }

  /** `over` may add more; it must not throw, or call code of the program. */
  add<V>(part: Request<V>, over?: (outcome: Outcome<V>) => void): void {
    this.#pending += 1;
    const end = (): void => {
      const outcome = takeOutcome(part);
      over?.(outcome);
      if (outcome.status === 'rejected') this.fail(outcome.reason);
      this.release();
    };
    whenOver(part, () => this.#core.steps.whole(end));
  }

  /** It is not over before a call of release() for each. */
  hold(): void {
    this.#pending += 1;
  }

  /** Undoes a hold(), or the one that it was made with. */
  release(): void {
    this.#pending -= 1;
    if (this.#pending === 0) this.#end();
  }

  /** What it will fail with, unless it has failed before. */
  fail(error: unknown): void {
    this.#failure ??= { error };
  }

  #end(): void {
    if (this.#failure === undefined) {
      try {
        fulfil(this.request, this.#finish());
        return;
      } catch (error) {
        this.fail(error);
      }
    }
    fail(this.request, this.#failure!.error);
  }
}
