// A meeting of two ranks by two short messages, so that a benchmark of messages needs no collectives.
import type { Pair } from './rank.js';

const syncTag = 3;
const token = new Uint8Array(1);

/** Both ends leave within the time of one short message. */
export function syncEnds({ world, peer }: Pair): void {
  if (world.rank === 1) world.isend(token, { dest: peer, tag: syncTag }).wait();
  world.irecv(token, { source: peer, tag: syncTag }).wait();
  if (world.rank === 0) world.isend(token, { dest: peer, tag: syncTag }).wait();
}
