// The end of a service that answers, as its program sees it.
import type { Service } from './service.js';

/**
 * Answers a request of rank `from` with what it returns or resolves to, or with what it throws. `signal` is aborted when
 * nobody waits for the answer any more: who asked gave up or is gone, or the own world is closed.
 */
export type Handler<Req, Res> = (request: Req, from: number, signal: AbortSignal) => Res | Promise<Res>;

/** Options of {@link World.serve}. */
export interface ServeOptions {
  /**
   * How many requests are handled at a time: an integer, or Infinity. Default 1. All others wait with their senders, in
   * order.
   */
  maxInFlight?: number;
}

/** A service that World.serve() has opened. */
export class Server {
  readonly #service: Service;

  /** @internal */
  constructor(service: Service) {
    this.#service = service;
  }

  /** Its tag. */
  get tag(): number {
    return this.#service.tag;
  }

  /** Requests that are being handled, or whose answer is on its way. */
  get inFlight(): number {
    return this.#service.inFlight;
  }

  /**
   * Keeps the process alive while it is open and any other rank is left, which could ask; so it does from the beginning.
   * Ranks that only serve keep each other alive by that: have them close when the rank that asks is gone ('peer-exit').
   */
  ref(): this {
    this.#service.want(true);
    return this;
  }

  /** Undoes {@link ref}. */
  unref(): this {
    this.#service.want(false);
    return this;
  }

  /**
   * Handles what it has begun to handle. All other requests, now and later, are refused: their promises are rejected with
   * ERR_UINTR_CLOSED, until the tag is served again. Done when the last answer has left, and nothing cuts a handler
   * short but World.close(). Called again it gives the same promise.
   */
  close(): Promise<void> {
    return this.#service.close();
  }

  /** {@link close}, for `await using`. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}
