// uintr: MPI's nonblocking messages between Node processes on one Linux host, which move while JavaScript computes.
export type { Bytes } from './bytes.js';
export type { ChildExit } from './children.js';
export type { InPlace } from './collectives/arguments.js';
export type { Counts } from './collectives/moving.js';
export type { NumericArray, Op, OpFunction, OpName } from './collectives/operators.js';
export { Comm, DerivedComm } from './comm.js';
export { ANY_SOURCE, ANY_TAG, IN_PLACE, PROC_NULL } from './constants.js';
export { AbortError, type ExitCause, UintrError, type UintrErrorCode } from './errors.js';
export type { PeerExit, PeerJoin, WorldEvents } from './events.js';
export type { JoinOptions } from './join.js';
export { Matched } from './matched.js';
export type { Message, ReceivedValue, Status } from './message.js';
export type { WorldOptions } from './options.js';
export { PersistentRequest } from './persistent.js';
export type {
  ObjectSendOptions,
  ProbeOptions,
  ReceiveOptions,
  SendOptions,
  SendRecvOptions,
} from './point-to-point.js';
export type { CopiedBytes, CopyKind, RequestInspection, WorldInspection, WorldStats } from './reports.js';
export { Request } from './request.js';
export { type Indexed, type Outcome, testAny, testSome, waitAll, waitAny } from './request-sets.js';
export type { Handler, ServeOptions, Server } from './server.js';
export type { RequestOptions } from './service-request.js';
export type { SpawnOptions } from './spawn.js';
export { type Support, support, type Verdict } from './support.js';
export { Trace, type TraceOptions } from './trace.js';
export { type CloseOptions, World } from './world.js';
