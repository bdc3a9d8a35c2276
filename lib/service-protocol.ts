// What requests and answers look like. A request is an object in the Service context, with the service's tag; its note is
// the tag of the answer, an object in the Reply context. A request is synchronous: one that nobody has matched waits with
// its sender and can be taken back. Who gives up one that was matched says so in the Reply context, with tag 0, and goes
// on to receive the answer, for there always is one.
import { contextOfPurpose, Purpose } from './context.js';
import type { Channel } from './object-transfer.js';

/** The note of an answer. */
export enum Answer {
  Value = 0,
  /** An ErrorText. */
  Error = 1,
  /** The service is closed, and the request was not handled. */
  Refused = 2,
}

/** In the Reply context; answers have tags from 1. */
export const GIVEN_UP_TAG = 0;

export interface ServiceContexts {
  requests: Channel;
  replies: Channel;
}

/** Those of the communicator whose point-to-point messages have `context`. */
export function serviceContexts(context: number): ServiceContexts {
  const parts = contextOfPurpose(context, Purpose.ObjectParts);
  return {
    requests: { header: contextOfPurpose(context, Purpose.Service), parts },
    replies: { header: contextOfPurpose(context, Purpose.Reply), parts },
  };
}
