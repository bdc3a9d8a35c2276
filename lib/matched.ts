// Messages that were taken out of matching, to be received later (MPI 4.1, 3.8.2).
import { type Bytes, checkBytes } from './bytes.js';
import { PROC_NULL } from './constants.js';
import { type Core, readMessage, readStatus } from './core.js';
import { invalidArgument } from './errors.js';
import { fromNobody, type Message, type Status } from './message.js';
import type { Wanted } from './probe.js';
import { Received } from './received.js';
import { type Request, resolved } from './request.js';
import type { Scope } from './scope.js';

/** In place of the slot that the engine keeps it in. */
const USED = -1;
const NOBODYS = -2;

/**
 * A message that only this object can receive, once (MPI 4.1, 3.8.2, MPI_Message). What nobody receives occupies one of
 * `maxRequests`, and its sender is told when the world is closed.
 */
export class Matched implements Status {
  readonly source: number;
  readonly tag: number;
  readonly byteLength: number;
  readonly #core: Core;
  readonly #scope: Scope | undefined;
  readonly #context: number;
  #slot: number;

  /** @internal */
  constructor(core: Core, { source, tag, byteLength }: Status, slot: number, { context, scope }: Wanted) {
    this.source = source;
    this.tag = tag;
    this.byteLength = byteLength;
    this.#core = core;
    this.#scope = scope;
    this.#context = context;
    this.#slot = slot;
  }

  /**
   * Starts to receive it into a buffer (MPI 4.1, 3.8.3, MPI_Imrecv).
   * @throws ERR_UINTR_INVALID_ARGUMENT: also if it was received before; ERR_UINTR_CLOSED. The request fails with
   * ERR_UINTR_TRUNCATED if the message is longer than the buffer, and with ERR_UINTR_PEER_EXITED if its sender is gone
   * and has taken it along.
   */
  irecv(into: Bytes): Request<Status>;
  /** Starts to receive it into the shared heap, as a receive without a buffer does. */
  irecv(): Request<Message>;
  irecv(into?: Bytes): Request<Status> | Request<Message> {
    const core = this.#core;
    core.checkOpen();
    const bytes = into === undefined ? undefined : checkBytes(into, 'into');
    if (bytes !== undefined) core.loans.checkWritable(bytes, 'into');
    const slot = this.#slot;
    if (slot === USED) throw invalidArgument('message', 'one that was not received yet', this);
    this.#slot = USED;
    if (slot === NOBODYS) {
      const status = fromNobody();
      return bytes === undefined
        ? resolved(core, new Received(core, status, core.emptyBlock()))
        : resolved(core, status);
    }
    const taken = { slot, source: this.source, tag: this.tag, context: this.#context };
    return bytes === undefined
      ? core.imrecv(readMessage, undefined, taken, this.#scope)
      : core.imrecv(readStatus, bytes, taken, this.#scope);
  }

  /** As {@link irecv}, as a promise, which bad arguments reject (MPI 4.1, 3.8.3, MPI_Mrecv). */
  recv(into: Bytes): Promise<Status>;
  recv(): Promise<Message>;
  async recv(into?: Bytes): Promise<Status | Message> {
    return this.irecv(into as Bytes);
  }
}

export function improbe(core: Core, wanted: Wanted): Matched | null {
  const { source, tag, context, scope } = wanted;
  if (source === PROC_NULL) return new Matched(core, fromNobody(), NOBODYS, wanted);
  const taken = core.improbe(source, tag, context, scope);
  return taken === null ? null : new Matched(core, taken.status, taken.slot, wanted);
}

export function mprobe(core: Core, wanted: Wanted): Promise<Matched> {
  return core.probes.wait(wanted, () => {
    wanted.scope?.check();
    const matched = improbe(core, wanted);
    if (matched === null) core.checkReachable(wanted.source, wanted.scope);
    return matched ?? undefined;
  });
}
