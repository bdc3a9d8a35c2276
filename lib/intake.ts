// Where requests for a service arrive, and its answers leave.
import { MAX_TAG } from './constants.js';
import type { Core } from './core.js';
import { AbortError } from './errors.js';
import { type Envelope, ObjectReceive, type ReceivedObject, sendObject } from './object-transfer.js';
import { describeError } from './remote-error.js';
import { postOrLater, Repeated } from './repeated.js';
import { whenOver } from './request.js';
import type { Outcome } from './request-sets.js';
import type { Service } from './service.js';
import { Answer, type ServiceContexts } from './service-protocol.js';
import type { Services } from './services.js';

/** Who has asked, and in which of its lives. */
export interface Asked extends Envelope {
  life: number;
}

/** Where requests with one tag arrive, as long as the world is open: while none is open there they are refused. */
export class Intake {
  service: Service | undefined;
  readonly #core: Core;
  readonly #contexts: ServiceContexts;
  readonly #tag: number;
  readonly #services: Services;
  readonly #requests: Repeated<ReceivedObject>;
  #receive: ObjectReceive<ReceivedObject> | undefined;

  constructor(core: Core, contexts: ServiceContexts, tag: number, services: Services) {
    this.#core = core;
    this.#contexts = contexts;
    this.#tag = tag;
    this.#services = services;
    this.#requests = new Repeated(
      core,
      (source) => {
        this.#receive = new ObjectReceive(core, contexts.requests, { source, tag }, (object) => object);
        return this.#receive.request;
      },
      (outcome) => this.#came(outcome, this.#receive?.envelope),
      () => !this.isOpen || this.service!.hasRoom,
    );
  }

  get tag(): number {
    return this.#tag;
  }

  get isOpen(): boolean {
    return this.service?.isOpen === true;
  }

  /** Receives the next, if there is room for it, or nobody who could handle it. */
  receive(): void {
    this.#requests.go();
  }

  #came(outcome: Outcome<ReceivedObject>, came: Envelope | undefined): void {
    // It failed before anything came.
    if (came === undefined) return;
    const envelope = { ...came, life: this.#lifeOf(came.source) };
    if (outcome.status === 'rejected') {
      this.answer(envelope, Answer.Error, describeError(outcome.reason));
    } else if (!this.isOpen) {
      this.answer(envelope, Answer.Refused, undefined);
    } else {
      const signal = this.#services.begin(envelope.source, envelope.note);
      if (signal === undefined) this.answer(envelope, Answer.Error, describeError(new AbortError()));
      else void this.service!.handle(envelope, outcome.value.value, signal);
    }
  }

  /** There always is an answer, if only that there is none. Calls `over` when it is on its way, or nobody is there to get it. */
  answer({ source, note: id, life }: Asked, kind: Answer, value: unknown, over?: () => void): void {
    const send = (note: Answer, what: unknown): void => {
      const to = { dest: source, tag: id, note };
      const sent = sendObject(this.#core, this.#contexts.replies, what, to, this.#core.rank);
      if (over !== undefined) whenOver(sent, over);
    };
    // A peer's garbage, to which there is nowhere to answer; or whoever has come back since has not asked.
    if (id < 1 || id > MAX_TAG || life !== this.#lifeOf(source)) {
      over?.();
      return;
    }
    try {
      send(kind, value);
    } catch (error) {
      // It cannot be cloned, or has more buffers than there are requests: that is told instead.
      const told = describeError(error);
      postOrLater(this.#core, () => send(Answer.Error, told), over);
    }
  }

  #lifeOf(source: number): number {
    return this.#core.incarnations[source]!;
  }

  end(asked: Asked): void {
    this.#services.end(asked);
  }
}
