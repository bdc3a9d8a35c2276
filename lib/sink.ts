// Takes what comes in a context that nobody receives in any more, and throws it away: so it holds no memory here, and its
// senders are done.
import { ANY_SOURCE, ANY_TAG } from './constants.js';
import { type Core, readStatus } from './core.js';
import { Repeated } from './repeated.js';
import type { Request } from './request.js';

export class Sink {
  readonly #receives: Repeated<unknown>;
  #posted: Request<unknown> | undefined;
  #stopped = false;

  constructor(core: Core, context: number) {
    this.#receives = new Repeated<unknown>(
      core,
      (source) => {
        const posted = receiveNothing(core, context, source);
        this.#posted = posted;
        // Who is told of requests may have done what stops this.
        if (this.#stopped) posted.cancel();
        return posted;
      },
      () => {},
      () => !this.#stopped,
    );
    this.#receives.go();
  }

  /** Leaves what has come, and what comes. */
  stop(): void {
    this.#stopped = true;
    this.#posted?.cancel();
  }
}

/** Takes what has come, as far as there are requests for it, and at most `most` messages. False: more is there. */
export function drain(core: Core, context: number, most: number = Number.POSITIVE_INFINITY): boolean {
  if (core.closed) return true;
  core.progress();
  try {
    for (let i = 0; core.probe(ANY_SOURCE, ANY_TAG, context) !== null; i += 1) {
      if (i === most) return false;
      // It may have been taken back since; then nothing else comes.
      receiveNothing(core, context, ANY_SOURCE).cancel();
    }
    return true;
  } catch {
    // No request is left for what is large; what is small needs none.
    return false;
  }
}

const NOTHING = new Uint8Array(0);

/** Any message, of which nothing is kept. Mostly it fails, for messages are longer than nothing. */
function receiveNothing(core: Core, context: number, source: number): Request<unknown> {
  return core.postRecv(readStatus, NOTHING, source, ANY_TAG, context, undefined);
}
