// Values as messages (compare MPI 4.1, chapter 5: what a datatype describes, V8 knows).
import {
  checkDest,
  checkOptions,
  checkRecvTag,
  checkSendTag,
  checkSignal,
  checkSource,
  OBJECT_KEYS,
  RECEIVE_KEYS,
} from './arguments.js';
import { clone } from './clone.js';
import { ANY_TAG, PROC_NULL } from './constants.js';
import { contextOfPurpose, Purpose } from './context.js';
import type { Core } from './core.js';
import type { ReceivedValue, Status } from './message.js';
import { type Channel, ObjectReceive, sendObject } from './object-transfer.js';
import type { ObjectSendOptions, ReceiveOptions } from './point-to-point.js';
import { type Request, resolved } from './request.js';
import type { Scope } from './scope.js';

/** What the objects of a communicator go by. */
export interface ObjectPlace {
  core: Core;
  context: number;
  rank: number;
  size: number;
  /** Undefined: the world. */
  scope: Scope | undefined;
}

export function isendObject(place: ObjectPlace, value: unknown, options: ObjectSendOptions): Request<Status> {
  const { core, rank, size } = place;
  checkOpen(place);
  checkOptions(options, OBJECT_KEYS);
  const dest = checkDest(options?.dest, size);
  const tag = checkSendTag(options.tag);
  const signal = checkSignal(options.signal);
  if (dest === PROC_NULL) {
    const { bytes, outside } = clone(value, 0);
    const byteLength = outside.reduce((sum, one) => sum + one.byteLength - 8, bytes.length);
    return resolved(core, { source: rank, tag, byteLength });
  }
  return sendObject(core, channelOf(place), value, { dest, tag, signal }, rank);
}

export function irecvObject<T>(place: ObjectPlace, options?: ReceiveOptions): Request<ReceivedValue<T>> {
  const { core, size } = place;
  checkOpen(place);
  const given = checkOptions(options, RECEIVE_KEYS);
  const source = checkSource(given.source, size);
  const tag = checkRecvTag(given.tag);
  const signal = checkSignal(given.signal);
  if (source === PROC_NULL) {
    return resolved(core, { value: undefined as T, source: PROC_NULL, tag: ANY_TAG, byteLength: 0 });
  }
  const receive = new ObjectReceive(core, channelOf(place), { source, tag, signal }, (object) => ({
    value: object.value as T,
    source: object.source,
    tag: object.tag,
    byteLength: object.byteLength,
  }));
  return receive.request;
}

function checkOpen({ core, scope }: ObjectPlace): void {
  core.checkOpen();
  scope?.check();
}

function channelOf({ context, scope }: ObjectPlace): Channel {
  return {
    header: contextOfPurpose(context, Purpose.Object),
    parts: contextOfPurpose(context, Purpose.ObjectParts),
    scope,
  };
}
