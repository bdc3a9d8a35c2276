// Operations that are prepared once and started often (MPI 4.1, 3.9).
import {
  checkDest,
  checkLend,
  checkOptions,
  checkRecvTag,
  checkSendTag,
  checkSignal,
  checkSource,
  RECEIVE_KEYS,
  SEND_KEYS,
} from './arguments.js';
import { type Bytes, checkBytes } from './bytes.js';
import { invalidArgument } from './errors.js';
import type { Status } from './message.js';
import type { PointToPoint, ReceiveOptions, SendOptions } from './point-to-point.js';
import type { Request } from './request.js';

/** A send or a receive that can be started again when it is done. It holds nothing while it is not active. */
export class PersistentRequest {
  readonly #post: () => Request<Status>;
  #active: Request<Status> | undefined;

  /** @internal */
  constructor(post: () => Request<Status>) {
    this.#post = post;
  }

  /**
   * Starts it (MPI 4.1, 3.9, MPI_Start).
   * @returns the request of this one time
   * @throws ERR_UINTR_INVALID_ARGUMENT: it is active; and as isend and irecv do
   */
  start(): Request<Status> {
    if (this.#active?.done === false) throw invalidArgument('request', 'one that is not active', this);
    this.#active = this.#post();
    return this.#active;
  }
}

export function sendInit(comm: PointToPoint, data: Bytes, options: SendOptions): PersistentRequest {
  const { dest, tag, signal, lend } = checkOptions(options, SEND_KEYS);
  checkDest(dest, comm.size);
  checkSendTag(tag);
  checkSignal(signal);
  checkLend(lend);
  checkBytes(data, 'data');
  return new PersistentRequest(() => comm.isend(data, { dest, tag, signal, lend }));
}

export function recvInit(comm: PointToPoint, into: Bytes, options: ReceiveOptions | undefined): PersistentRequest {
  const { source, tag, signal } = checkOptions(options, RECEIVE_KEYS);
  checkSource(source, comm.size);
  checkRecvTag(tag);
  checkSignal(signal);
  checkBytes(into, 'into');
  return new PersistentRequest(() => comm.irecv(into, { source, tag, signal }));
}
