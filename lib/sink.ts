// Takes what comes in a context that nobody receives in any more, and throws it away: so it holds no memory here, and its
// senders are done.
import { ANY_SOURCE, ANY_TAG } from './constants.js';
import { type Core, readStatus } from './core.js';
import { Repeated } from './repeated.js';
import type { Request } from './request.js';

export class Sink {
  readonly #core: Core;
  readonly #context: number;
  readonly #receives: Repeated<unknown>;
  #posted: Request<unknown> | undefined;
  #stopped = false;

  constructor(core: Core, context: number) {
    this.#core = core;
    this.#context = context;
    this.#receives = new Repeated<unknown>(
      core,
      (source) => {
        this.#posted = receiveNothing(core, context, source);
        return this.#posted;
      },
      () => {},
      () => !this.#stopped,
    );
    this.#receives.go();
  }

  /** Takes what has come, and no more; to be called when nothing more can. */
  stop(): void {
    this.#stopped = true;
    this.#posted?.cancel();
    drain(this.#core, this.#context);
  }
}

/** Takes what has come. */
export function drain(core: Core, context: number): void {
  if (core.closed) return;
  core.progress();
  try {
    while (core.probe(ANY_SOURCE, ANY_TAG, context) !== null) receiveNothing(core, context, ANY_SOURCE);
  } catch {
    // No request is left for what is large; what is small needs none.
  }
}

const NOTHING = new Uint8Array(0);

/** Any message, of which nothing is kept. Mostly it fails, for messages are longer than nothing. */
function receiveNothing(core: Core, context: number, source: number): Request<unknown> {
  return core.postRecv(readStatus, NOTHING, source, ANY_TAG, context, undefined);
}
