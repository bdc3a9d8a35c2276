// The services of a world.
import { checkOptions, checkSendTag, keySet } from './arguments.js';
import { MAX_TAG } from './constants.js';
import { type Core, readStatus } from './core.js';
import { AbortError, closedError, type ExitCause, invalidArgument, UintrError } from './errors.js';
import { type Asked, Intake } from './intake.js';
import type { Status } from './message.js';
import { Repeated } from './repeated.js';
import { type Handler, type ServeOptions, Server } from './server.js';
import { Service } from './service.js';
import { GIVEN_UP_TAG, type ServiceContexts } from './service-protocol.js';

const SERVE_KEYS = keySet('maxInFlight');
/** Of those who gave up before their request was here. */
const MOST_EARLY = 1024;

/** All services of a world. */
export class Services {
  readonly #core: Core;
  readonly #contexts: ServiceContexts;
  readonly #intakes = new Map<number, Intake>();
  /** Requests that are handled, and those that were given up before they came, by keyOf(), with the asker's life. */
  readonly #handled = new Map<number, { controller: AbortController; life: number }>();
  readonly #early = new Map<number, number>();
  // Those who give up say so to the world, not to a service.
  readonly #givenUp: Repeated<Status>;

  constructor(core: Core, contexts: ServiceContexts) {
    this.#core = core;
    this.#contexts = contexts;
    const id = new Uint32Array(1);
    this.#givenUp = new Repeated(
      core,
      (source) => core.postRecv(readStatus, id, source, GIVEN_UP_TAG, contexts.replies.header, undefined),
      (outcome) => {
        if (outcome.status === 'fulfilled') this.#giveUp(outcome.value.source, id[0]!);
      },
      () => true,
    );
  }

  serve(tag: unknown, handler: unknown, options: ServeOptions | undefined): Server {
    const core = this.#core;
    core.checkOpen();
    if (tag === undefined) throw invalidArgument('tag', `an integer from 0 to ${MAX_TAG}`, tag);
    const service = checkSendTag(tag);
    if (typeof handler !== 'function') throw invalidArgument('handler', 'a function', handler);
    const { maxInFlight = 1 } = checkOptions(options, SERVE_KEYS);
    if (!(Number.isInteger(maxInFlight) || maxInFlight === Number.POSITIVE_INFINITY) || maxInFlight < 1) {
      throw invalidArgument('maxInFlight', 'an integer from 1, or Infinity', maxInFlight);
    }
    let intake = this.#intakes.get(service);
    if (intake?.isOpen) throw invalidArgument('tag', 'one that no open service of this rank has', tag);
    this.#givenUp.go();
    if (intake === undefined) {
      intake = new Intake(core, this.#contexts, service, this);
      this.#intakes.set(service, intake);
    }
    const hasOthers = (): boolean => this.#hasOthers();
    return new Server(new Service(core, intake, handler as Handler<unknown, unknown>, maxInFlight, hasOthers));
  }

  /** Between arrival and answer. Undefined: given up already. */
  begin(source: number, id: number): AbortSignal | undefined {
    const key = keyOf(source, id);
    if (this.#early.delete(key)) return undefined;
    const controller = new AbortController();
    this.#handled.set(key, { controller, life: this.#core.incarnations[source]! });
    return controller.signal;
  }

  end({ source, note, life }: Asked): void {
    const key = keyOf(source, note);
    if (this.#handled.get(key)?.life === life) this.#handled.delete(key);
  }

  /** Called where code of the program may run, which may be in the rank's next life. */
  peerGone(rank: number, cause: ExitCause, life: number): void {
    const reason = new UintrError('ERR_UINTR_PEER_EXITED', `rank ${rank} is gone (${cause})`, {
      rank: this.#core.rank,
      peer: rank,
      cause,
    });
    for (const [key, asked] of this.#handled) {
      if (sourceOf(key) === rank && asked.life <= life) asked.controller.abort(reason);
    }
    for (const [key, of] of this.#early) if (sourceOf(key) === rank && of <= life) this.#early.delete(key);
    for (const intake of this.#intakes.values()) intake.service?.updateHold();
  }

  /** A rank is there again. */
  peerJoined(): void {
    for (const intake of this.#intakes.values()) intake.service?.updateHold();
  }

  /** The world is closing. */
  close(): void {
    for (const { controller } of this.#handled.values()) controller.abort(closedError(this.#core.rank));
    for (const intake of this.#intakes.values()) void intake.service?.close();
  }

  #giveUp(source: number, id: number): void {
    const key = keyOf(source, id);
    const controller = this.#handled.get(key)?.controller;
    if (controller !== undefined) {
      queueMicrotask(() => controller.abort(new AbortError('The request was given up')));
      return;
    }
    // Either it is on its way here, or its answer is on the way back; in that case nobody will ever ask for this.
    this.#early.set(key, this.#core.incarnations[source]!);
    if (this.#early.size > MOST_EARLY) this.#early.delete(this.#early.keys().next().value!);
  }

  #hasOthers(): boolean {
    const { native, rank, size } = this.#core;
    for (let other = 0; other < size; other += 1) {
      if (other !== rank && !this.#core.closed && isPresent(native.life(other))) return true;
    }
    return false;
  }
}

// src-native/engine/types.h, enum Life: Closed comes after those who can send.
const isPresent = (life: number): boolean => life >= 0 && life < 3;

const keyOf = (source: number, id: number): number => source * 2 ** 32 + id;
const sourceOf = (key: number): number => Math.floor(key / 2 ** 32);
