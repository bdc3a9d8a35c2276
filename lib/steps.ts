// What goes on later: once the batch of completions is read, once something is whole, when the event loop has had its
// turn, or when there may be a slot.
import { requestChannel, settleChannel } from './diagnostics.js';

type Step = () => void;

/** How long what found no slot waits at most before it tries again, in milliseconds. */
const RETRY_MS = 20;

export class Steps {
  readonly #next: Step[] = [];
  #reading = false;
  // What is to be told once what is under way is whole.
  #untold: Step[] | undefined;
  readonly #later: Step[] = [];
  #turnAsked = false;
  readonly #starved: Step[] = [];
  #retryTimer: NodeJS.Timeout | undefined;

  // ---- after the batch --------------------------------------------------------

  /** Records are read from now on that name slots which are free already. */
  beginReading(): void {
    this.#reading = true;
  }

  endReading(): void {
    this.#reading = false;
    runAll(this.#next);
  }

  /**
   * Calls `step`, which may post and take back, after the batch that is being read, if one is: a request posted now could
   * get one of the slots that its records name.
   */
  afterBatch(step: Step): void {
    if (this.#reading) this.#next.push(step);
    else step();
  }

  /** What is put off until after the batch, unless that is still being read. */
  goOn(): void {
    if (!this.#reading) runAll(this.#next);
  }

  // ---- when it is whole -------------------------------------------------------

  /**
   * Calls `publish`, and so code of the program, which may do anything: after the batch that is being read, and after what
   * is under way in whole().
   */
  tell(publish: Step): void {
    if (this.#untold !== undefined) this.#untold.push(publish);
    // What goes on after the batch may be something whole, in the middle of which the rest of it comes on.
    else if (this.#reading) this.#next.push(() => this.tell(publish));
    else publish();
  }

  /**
   * Calls `step`, which posts several and takes note of each; only then are those told that want to hear of requests. What
   * they do meanwhile, be it to wait for one of these, would find it half done.
   */
  whole<T>(step: () => T): T {
    if (this.#untold !== undefined || !(requestChannel.hasSubscribers || settleChannel.hasSubscribers)) return step();
    const untold: Step[] = [];
    this.#untold = untold;
    try {
      return step();
    } finally {
      this.#untold = undefined;
      for (const publish of untold) publish();
    }
  }

  // ---- when the event loop has had its turn -----------------------------------

  /** Calls `step` when the event loop has had its turn; from a wait, or a loop on `done`, where that gets none. */
  nextTurn(step: Step): void {
    this.#later.push(step);
    if (this.#turnAsked) return;
    this.#turnAsked = true;
    // One that does not count would run only when something else wakes the loop.
    setImmediate(() => {
      this.#turnAsked = false;
      this.takeTurn();
    });
  }

  get wantsTurn(): boolean {
    return this.#later.length > 0;
  }

  takeTurn(): void {
    runAll(this.#later);
  }

  // ---- when there may be a slot -----------------------------------------------

  /** `retry` found no slot; it is called when there may be one. */
  whenFreed(retry: Step): void {
    this.#starved.push(retry);
    // A slot whose peer is still to be told of its end is free only then, and nothing tells of that.
    this.#retryTimer ??= setTimeout(() => {
      this.#retryTimer = undefined;
      this.retry();
    }, RETRY_MS).unref();
  }

  get wantsSlot(): boolean {
    return this.#starved.length > 0;
  }

  retry(): void {
    runAll(this.#starved);
  }
}

/** Each once. One may wait for what another behind it does, and come here from within. */
function runAll(steps: Step[]): void {
  for (let left = steps.length; left > 0; left -= 1) steps.shift()?.();
}
