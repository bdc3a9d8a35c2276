// A service that is open, or drains.
import type { Core } from './core.js';
import type { Asked, Intake } from './intake.js';
import { describeError } from './remote-error.js';
import type { Handler } from './server.js';
import { Answer } from './service-protocol.js';

/** What a {@link Server} stands for. */
export class Service {
  readonly #core: Core;
  readonly #intake: Intake;
  readonly #handler: Handler<unknown, unknown>;
  readonly #maxInFlight: number;
  readonly #hasOthers: () => boolean;
  #inFlight = 0;
  #isOpen = true;
  #wanted = true;
  #held = false;
  #closing: Promise<void> | undefined;
  #drained: (() => void) | undefined;

  constructor(
    core: Core,
    intake: Intake,
    handler: Handler<unknown, unknown>,
    maxInFlight: number,
    hasOthers: () => boolean,
  ) {
    this.#core = core;
    this.#intake = intake;
    this.#handler = handler;
    this.#maxInFlight = maxInFlight;
    this.#hasOthers = hasOthers;
    intake.service = this;
    intake.receive();
    this.updateHold();
  }

  get tag(): number {
    return this.#intake.tag;
  }

  get inFlight(): number {
    return this.#inFlight;
  }

  get isOpen(): boolean {
    return this.#isOpen;
  }

  get hasRoom(): boolean {
    return this.#inFlight < this.#maxInFlight;
  }

  /** Whether to keep the process alive while somebody could ask. */
  want(wanted: boolean): void {
    this.#wanted = wanted;
    this.updateHold();
  }

  /** Others may have gone. */
  updateHold(): void {
    const hold = this.#isOpen && this.#wanted && this.#hasOthers();
    if (hold === this.#held) return;
    this.#held = hold;
    if (hold) this.#core.want();
    else this.#core.unwant();
  }

  close(): Promise<void> {
    this.#closing ??= new Promise((resolve) => {
      this.#isOpen = false;
      this.#drained = resolve;
      this.updateHold();
      this.#intake.receive();
      this.#tellDrained();
    });
    return this.#closing;
  }

  async handle(envelope: Asked, request: unknown, signal: AbortSignal): Promise<void> {
    this.#inFlight += 1;
    let kind = Answer.Value;
    let value: unknown;
    try {
      // The program is called from a turn of its own, not from where completions are settled.
      await undefined;
      const result: unknown = await this.#handler.call(undefined, request, envelope.source, signal);
      // Who gave up wants no large answer.
      value = signal.aborted ? undefined : result;
    } catch (error) {
      kind = Answer.Error;
      value = describeError(error);
    }
    this.#intake.end(envelope);
    this.#intake.answer(envelope, kind, value, () => {
      this.#inFlight -= 1;
      this.#tellDrained();
      this.#intake.receive();
    });
  }

  #tellDrained(): void {
    if (this.#inFlight === 0) this.#drained?.();
  }
}
