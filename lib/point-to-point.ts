// Point-to-point messages of a communicator (MPI 4.1, chapter 3).
import {
  checkDest,
  checkLend,
  checkOptions,
  checkRecvTag,
  checkSendTag,
  checkSignal,
  checkSource,
  type KeySet,
  keySet,
  RECEIVE_KEYS,
  SEND_KEYS,
} from './arguments.js';
import { type Bytes, checkBytes, isBytes } from './bytes.js';
import { PROC_NULL } from './constants.js';
import { type Core, readMessage, readStatus } from './core.js';
import { invalidArgument } from './errors.js';
import { FLAG_LEND, FLAG_SYNCHRONOUS } from './exchange.js';
import type { Group } from './group.js';
import { improbe, type Matched, mprobe } from './matched.js';
import { fromNobody, type Message, type ReceivedValue, type Status } from './message.js';
import { Messages } from './messages.js';
import { irecvObject, isendObject, type ObjectPlace } from './objects.js';
import { type PersistentRequest, recvInit, sendInit } from './persistent.js';
import { probe, type Wanted } from './probe.js';
import { Received } from './received.js';
import { promiseOf, type Request, resolved } from './request.js';
import type { Scope } from './scope.js';

/** Where an object goes. */
export interface ObjectSendOptions extends Partial<Status> {
  /** The rank that is to receive it, which may be the own one, or PROC_NULL. */
  dest: number;
  /** 0 (the default) to 2^31 - 1. */
  tag?: number;
  /** Withdraws a message that nobody has matched; afterwards it has no effect. */
  signal?: AbortSignal;
}

/** Where a message goes. */
export interface SendOptions extends ObjectSendOptions {
  /**
   * Lends the buffer instead of having it copied: memory of {@link World.alloc}, or a part of it. A receive without a
   * buffer then gets a view of this very memory, of whatever length, at the cost of a short message; one with a buffer
   * copies as ever. The request is done when the receiver has released its {@link Message}, or has copied; until then
   * the buffer must not be written, is not freed or collected, and nothing of this world can be received into it. It can
   * be sent again, lent or not.
   *
   * For receivers that release what they get: one that leaves it to the garbage collector may not collect for as long as
   * it waits. And what is lent to a rank it cannot receive into, which it may do with a message of its own.
   *
   * The request fails with ERR_UINTR_PEER_EXITED if the receiver is gone without having released it, and with
   * ERR_UINTR_CLOSED if this world is closed before that: closing waits until it is received, and no longer.
   */
  lend?: boolean;
}

/** Which message to receive. A Status is good as it is. */
export interface ReceiveOptions extends Partial<Status> {
  /** A rank, ANY_SOURCE (the default) or PROC_NULL. */
  source?: number;
  /** 0 to 2^31 - 1, or ANY_TAG (the default). */
  tag?: number;
  /** Cancels a receive that no message has matched; afterwards it has no effect. */
  signal?: AbortSignal;
}

/** Which message to look for. */
export type ProbeOptions = Omit<ReceiveOptions, 'signal'>;

/** The two halves of a sendrecv. */
export interface SendRecvOptions {
  dest: number;
  source?: number;
  sendTag?: number;
  recvTag?: number;
}

const PROBE_KEYS = keySet();
const SENDRECV_KEYS = keySet('dest', 'sendTag', 'recvTag');

/** What the layers above need of a communicator, and programs do not: assigned in the class. */
export let coreOf: (comm: PointToPoint) => Core;
/** Of its point-to-point messages; context.ts says which others are its own. */
export let contextOf: (comm: PointToPoint) => number;
export let groupOf: (comm: PointToPoint) => Group;
/** What a communicator has that is not the world. */
export let scopeOf: (comm: PointToPoint) => Scope | undefined;

/** The point-to-point part of a {@link Comm}. */
export abstract class PointToPoint {
  /** This rank, 0 to `size` - 1 (MPI 4.1, 7.4.1). */
  readonly rank: number;
  /** How many ranks there are. */
  readonly size: number;
  readonly #core: Core;
  readonly #context: number;
  readonly #group: Group;
  readonly #scope: Scope | undefined;

  protected constructor(core: Core, context: number, group: Group, scope?: Scope) {
    this.rank = group.rank;
    this.size = group.size;
    this.#core = core;
    this.#context = context;
    this.#group = group;
    this.#scope = scope;
  }

  /**
   * Starts to send (MPI 4.1, 3.7.2, MPI_Isend). The buffer must not change before the request is done; done means that
   * the buffer is free, not that the message was received.
   * @throws ERR_UINTR_INVALID_ARGUMENT, ERR_UINTR_CLOSED, ERR_UINTR_NO_MEMORY; the request fails with
   * ERR_UINTR_PEER_EXITED if `dest` is gone before it is done
   */
  isend(data: Bytes, options: SendOptions): Request<Status> {
    return this.#isend(data, options, 0);
  }

  /**
   * Like isend, but done only when the message has been matched by a receive (MPI 4.1, 3.7.2, MPI_Issend).
   * @throws as isend
   */
  issend(data: Bytes, options: SendOptions): Request<Status> {
    return this.#isend(data, options, FLAG_SYNCHRONOUS);
  }

  /** As {@link isend}, as a promise, which bad arguments reject (MPI 4.1, 3.2.1, MPI_Send). */
  send(data: Bytes, options: SendOptions): Promise<Status> {
    try {
      return promiseOf(this.#isend(data, options, 0));
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /** As {@link issend}, as a promise, which bad arguments reject (MPI 4.1, 3.4, MPI_Ssend). */
  ssend(data: Bytes, options: SendOptions): Promise<Status> {
    try {
      return promiseOf(this.#isend(data, options, FLAG_SYNCHRONOUS));
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /**
   * Starts to receive into a buffer (MPI 4.1, 3.7.2, MPI_Irecv), which must not be read before the request is done.
   * @throws ERR_UINTR_INVALID_ARGUMENT, ERR_UINTR_CLOSED, ERR_UINTR_NO_MEMORY; the request fails with
   * ERR_UINTR_TRUNCATED if the message is longer than the buffer, which then holds its beginning, and with
   * ERR_UINTR_PEER_EXITED if `source`, or with ANY_SOURCE every other rank, is gone
   */
  irecv(into: Bytes, options?: ReceiveOptions): Request<Status>;
  /**
   * Starts to receive a message of any length: it lands in the shared heap, whose memory comes back when the message was
   * collected and the event loop has turned, or by Message.release() at once. While the heap has no room the
   * receive waits for it.
   * @throws as with a buffer; ERR_UINTR_TRUNCATED cannot happen, ERR_UINTR_NO_MEMORY is a heap that can never hold it, or
   * that cannot while the program sits in {@link Request.wait}
   */
  irecv(options?: ReceiveOptions): Request<Message>;
  irecv(first?: Bytes | ReceiveOptions, second?: ReceiveOptions): Request<Status> | Request<Message> {
    // A second argument that is not undefined says that the first was meant as a buffer, whatever it is.
    return isBytes(first) || second !== undefined ? this.#irecv(first, second) : this.#irecvMessage(first);
  }

  /** As {@link irecv} into a buffer, as a promise, which bad arguments reject (MPI 4.1, 3.2.4, MPI_Recv). */
  recv(into: Bytes, options?: ReceiveOptions): Promise<Status>;
  /** As {@link irecv} without a buffer, as a promise, which bad arguments reject. */
  recv(options?: ReceiveOptions): Promise<Message>;
  recv(first?: Bytes | ReceiveOptions, second?: ReceiveOptions): Promise<Status | Message> {
    try {
      return promiseOf<Status | Message>(this.irecv(first as Bytes, second));
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /**
   * Sends and receives at the same time, so that ranks that exchange do not wait for each other in a circle
   * (MPI 4.1, 3.10, MPI_Sendrecv).
   * @returns the Status of the receive
   */
  async sendrecv(data: Bytes, into: Bytes, options: SendRecvOptions): Promise<Status> {
    const { dest, source, sendTag, recvTag } = checkOptions(options, SENDRECV_KEYS);
    const to = checkDest(dest, this.size);
    const tag = checkSendTag(sendTag, 'sendTag');
    checkBytes(data, 'data');
    const received = this.#irecv(into, { source, tag: checkRecvTag(recvTag, 'recvTag') });
    let sent: Request<Status>;
    try {
      sent = this.#isend(data, { dest: to, tag }, 0);
    } catch (error) {
      received.cancel();
      throw error;
    }
    const [receipt] = await Promise.allSettled([received, sent]);
    await sent;
    if (receipt.status === 'rejected') throw receipt.reason;
    return receipt.value;
  }

  /**
   * The Status of the message that a receive with these arguments would get now, or null; takes nothing
   * (MPI 4.1, 3.8.1, MPI_Iprobe). Asking makes progress.
   * @throws ERR_UINTR_INVALID_ARGUMENT, ERR_UINTR_CLOSED
   */
  iprobe(options?: ProbeOptions): Status | null {
    this.#checkOpen();
    const given = checkOptions(options, PROBE_KEYS);
    const source = checkSource(given.source, this.size);
    const tag = checkRecvTag(given.tag);
    if (source === PROC_NULL) return fromNobody();
    this.#core.progress();
    return this.#core.probe(source, tag, this.#context, this.#scope);
  }

  /**
   * Waits for a message that a receive with these arguments would get, and takes nothing (MPI 4.1, 3.8.1, MPI_Probe). It
   * keeps the process alive. By the time its Status is looked at, another receive may have got the message: see
   * {@link mprobe}.
   *
   * Rejects with ERR_UINTR_INVALID_ARGUMENT, ERR_UINTR_CLOSED; with ERR_UINTR_PEER_EXITED if `source`, or with ANY_SOURCE
   * every other rank, is gone; and with the reason of `signal`.
   */
  async probe(options?: ReceiveOptions): Promise<Status> {
    return probe(this.#core, this.#wanted(options, RECEIVE_KEYS));
  }

  /**
   * As {@link iprobe}, and takes the message it finds out of matching, so that nothing but the Matched receives it
   * (MPI 4.1, 3.8.2, MPI_Improbe).
   * @throws ERR_UINTR_INVALID_ARGUMENT, ERR_UINTR_CLOSED; ERR_UINTR_NO_MEMORY: no request left of `maxRequests`
   */
  improbe(options?: ProbeOptions): Matched | null {
    const wanted = this.#wanted(options, PROBE_KEYS);
    this.#core.progress();
    return improbe(this.#core, wanted);
  }

  /**
   * As {@link probe}, and takes the message out of matching (MPI 4.1, 3.8.2, MPI_Mprobe). Several that wait with the
   * same arguments get their messages in the order in which they were called.
   *
   * Rejects as {@link probe}, and with ERR_UINTR_NO_MEMORY: no request left of `maxRequests`.
   */
  async mprobe(options?: ReceiveOptions): Promise<Matched> {
    return mprobe(this.#core, this.#wanted(options, RECEIVE_KEYS));
  }

  /**
   * The messages that receives with these arguments get, one after another. Each `next()` posts one receive without a
   * buffer, so a sender is never further ahead than that, and what nobody has asked for is there for other receives. It
   * does not end by itself (from PROC_NULL at once): leave the loop, or call `return()`, which takes back the receives
   * that no message has matched and ends their `next()`.
   *
   * `next()` rejects as {@link irecv} without a buffer does, and with the reason of `signal`, aborted before the receive
   * was matched; the iteration is then over.
   * @throws ERR_UINTR_INVALID_ARGUMENT, ERR_UINTR_CLOSED
   */
  messages(options?: ReceiveOptions): AsyncIterableIterator<Message> {
    const { source, tag, signal } = this.#wanted(options, RECEIVE_KEYS);
    return new Messages((given) => this.#irecvMessage(given), { source, tag, signal });
  }

  /**
   * Prepares a send that is started any number of times (MPI 4.1, 3.9, MPI_Send_init). A `signal` acts on each of them.
   * @throws ERR_UINTR_INVALID_ARGUMENT, ERR_UINTR_CLOSED
   */
  sendInit(data: Bytes, options: SendOptions): PersistentRequest {
    this.#checkOpen();
    return sendInit(this, data, options);
  }

  /**
   * Prepares a receive into a buffer that is started any number of times (MPI 4.1, 3.9, MPI_Recv_init).
   * @throws as sendInit
   */
  recvInit(into: Bytes, options?: ReceiveOptions): PersistentRequest {
    this.#checkOpen();
    return recvInit(this, into, options);
  }

  #checkOpen(): void {
    this.#core.checkOpen();
    this.#scope?.check();
  }

  #wanted(options: ReceiveOptions | undefined, known: KeySet): Wanted {
    this.#checkOpen();
    const given = checkOptions(options, known);
    const source = checkSource(given.source, this.size);
    const tag = checkRecvTag(given.tag);
    return { source, tag, context: this.#context, signal: checkSignal(given.signal), scope: this.#scope };
  }

  /**
   * Starts to send a value by structured clone, as V8 does it: plain data, Map, Set, Date, RegExp, Error, BigInt, buffers
   * and views of them, cycles; of a class instance its own properties, without the class. Functions, symbols, SharedArrayBuffers
   * and what belongs to one thread (sockets, promises, WeakMaps) are refused.
   *
   * Objects and messages of bytes never meet. Among each other objects keep the order of messages, and a receive gets a whole one.
   * The value is cloned now, but for ArrayBuffers (and Buffers) of 64 KiB and more: those are sent straight from where they
   * lie, and must not change before the request is done. A view travels with its whole buffer, once for all its views; a
   * Buffer alone travels without the memory around it. Each large buffer takes one request of `maxRequests` while it is sent.
   * A small object is sent when it is on its way, as with isend; one with large parts when it was received.
   * @param options `signal` withdraws an object that was not matched, unless it was small and is gone already
   * @throws ERR_UINTR_INVALID_ARGUMENT (also: cannot be cloned, and why), ERR_UINTR_CLOSED, ERR_UINTR_NO_MEMORY; the
   * request fails with ERR_UINTR_PEER_EXITED if `dest` is gone before it is done
   */
  isendObject(value: unknown, options: ObjectSendOptions): Request<Status> {
    return isendObject(this.#place(), value, options);
  }

  /**
   * Starts to receive a value that was sent by isendObject. Its buffers are new, ordinary ones. Its `byteLength` is what
   * travelled. A small object lands while JavaScript computes; large parts begin to when the event loop turns or a call waits.
   * @throws ERR_UINTR_INVALID_ARGUMENT, ERR_UINTR_CLOSED, ERR_UINTR_NO_MEMORY; the request fails with
   * ERR_UINTR_PEER_EXITED as with irecv, with ERR_UINTR_NO_MEMORY if a buffer cannot be allocated or the object is
   * larger than `maxObjectBytes` (it is lost then), and with ERR_UINTR_PROTOCOL if what came is no object
   */
  irecvObject<T = unknown>(options?: ReceiveOptions): Request<ReceivedValue<T>> {
    return irecvObject<T>(this.#place(), options);
  }

  /** As {@link isendObject}, as a promise, which bad arguments reject. */
  async sendObject(value: unknown, options: ObjectSendOptions): Promise<Status> {
    return isendObject(this.#place(), value, options);
  }

  /** As {@link irecvObject}, as a promise, which bad arguments reject. */
  async recvObject<T = unknown>(options?: ReceiveOptions): Promise<ReceivedValue<T>> {
    return irecvObject<T>(this.#place(), options);
  }

  #place(): ObjectPlace {
    return { core: this.#core, context: this.#context, rank: this.rank, size: this.size, scope: this.#scope };
  }

  #isend(data: unknown, options: SendOptions, flags: number): Request<Status> {
    const core = this.#core;
    this.#checkOpen();
    checkOptions(options, SEND_KEYS);
    const dest = checkDest(options?.dest, this.size);
    const tag = checkSendTag(options.tag);
    const signal = checkSignal(options.signal);
    const lend = checkLend(options.lend) ? FLAG_LEND : 0;
    const bytes = checkBytes(data, 'data');
    if (dest === PROC_NULL) return resolved(core, { source: this.rank, tag, byteLength: bytes.byteLength });
    return core.postSend(bytes, dest, tag, this.#context, flags | lend, signal, this.#scope);
  }

  #irecv(into: unknown, options: ReceiveOptions | undefined): Request<Status> {
    const core = this.#core;
    this.#checkOpen();
    const given = checkOptions(options, RECEIVE_KEYS);
    const source = checkSource(given.source, this.size);
    const tag = checkRecvTag(given.tag);
    const signal = checkSignal(given.signal);
    const bytes = checkBytes(into, 'into');
    if (source === PROC_NULL) return resolved(core, fromNobody());
    return core.postRecv(readStatus, bytes, source, tag, this.#context, signal, this.#scope);
  }

  #irecvMessage(options: ReceiveOptions | undefined): Request<Message> {
    const core = this.#core;
    this.#checkOpen();
    if (options !== undefined && (typeof options !== 'object' || options === null || Array.isArray(options))) {
      throw invalidArgument('into', 'a buffer, or options', options);
    }
    const given = checkOptions(options, RECEIVE_KEYS);
    const source = checkSource(given.source, this.size);
    const tag = checkRecvTag(given.tag);
    const signal = checkSignal(given.signal);
    if (source === PROC_NULL) return resolved(core, new Received(core, fromNobody(), core.emptyBlock()));
    return core.postRecv(readMessage, undefined, source, tag, this.#context, signal, this.#scope);
  }

  static {
    coreOf = (comm) => comm.#core;
    contextOf = (comm) => comm.#context;
    groupOf = (comm) => comm.#group;
    scopeOf = (comm) => comm.#scope;
  }
}
