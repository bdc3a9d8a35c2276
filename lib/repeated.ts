// Receives of the package's own, one after another, from whoever is there.
import { ANY_SOURCE } from './constants.js';
import type { Core } from './core.js';
import type { UintrError } from './errors.js';
import { isActive, type Request, takeOutcome, whenOver } from './request.js';
import type { Outcome } from './request-sets.js';

/** Of messages that were here before anybody asked: after so many the event loop has a turn. */
const AT_A_TIME = 1000;

export class Repeated<T> {
  readonly #core: Core;
  readonly #post: (source: number) => Request<T>;
  readonly #came: (outcome: Outcome<T>) => void;
  readonly #wanted: () => boolean;
  #source = ANY_SOURCE;
  #posted = false;
  #posting = false;
  // Receives that were over at once, since one was not.
  #inARow = 0;

  /** `came` hears of failures too; it must not call code of the program. */
  constructor(
    core: Core,
    post: (source: number) => Request<T>,
    came: (outcome: Outcome<T>) => void,
    wanted: () => boolean,
  ) {
    this.#core = core;
    this.#post = post;
    this.#came = came;
    this.#wanted = wanted;
  }

  /** Posts the next receive if one is wanted and none is posted. It goes on by itself while that is so. */
  go(): void {
    // A message can be here at once, which leads here again: that is a loop and not a recursion.
    if (this.#posting) return;
    this.#posting = true;
    while (!this.#posted && this.#wanted()) {
      this.#posted = true;
      // Somebody sends as fast as this receives.
      if (this.#inARow === AT_A_TIME) this.#core.steps.nextTurn(() => this.#goOn());
      else postOrLater(this.#core, () => this.#postOne());
    }
    this.#posting = false;
  }

  #postOne(): void {
    this.#posted = this.#wanted();
    if (!this.#posted) return;
    const request = this.#post(this.#source);
    this.#inARow = isActive(request) ? 0 : this.#inARow + 1;
    whenOver(request, () => this.#over(takeOutcome(request)));
  }

  #goOn(): void {
    this.#inARow = 0;
    this.#posted = false;
    this.go();
  }

  #over(outcome: Outcome<T>): void {
    this.#came(outcome);
    if (outcome.status === 'rejected') {
      // Counts as posted for ever: the world is closed.
      if ((outcome.reason as UintrError).code === 'ERR_UINTR_CLOSED') return;
      if (this.#isAlone()) this.#source = this.#core.rank;
    }
    this.#posted = false;
    this.go();
  }

  /** All others are gone. The own rank, of which a wildcard knows nothing, may still send. */
  #isAlone(): boolean {
    try {
      this.#core.checkReachable(ANY_SOURCE);
      return false;
    } catch {
      return true;
    }
  }
}

/** Where there is no slot it tries again when there may be one. `inVain`: the world is closed. */
export function postOrLater(core: Core, post: () => void, inVain?: () => void): void {
  try {
    post();
  } catch (error) {
    if ((error as UintrError).code === 'ERR_UINTR_NO_MEMORY')
      core.steps.whenFreed(() => postOrLater(core, post, inVain));
    else inVain?.();
  }
}
