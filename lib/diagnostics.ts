/**
 * What happens in a world, for tools (`node:diagnostics_channel`). A channel that nobody has subscribed to costs one
 * comparison.
 *
 * - `uintr:join` { world }: this thread has entered a world
 * - `uintr:close` { world }: it has left it
 * - `uintr:peer-exit` { world, rank, cause }: as the event of that name
 * - `uintr:peer-join` { world, rank, pid, incarnation }: as the event of that name
 * - `uintr:request` { rank, request, kind, peer, tag, context, byteLength }: an operation was posted. `rank` is the own
 *   one, and `peer` the other rank (of the world), or ANY_SOURCE, as for a collective; `byteLength` the length of the buffer, and undefined
 *   for a receive without one
 * - `uintr:settle` { rank, request, error }: such an operation is over; `error` is undefined if it succeeded
 *
 * Who listens may use the package. Of an operation that is made of several requests it is told when all are posted.
 */
import { type Channel, channel } from 'node:diagnostics_channel';

export const joinChannel: Channel = channel('uintr:join');
export const closeChannel: Channel = channel('uintr:close');
export const peerExitChannel: Channel = channel('uintr:peer-exit');
export const peerJoinChannel: Channel = channel('uintr:peer-join');
export const requestChannel: Channel = channel('uintr:request');
export const settleChannel: Channel = channel('uintr:settle');
