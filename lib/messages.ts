// A stream of messages. A receive is posted only when one is asked for, so a slow reader holds its senders up, and one
// that stops leaves everything it has not read to other receives.
import { PROC_NULL } from './constants.js';
import type { Message } from './message.js';
import type { ReceiveOptions } from './point-to-point.js';
import type { Request } from './request.js';

type Result = IteratorResult<Message, undefined>;

const OVER: Result = Object.freeze({ done: true, value: undefined });

/** `irecv` posts a receive without a buffer; `options` are checked. */
export class Messages implements AsyncIterableIterator<Message> {
  readonly #irecv: (options: ReceiveOptions) => Request<Message>;
  readonly #options: ReceiveOptions;
  // Of those calls of next() that return() has not ended.
  readonly #receives = new Set<Request<Message>>();
  #over: boolean;

  constructor(irecv: (options: ReceiveOptions) => Request<Message>, options: ReceiveOptions) {
    this.#irecv = irecv;
    this.#options = options;
    this.#over = options.source === PROC_NULL;
  }

  async next(): Promise<Result> {
    if (this.#over) return OVER;
    let receive: Request<Message> | undefined;
    try {
      receive = this.#irecv(this.#options);
      this.#receives.add(receive);
      return { done: false, value: await receive };
    } catch (error) {
      if (receive !== undefined && !this.#receives.has(receive)) return OVER;
      this.#over = true;
      throw error;
    } finally {
      if (receive !== undefined) this.#receives.delete(receive);
    }
  }

  async return(): Promise<Result> {
    this.#over = true;
    for (const receive of this.#receives) if (receive.cancel()) this.#receives.delete(receive);
    return OVER;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }
}
