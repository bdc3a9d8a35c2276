// A schedule under way in the engine, whose handlers carry it on while JavaScript computes.
import { UintrError } from '../errors.js';
import { UnexpectedMessage } from '../failures.js';
import type { Status } from '../message.js';
import { isActive, type Request, slotOf, takeOutcome, whenOver } from '../request.js';
import { type Ends, type Envelope, mismatchOf, type Plan, type Run, scratchOf } from './plan.js';
import { RECORD } from './schedule.js';
import { giveScratch } from './scratch.js';

export class Offloaded implements Run {
  readonly #plan: Plan;
  readonly #envelope: Envelope;
  readonly #ends: Ends;
  #scratch: Uint8Array = new Uint8Array();
  #request: Request<Status> | undefined;
  #failed = false;
  #error: unknown;

  constructor(plan: Plan, envelope: Envelope, ends: Ends) {
    this.#plan = plan;
    this.#envelope = envelope;
    this.#ends = ends;
  }

  get sequence(): number {
    return this.#envelope.tag;
  }

  start(): void {
    const { core, context, tag } = this.#envelope;
    const { records, buffers, check } = this.#plan;
    try {
      this.#scratch = scratchOf(this.#plan, this.#envelope);
      this.#request = core.postSchedule(records, [this.#scratch, ...buffers], tag, context, check.called);
    } catch (error) {
      this.fail(error);
      this.#ends.over(this.#error);
      return;
    }
    whenOver(this.#request, () => this.#end());
  }

  fail(error: unknown): void {
    if (this.#failed) return;
    this.#failed = true;
    this.#error = error;
    this.#ends.failing(error);
    if (this.#request !== undefined && isActive(this.#request)) this.#envelope.core.withdraw(slotOf(this.#request));
  }

  #end(): void {
    this.#envelope.core.steps.whole(() => {
      const outcome = takeOutcome(this.#request!);
      if (outcome.status === 'rejected' && !this.#failed) this.fail(this.#reasonOf(outcome.reason));
      // After a failure it is left to the garbage collector: a stopped peer may be inside a copy.
      if (!this.#failed) giveScratch(this.#scratch);
      this.#ends.over(this.#failed ? this.#error : undefined);
    });
  }

  #reasonOf(error: unknown): unknown {
    // Whoever is gone may have left because an operation had failed, and have said so before.
    if (error instanceof UintrError && error.code === 'ERR_UINTR_PEER_EXITED') this.#ends.hear();
    if (!(error instanceof UnexpectedMessage)) return error;
    return mismatchOf(this.#plan, this.#envelope, this.#scratch, error.record * RECORD, error.byteLength) ?? error;
  }
}
