// A schedule under way, advanced by JavaScript, for what only JavaScript can do: from the call that starts it, and
// whenever requests of it are over.
import type { Passed } from '../bytes.js';
import { readStatus } from '../core.js';
import { UintrError } from '../errors.js';
import type { Status } from '../message.js';
import { isActive, type Request, slotOf, takeOutcome, whenOver } from '../request.js';
import { type Ends, type Envelope, mismatchOf, type Plan, type Run, scratchOf } from './plan.js';
import { reduceBytes } from './reductions.js';
import { Kind, RECORD } from './schedule.js';
import { giveScratch } from './scratch.js';

interface Part {
  request: Request<Status>;
  /** Throws if that is not what was expected. Undefined: a send. */
  judge?: (status: Status) => void;
}

export class Execution implements Run {
  readonly #plan: Plan;
  // As records name them.
  #bytes: readonly Uint8Array[] = [];
  readonly #envelope: Envelope;
  readonly #ends: Ends;
  readonly #parts = new Set<Part>();
  #at = 0;
  #failed = false;
  #error: unknown;
  // In the midst of a round's beginning: what is over by then is not all of it.
  #beginning = false;
  #over = false;

  constructor(plan: Plan, envelope: Envelope, ends: Ends) {
    this.#plan = plan;
    this.#envelope = envelope;
    this.#ends = ends;
  }

  get sequence(): number {
    return this.#envelope.tag;
  }

  start(): void {
    this.#advance();
  }

  /** Goes on as far as it can without waiting. */
  #advance(): void {
    while (this.#parts.size === 0 && !this.#beginning && !this.#over) {
      if (this.#failed || this.#at >= this.#plan.records.length) {
        this.#over = true;
        const [scratch] = this.#bytes;
        if (scratch !== undefined && !this.#failed) giveScratch(scratch);
        this.#ends.over(this.#failed ? this.#error : undefined);
        return;
      }
      this.#beginning = true;
      try {
        this.#begin();
      } catch (error) {
        this.fail(error);
      }
      this.#beginning = false;
    }
  }

  /** Ends it with this error: takes back what nobody has matched, and waits for the rest. */
  fail(error: unknown): void {
    if (this.#failed || this.#over) return;
    this.#failed = true;
    this.#error = error;
    this.#ends.failing(error);
    for (const part of [...this.#parts]) {
      if (isActive(part.request)) this.#envelope.core.withdraw(slotOf(part.request));
    }
  }

  /** One round. */
  #begin(): void {
    const { records } = this.#plan;
    if (this.#at === 0) this.#bytes = [scratchOf(this.#plan, this.#envelope), ...this.#plan.buffers.map(bytesOf)];
    while (this.#at < records.length && !this.#failed) {
      const at = this.#at;
      this.#at += RECORD;
      const kind = records[at]!;
      if (kind === Kind.End) return;
      if (kind === Kind.Copy || kind === Kind.Reduce) this.#local(at);
      else this.#transfer(at);
    }
  }

  #local(at: number): void {
    const { records, combine } = this.#plan;
    const bytes = records[at + 4]!;
    const into = this.#part(records[at + 2]!, records[at + 3]!, bytes);
    const from = this.#part(records[at + 5]!, records[at + 6]!, bytes);
    if (records[at] === Kind.Copy) into.set(from);
    else reduceBytes(records[at + 7]!, into, from, combine);
  }

  #transfer(at: number): void {
    const { records } = this.#plan;
    const peer = records[at + 1]!;
    const bytes = records[at + 4]!;
    const part = this.#part(records[at + 2]!, records[at + 3]!, bytes);
    if (records[at] === Kind.Send) {
      this.#send(part, peer);
      return;
    }
    this.#receive(part, peer, ({ byteLength }) => {
      const error = mismatchOf(this.#plan, this.#envelope, this.#bytes[0]!, at, byteLength);
      if (error !== undefined) throw error;
    });
  }

  #send(bytes: Uint8Array, peer: number): void {
    if (this.#failed) return;
    const { core, context, tag } = this.#envelope;
    this.#watch({ request: core.postSend(bytes, peer, tag, context, 0, undefined) });
  }

  #receive(into: Uint8Array, peer: number, judge: (status: Status) => void): void {
    if (this.#failed) return;
    const { core, context, tag } = this.#envelope;
    this.#watch({ request: core.postRecv(readStatus, into, peer, tag, context, undefined), judge });
  }

  #watch(part: Part): void {
    this.#parts.add(part);
    // What was over before is judged before: what a rank says that it has called tells more than the length of what it
    // sends next, and may be over without having been taken note of.
    if (!isActive(part.request) && this.#parts.size > 1) this.#envelope.core.progress();
    whenOver(part.request, () => this.#judgeOver());
  }

  #judgeOver(): void {
    this.#envelope.core.steps.whole(() => {
      for (const part of [...this.#parts]) {
        if (isActive(part.request)) continue;
        this.#parts.delete(part);
        this.#judge(part);
      }
      this.#advance();
    });
  }

  #judge({ request, judge }: Part): void {
    const outcome = takeOutcome(request);
    if (this.#failed) return;
    if (outcome.status === 'rejected') {
      this.fail(this.#reasonOf(outcome.reason));
      return;
    }
    try {
      judge?.(outcome.value);
    } catch (error) {
      this.fail(error);
    }
  }

  #reasonOf(error: unknown): unknown {
    if (!(error instanceof UintrError)) return error;
    // Whoever is gone may have left because an operation had failed, and have said so before.
    if (error.code === 'ERR_UINTR_PEER_EXITED') this.#ends.hear();
    if (error.code !== 'ERR_UINTR_TRUNCATED') return error;
    return this.#plan.check.tooLong(this.#envelope.group.toGroup(error.peer!)!);
  }

  #part(buffer: number, offset: number, bytes: number): Uint8Array {
    return this.#bytes[buffer]!.subarray(offset, offset + bytes);
  }
}

function bytesOf(data: Passed): Uint8Array {
  return ArrayBuffer.isView(data)
    ? new Uint8Array(data.buffer, data.byteOffset, data.byteLength)
    : new Uint8Array(data);
}
