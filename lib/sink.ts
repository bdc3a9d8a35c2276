// Takes what comes in a context that nobody receives in any more, and throws it away: so it holds no memory here, and its
// senders are done.
import { ANY_SOURCE, ANY_TAG } from './constants.js';
import { type Core, readStatus } from './core.js';
import { outcomeOf } from './outcome.js';
import { isActive, type Request, takeOutcome } from './request.js';

// Between two turns of the event loop, should somebody send without end.
const AT_A_TIME = 1000;

export class Sink {
  readonly #core: Core;
  readonly #context: number;
  #posted: Request<unknown> | undefined;
  #stopped = false;

  constructor(core: Core, context: number) {
    this.#core = core;
    this.#context = context;
    this.#post();
  }

  /** Takes what has come, and no more; to be called when nothing more can. */
  stop(): void {
    this.#stopped = true;
    this.#posted?.cancel();
    drain(this.#core, this.#context);
  }

  #post(): void {
    for (let i = 0; !this.#stopped && !this.#core.closed; i += 1) {
      if (i === AT_A_TIME) {
        setImmediate(() => this.#post()).unref();
        return;
      }
      const request = receiveNothing(this.#core, this.#context);
      if (request === undefined) return;
      if (isActive(request)) {
        this.#posted = request;
        void outcomeOf(request).then((outcome) => {
          if (canGoOn(outcome)) this.#post();
        });
        return;
      }
      if (!canGoOn(takeOutcome(request))) return;
    }
  }
}

/** Takes what has come. */
export function drain(core: Core, context: number): void {
  if (core.closed) return;
  core.progress();
  while (core.probe(ANY_SOURCE, ANY_TAG, context) !== null && receiveNothing(core, context) !== undefined);
}

const NOTHING = new Uint8Array(0);

/** Any message, of which nothing is kept; undefined where there is no room for that. */
function receiveNothing(core: Core, context: number): Request<unknown> | undefined {
  try {
    return core.postRecv(readStatus, NOTHING, ANY_SOURCE, ANY_TAG, context, undefined);
  } catch {
    return undefined;
  }
}

/** Messages are longer than nothing; any other error is an end. */
function canGoOn(outcome: { status: string; reason?: unknown }): boolean {
  return outcome.status === 'fulfilled' || (outcome.reason as { code?: string }).code === 'ERR_UINTR_TRUNCATED';
}
