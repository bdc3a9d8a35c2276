// What all communicators of a world share: the addon's world, the requests in flight by slot, and what keeps the process
// alive. Nothing outside the package sees it.
import { isMainThread } from 'node:worker_threads';
import type { NativeWorld } from './binding.js';
import { ANY_SOURCE, ANY_TAG } from './constants.js';
import { contextFor, Ids, worldId } from './context.js';
import { requestChannel } from './diagnostics.js';
import { closedError, type ExitCause, invalidArgument, returnedError, UintrError } from './errors.js';
import {
  ACTIVE,
  ANY,
  ASKED,
  BATCH,
  BATCH_RECORDS,
  CONTEXT,
  FLAG_ALLOCATE,
  FLAG_LEND,
  FLAGS,
  IMMEDIATE,
  LENT,
  NEWS_PEER_GONE,
  NEWS_RETURNING,
  PEER,
  POST_CLOSED,
  POST_DONE,
  POST_FAILED,
  POST_NOT_OWN,
  POST_NOTHING,
  R_CAUSE,
  R_ERROR,
  R_HANDLE,
  R_HANDLE_HIGH,
  R_HEAP,
  R_LENGTH,
  R_SOURCE,
  R_TAG,
  RECORD_WORDS,
  REFERENCED,
  read64,
  SIGHTED,
  SLOT_MASK,
  STALLED,
  TAG,
  WANTED,
} from './exchange.js';
import { exitCause, failureOf, NO_MEMORY, noMemory } from './failures.js';
import type { Group } from './group.js';
import { inspectAsked } from './inspect-signal.js';
import { Leftovers } from './leftovers.js';
import { Loans } from './loans.js';
import type { Message, Status } from './message.js';
import { Probes } from './probe.js';
import { Received } from './received.js';
import type { RequestInspection } from './reports.js';
import {
  abortOn,
  create,
  dataOf,
  fail,
  finish,
  isActive,
  isSend,
  type Reader,
  type Request,
  rejected,
  slotOf,
  started,
  withdrawWith,
} from './request.js';
import type { Scope } from './scope.js';
import { Steps } from './steps.js';

/**
 * One slice of a blocking wait, in milliseconds: in a worker, as long as its end may be held up. The main thread is ended
 * by nobody else, and each slice costs a wake-up.
 */
const SLICE_MS = isMainThread ? 500 : 50;
const RETRY_SLICE_MS = 50;
export interface CoreEvents {
  peerGone(rank: number, cause: ExitCause): void;
  driverLost(): void;
  /** Sends to it go through from now on. */
  peerJoined(rank: number, pid: number, incarnation: number): void;
}

interface Named {
  group: Group;
  name: string;
}

type RequestKind = RequestInspection['kind'];
type Passed = NodeJS.ArrayBufferView | ArrayBuffer;

/** A message that improbe has taken: of a communicator's rank. */
export interface Taken {
  slot: number;
  source: number;
  tag: number;
  context: number;
}

export class Core {
  readonly rank: number;
  readonly size: number;
  readonly maxRequests: number;
  /** Of the largest object that is received. */
  readonly maxObjectBytes: number;
  readonly native: NativeWorld;
  readonly probes: Probes = new Probes(this);
  readonly steps: Steps = new Steps();
  readonly leftovers: Leftovers;
  readonly loans: Loans = new Loans(this);
  readonly #words: Int32Array;
  // Of the addon's world, whose properties are looked up by name each time.
  readonly #postSend: NativeWorld['postSend'];
  readonly #postRecv: NativeWorld['postRecv'];
  readonly #waitSlice: NativeWorld['waitSlice'];
  // Blocks of no bytes lie nowhere in the heap; they are freed like any other all the same.
  readonly #empty = new WeakSet<ArrayBufferLike>();
  readonly #slots: (Request<unknown> | undefined)[] = [];
  readonly #events: CoreEvents;
  /** The communicators besides the world, by id. */
  readonly scopes = new Map<number, Scope>();
  readonly ids: Ids;
  /** What the collective operation that was posted last in a slot is, in words. */
  readonly collectives = new Map<number, string>();
  /** Ranks that are known to be gone. */
  readonly gone = new Map<number, ExitCause>();
  /** Ranks can come back; how often each has, as far as is known here. */
  readonly elastic: boolean;
  readonly incarnations: number[];
  /** Fails what all ranks of the world do together and have begun. */
  endCollectives: ((error: UintrError) => void) | undefined;
  // What has become of ranks and the communicators have not been told of; without a cause: it wants to come back.
  readonly #changes: { rank: number; cause?: ExitCause }[] = [];
  // What a return to the group leaves without an end.
  readonly #tied = new Map<Request<unknown>, Named>();
  // Buffers of operations that are made of others, which use them now and again, by how many use each.
  readonly #held = new Map<ArrayBufferLike, number>();
  #closed = false;
  /** Nothing of the addon's world is left. */
  left = false;

  constructor(native: NativeWorld, maxObjectBytes: number, events: CoreEvents) {
    this.native = native;
    this.rank = native.rank;
    this.size = native.size;
    this.maxRequests = native.maxRequests;
    this.maxObjectBytes = maxObjectBytes;
    this.#words = new Int32Array(native.exchange);
    this.#postSend = native.postSend;
    this.#postRecv = native.postRecv;
    this.#waitSlice = native.waitSlice;
    this.#events = events;
    this.elastic = native.elastic;
    this.incarnations = [...native.incarnations];
    this.ids = new Ids(native.rank, this.incarnations[native.rank]);
    this.leftovers = new Leftovers(this);
  }

  /** How often ranks have come back, in all. */
  get returns(): number {
    return this.incarnations.reduce((sum, times) => sum + times, 0);
  }

  /** Of what all ranks of the world do together: it begins anew when one has come back. */
  get worldContext(): number {
    return contextFor(worldId(this.returns));
  }

  /** Requests in flight. */
  get active(): number {
    return this.#words[ACTIVE]!;
  }

  /** After this nothing can be posted. */
  get closed(): boolean {
    return this.#closed;
  }

  stopPosting(): void {
    this.#closed = true;
  }

  checkOpen(): void {
    if (this.#closed) throw closedError(this.rank);
  }

  // ---- posting --------------------------------------------------------------

  // With a scope, ranks are its communicator's, in arguments and results; else they are the world's.

  postSend(
    data: Passed,
    dest: number,
    tag: number,
    context: number,
    flags: number,
    signal: AbortSignal | undefined,
    scope?: Scope,
  ): Request<Status> {
    if (signal?.aborted) return rejected(this, signal.reason);
    this.#arguments(scope === undefined ? dest : scope.group.toWorld(dest), tag, context, flags);
    const request = create(this, readStatus, data, true, scope);
    const slot = this.#postSend(data);
    if ((flags & FLAG_LEND) === 0) return this.#posted(request, slot, signal);
    return this.steps.whole(() => {
      this.#posted(request, slot, signal);
      this.loans.lend(request);
      return request;
    });
  }

  /** `into` undefined: into the shared heap, and `read` makes a Message. */
  postRecv<T>(
    read: Reader<T>,
    into: Passed | undefined,
    source: number,
    tag: number,
    context: number,
    signal: AbortSignal | undefined,
    scope?: Scope,
    flags = into ? 0 : FLAG_ALLOCATE,
  ): Request<T> {
    if (signal?.aborted) return rejected(this, signal.reason);
    if (into !== undefined) this.loans.checkWritable(into, 'into');
    this.#arguments(engineSource(source, scope), tag === ANY_TAG ? ANY : tag, context, flags);
    const request = create(this, read, into, false, scope);
    this.#posted(request, this.#postRecv(into), signal);
    if (scope !== undefined && source === ANY_SOURCE && isActive(request)) scope.waitsForAny(request);
    return request;
  }

  probe(source: number, tag: number, context: number, scope?: Scope): Status | null {
    this.#arguments(engineSource(source, scope), tag === ANY_TAG ? ANY : tag, context, 0);
    if (!this.native.probe()) return null;
    if (scope !== undefined) scope.localize(this.#words, IMMEDIATE);
    return readStatus(this, this.#words, IMMEDIATE);
  }

  /** Takes the message that a receive with these arguments would get now out of matching, into a slot. */
  improbe(source: number, tag: number, context: number, scope?: Scope): { slot: number; status: Status } | null {
    this.#arguments(engineSource(source, scope), tag === ANY_TAG ? ANY : tag, context, 0);
    const slot = this.native.improbe();
    if (slot === POST_NOTHING) return null;
    if (slot === POST_CLOSED) throw closedError(this.rank);
    if (slot < 0) throw noMemory(this);
    this.#words[ACTIVE]! += 1;
    if (scope !== undefined) scope.localize(this.#words, IMMEDIATE);
    return { slot, status: readStatus(this, this.#words, IMMEDIATE) };
  }

  /** Receives what improbe has taken; otherwise as postRecv. */
  imrecv<T>(read: Reader<T>, into: Passed | undefined, taken: Taken, scope?: Scope): Request<T> {
    const { slot, source, tag, context } = taken;
    this.#arguments(engineSource(source, scope), tag, context, into ? 0 : FLAG_ALLOCATE);
    this.#words[ACTIVE]! -= 1;
    return this.#posted(create(this, read, into, false, scope), this.native.imrecv(slot, into), undefined);
  }

  /**
   * A collective operation as a schedule (collectives/schedule.ts); `called`: what it is, in words. With a mismatch it
   * fails with an UnexpectedMessage.
   */
  postSchedule(
    records: Float64Array,
    buffers: Passed[],
    tag: number,
    context: number,
    called: string,
  ): Request<Status> {
    this.#arguments(ANY, tag, context, 0);
    const request = create(this, readStatus, undefined, true);
    this.#posted(request, this.native.postSchedule(records, buffers), undefined, 'collective');
    this.collectives.set(slotOf(request), called);
    return request;
  }

  /** Throws what a receive from there fails with when there is nothing that it could get, and nobody left to send it. */
  checkReachable(source: number, scope?: Scope): void {
    const alone = source === ANY_SOURCE ? scope?.aloneError() : undefined;
    if (alone !== undefined) throw alone;
    this.#words[PEER] = engineSource(source, scope);
    if (!this.native.unreachable()) return;
    if (scope !== undefined) scope.localize(this.#words, IMMEDIATE);
    throw failureOf(this, scope?.group.rank ?? this.rank, this.#words, IMMEDIATE, undefined);
  }

  #arguments(peer: number, tag: number, context: number, flags: number): void {
    const words = this.#words;
    words[PEER] = peer;
    words[TAG] = tag;
    words[CONTEXT] = context;
    words[FLAGS] = flags;
  }

  #posted<T>(
    request: Request<T>,
    slot: number,
    signal: AbortSignal | undefined,
    kind: RequestKind = isSend(request) ? 'send' : 'receive',
  ): Request<T> {
    const words = this.#words;
    if (slot >= 0) {
      this.#slots[slot] = request;
      words[ACTIVE]! += 1;
      started(request, slot);
      if (signal !== undefined) abortOn(request, signal);
      if (requestChannel.hasSubscribers) this.#publish(request, kind);
      return request;
    }
    if (slot === POST_FAILED && words[IMMEDIATE + R_ERROR] === NO_MEMORY) throw noMemory(this);
    if (slot === POST_DONE || slot === POST_FAILED) {
      if (requestChannel.hasSubscribers) {
        // Who is told may post, which overwrites the record.
        const record = words.slice(IMMEDIATE, BATCH);
        this.#publish(request, kind);
        finish(request, record, 0);
      } else {
        finish(request, words, IMMEDIATE);
      }
      return request;
    }
    if (slot === POST_CLOSED) throw closedError(this.rank);
    if (slot === POST_NOT_OWN) {
      throw invalidArgument('data', 'memory that alloc() of this world gave, to be lent', dataOf(request));
    }
    throw invalidArgument('data', 'a buffer that the addon knows', dataOf(request));
  }

  /** The arguments still stand where they were put, and nothing else does afterwards: it calls code of the program. */
  #publish(request: Request<unknown>, kind: RequestKind): void {
    const words = this.#words;
    const posted = {
      rank: this.rank,
      request,
      kind,
      peer: words[PEER] === ANY ? ANY_SOURCE : words[PEER],
      tag: words[TAG] === ANY ? ANY_TAG : words[TAG],
      context: words[CONTEXT],
      byteLength: dataOf(request)?.byteLength,
    };
    this.steps.tell(() => requestChannel.publish(posted));
  }

  // ---- progress -------------------------------------------------------------

  progress(): void {
    this.#hear(this.native.progress());
  }

  #hear(count: number): void {
    if (count !== 0 || this.#words[SIGHTED] !== 0) this.settle(count);
    else this.steps.goOn();
    // Who comes here again and again does not come to the event loop.
    this.steps.takeTurn();
    if (this.#words[ASKED] !== 0) inspectAsked(this.#words[ASKED]!);
  }

  /** Settles the `count` operations in the batch, and what else is complete. */
  settle(count: number): void {
    const words = this.#words;
    for (let left = count; ; left = this.native.drain()) {
      this.steps.beginReading();
      this.#read(left);
      this.steps.endReading();
      if (left < BATCH_RECORDS) break;
    }
    // A probe of a communicator asks what is known here, and the engine may have known before.
    let sighted = this.#changes.length > 0;
    while (this.#changes.length > 0) {
      const { rank, cause } = this.#changes.shift()!;
      if (cause === undefined) this.steps.whole(() => this.#letIn(rank));
      else for (const scope of this.scopes.values()) scope.lost(rank, cause);
    }
    if (words[SIGHTED] !== 0) {
      sighted = true;
      words[SIGHTED] = 0;
    }
    if (sighted) this.probes.look();
    this.steps.retry();
  }

  /** That many records of the batch. */
  #read(count: number): void {
    const words = this.#words;
    for (let i = 0, at = BATCH; i < count; i += 1, at += RECORD_WORDS) {
      const handle = words[at + R_HANDLE]!;
      if (handle === -1 && words[at + R_HANDLE_HIGH] === -1) {
        this.#tell(words, at);
        continue;
      }
      const slot = handle & SLOT_MASK;
      const request = this.#slots[slot];
      if (request === undefined) continue;
      this.#slots[slot] = undefined;
      words[ACTIVE]! -= 1;
      finish(request, words, at);
    }
  }

  #tell(words: Int32Array, at: number): void {
    const rank = words[at + R_SOURCE]!;
    if (words[at + R_ERROR] === NEWS_RETURNING) {
      this.#changes.push({ rank });
      return;
    }
    if (words[at + R_ERROR] !== NEWS_PEER_GONE) {
      this.#events.driverLost();
      return;
    }
    const cause = exitCause(words[at + R_CAUSE]!);
    this.gone.set(rank, cause);
    this.#changes.push({ rank, cause });
    this.#events.peerGone(rank, cause);
  }

  /** Here, and at once for the engine and all communicators: so nothing of the old life is taken for the new one's. */
  #letIn(rank: number): void {
    const life = this.native.letIn(rank);
    if (life === undefined) return;
    // One that could not be let in stays gone, and yet it has lived, for others.
    if (!life.failed) this.gone.delete(rank);
    this.incarnations[rank] = life.incarnation;
    this.endCollectives?.(returnedError('world', rank, this.rank));
    for (const scope of this.scopes.values()) scope.returned(rank);
    for (const [request, { group, name }] of this.#tied) {
      const peer = group.toGroup(rank);
      if (peer !== undefined) withdrawWith(request, returnedError(name, peer, group.rank));
    }
    this.leftovers.lookSoon(rank);
    if (life.failed) return;
    this.native.admitted(rank);
    this.#events.peerJoined(rank, life.pid, life.incarnation);
  }

  /** That receive fails when a rank of the communicator comes back, which knows nothing of what it is for. */
  untilReturn(comm: Named, request: Request<unknown>): void {
    if (!this.elastic) return;
    for (const tied of this.#tied.keys()) if (!isActive(tied)) this.#tied.delete(tied);
    this.#tied.set(request, comm);
  }

  /** Blocks this thread for one slice, or until something is complete. */
  waitSlice(ms: number): void {
    const most = this.steps.wantsTurn ? 0 : this.steps.wantsSlot ? RETRY_SLICE_MS : SLICE_MS;
    this.#hear(this.#waitSlice(Math.min(ms, most)));
    this.steps.retry();
  }

  /**
   * After a slice in which it did not end: fails the request if all it waits for is memory that nobody but the program
   * could give back, which has no turn while it waits. Its message is there for another receive.
   */
  giveUp(request: Request<unknown>): boolean {
    if (this.#words[STALLED] === 0 || !isActive(request)) return false;
    const slot = slotOf(request);
    if (slot < 0 || !this.native.giveUp(slot)) return false;
    this.settle(this.native.drain());
    return true;
  }

  /** Blocks until the request is over (true) or `limit` milliseconds are (false). */
  waitUntil(request: Request<unknown>, limit: number): boolean {
    if (limit === Number.POSITIVE_INFINITY) {
      while (isActive(request)) {
        this.waitSlice(SLICE_MS);
        this.giveUp(request);
      }
      return true;
    }
    const end = performance.now() + limit;
    for (;;) {
      this.waitSlice(Math.max(0, end - performance.now()));
      if (!isActive(request) || this.giveUp(request)) return true;
      if (performance.now() >= end) return false;
    }
  }

  // ---- taking back ----------------------------------------------------------

  /** Takes back what is not matched, a receive or a send; it has then failed. */
  withdraw(slot: number): boolean {
    if (slot < 0 || !this.native.cancel(slot)) return false;
    this.settle(this.native.drain());
    return true;
  }

  /** Fails what the engine will say nothing more about. */
  failAll(error: UintrError): void {
    this.steps.beginReading();
    for (const [slot, request] of this.#slots.entries()) {
      this.#slots[slot] = undefined;
      if (request !== undefined) fail(request, error);
    }
    this.#words[ACTIVE] = 0;
    this.steps.endReading();
    this.steps.retry();
  }

  /** From now on, until as many calls of release(), this memory is in use, also while no request uses it. */
  hold(buffer: ArrayBufferLike): void {
    this.#held.set(buffer, (this.#held.get(buffer) ?? 0) + 1);
  }

  release(buffer: ArrayBufferLike): void {
    const left = this.#held.get(buffer)! - 1;
    if (left === 0) this.#held.delete(buffer);
    else this.#held.set(buffer, left);
  }

  /** Whether a request in flight uses this memory. */
  uses(buffer: ArrayBufferLike): boolean {
    if (this.#held.has(buffer)) return true;
    if (this.active === 0) return false;
    return this.#slots.some((request) => {
      const data = request === undefined ? undefined : dataOf(request);
      return data !== undefined && (ArrayBuffer.isView(data) ? data.buffer : data) === buffer;
    });
  }

  // ---- memory ---------------------------------------------------------------

  emptyBlock(): Uint8Array<ArrayBuffer> {
    const view = new Uint8Array(0);
    this.#empty.add(view.buffer);
    return view;
  }

  /** Whether it was a block of no bytes, and not free already. */
  freeEmpty(buffer: ArrayBufferLike): boolean {
    return this.#empty.delete(buffer);
  }

  // ---- keep-alive -----------------------------------------------------------

  /** Something waits for the event loop. The addon lets go by itself, when the loop is about to sleep and nothing does. */
  want(): void {
    const words = this.#words;
    words[WANTED]! += 1;
    if (words[REFERENCED] === 0) this.native.ref();
  }

  unwant(): void {
    this.#words[WANTED]! -= 1;
  }
}

function engineSource(source: number, scope: Scope | undefined): number {
  if (scope === undefined) return source === ANY_SOURCE ? ANY : source;
  if (source !== ANY_SOURCE) return scope.group.toWorld(source);
  // A rank that is alone waits for itself, which the engine would end with the rest of the world.
  return scope.group.size === 1 ? scope.group.toWorld(0) : ANY;
}

/** A Status from its record. */
export function readStatus(_core: Core, words: Int32Array, at: number): Status {
  return { source: words[at + R_SOURCE]!, tag: words[at + R_TAG]!, byteLength: read64(words, at + R_LENGTH) };
}

/** A Message from its record: takes the block that it lies in, or what is lent. */
export function readMessage(core: Core, words: Int32Array, at: number): Message {
  const status = readStatus(core, words, at);
  const high = words[at + R_HEAP + 1]!;
  if (words[at + R_HEAP] === -1 && high === -1) return new Received(core, status, core.emptyBlock());
  const lent = (high & LENT) !== 0;
  const handle = read64(words, at + R_HANDLE);
  const block = lent
    ? core.native.takeLoan(handle)
    : core.native.takeBlock(read64(words, at + R_HEAP), status.byteLength);
  if (block === undefined)
    throw new UintrError('ERR_UINTR_NO_MEMORY', 'no memory for the message', { rank: core.rank });
  if (lent) core.loans.borrow(block, handle);
  return new Received(core, status, new Uint8Array(block), lent);
}
