// The end of a service that asks.
import { listen, stopListening } from './abort.js';
import { checkOptions, checkRank, checkSendTag, checkSignal, checkTimeout, keySet } from './arguments.js';
import { MAX_TAG } from './constants.js';
import type { Core } from './core.js';
import { invalidArgument, timeoutError, UintrError } from './errors.js';
import type { Status } from './message.js';
import { ObjectReceive, type ReceivedObject, sendObject } from './object-transfer.js';
import { remoteError } from './remote-error.js';
import { isActive, type Request, takeBack, takeOutcome, whenOver } from './request.js';
import { Answer, GIVEN_UP_TAG, type ServiceContexts } from './service-protocol.js';

/** Options of {@link World.request}. */
export interface RequestOptions {
  /** Gives the request up, whose promise is rejected with the signal's reason, and aborts the handler's signal. */
  signal?: AbortSignal;
  /** After this many milliseconds it is given up with ERR_UINTR_TIMEOUT. For ever if not given. */
  timeoutMs?: number;
}

const REQUEST_KEYS = keySet('signal', 'timeoutMs');
/** What setTimeout() takes; more is for ever. */
const LONGEST_MS = 2 ** 31 - 1;

// As lastPartTag in object-transfer.ts.
let lastReplyTag = Math.floor(Math.random() * MAX_TAG);

/** Asks; throws bad arguments. */
export function request(
  core: Core,
  contexts: ServiceContexts,
  dest: unknown,
  tag: unknown,
  value: unknown,
  options: RequestOptions | undefined,
): Promise<unknown> {
  core.checkOpen();
  const to = checkRank(dest, core.size, 'dest');
  if (tag === undefined) throw invalidArgument('tag', `an integer from 0 to ${MAX_TAG}`, tag);
  const service = checkSendTag(tag);
  const given = checkOptions(options, REQUEST_KEYS);
  const signal = checkSignal(given.signal);
  const limit = checkTimeout(given.timeoutMs);
  if (signal?.aborted) return Promise.reject(signal.reason);
  return new Asked(core, contexts, to, service, value, signal, limit).promise;
}

class Asked {
  readonly promise: Promise<unknown>;
  readonly #core: Core;
  readonly #contexts: ServiceContexts;
  readonly #dest: number;
  readonly #tag: number;
  readonly #id: number;
  readonly #reply: Request<ReceivedObject>;
  readonly #sent: Request<Status>;
  readonly #signal: AbortSignal | undefined;
  readonly #onAbort = (): void => this.#giveUp(this.#signal!.reason);
  #timer: NodeJS.Timeout | undefined;
  #open = true;
  #resolve!: (value: unknown) => void;
  #reject!: (error: unknown) => void;

  constructor(
    core: Core,
    contexts: ServiceContexts,
    dest: number,
    tag: number,
    value: unknown,
    signal: AbortSignal | undefined,
    limit: number,
  ) {
    this.#core = core;
    this.#contexts = contexts;
    this.#dest = dest;
    this.#tag = tag;
    this.#signal = signal;
    this.#id = lastReplyTag = (lastReplyTag % MAX_TAG) + 1;
    [this.#reply, this.#sent] = core.steps.whole(() => this.#post(value));
    this.promise = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    core.want();
    if (signal !== undefined) listen(signal, this.#onAbort);
    if (limit <= LONGEST_MS) {
      const what = `the request with tag ${tag} to rank ${dest}`;
      this.#timer = setTimeout(() => this.#giveUp(timeoutError(limit, what)), limit);
    }
    whenOver(this.#reply, () => this.#answered());
    whenOver(this.#sent, () => this.#went());
  }

  #post(value: unknown): [Request<ReceivedObject>, Request<Status>] {
    const core = this.#core;
    const from = { source: this.#dest, tag: this.#id };
    const reply = new ObjectReceive(core, this.#contexts.replies, from, (object) => object).request;
    try {
      const to = { dest: this.#dest, tag: this.#tag, note: this.#id, synchronous: true };
      return [reply, sendObject(core, this.#contexts.requests, value, to, core.rank)];
    } catch (error) {
      takeBack(reply);
      throw error;
    }
  }

  #answered(): void {
    const outcome = takeOutcome(this.#reply);
    if (outcome.status === 'rejected') {
      // The world is closing, or the other rank is gone.
      this.#end(() => this.#reject(outcome.reason));
      takeBack(this.#sent);
      return;
    }
    const { note, value } = outcome.value;
    this.#end(() => {
      if (note === Answer.Value) this.#resolve(value);
      else this.#reject(note === Answer.Refused ? this.#refused() : remoteError(value, this.#core.rank, this.#dest));
    });
  }

  #went(): void {
    const outcome = takeOutcome(this.#sent);
    if (outcome.status === 'fulfilled') return;
    this.#end(() => this.#reject(outcome.reason));
    takeBack(this.#reply);
  }

  #giveUp(reason: unknown): void {
    this.#end(() => this.#reject(reason));
    if (takeBack(this.#sent)) return;
    if (isActive(this.#reply)) this.#tellGivenUp();
  }

  /** Nothing depends on it: without a request left to say so, the handler goes on. */
  #tellGivenUp(): void {
    try {
      const { header } = this.#contexts.replies;
      this.#core.postSend(Uint32Array.of(this.#id), this.#dest, GIVEN_UP_TAG, header, 0, undefined);
    } catch {}
  }

  #refused(): UintrError {
    const { rank } = this.#core;
    const message = `the service with tag ${this.#tag} of rank ${this.#dest} is closed`;
    return new UintrError('ERR_UINTR_CLOSED', message, { rank, peer: this.#dest });
  }

  #end(settle: () => void): void {
    if (!this.#open) return;
    this.#open = false;
    clearTimeout(this.#timer);
    if (this.#signal !== undefined) stopListening(this.#signal, this.#onAbort);
    this.#core.unwant();
    settle();
  }
}
