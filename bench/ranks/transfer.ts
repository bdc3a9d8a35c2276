// One transfer with work between posting it and waiting for it: rank 0 sends, rank 1 receives, each with work of its own
// or none. bench/peers/mpi/work.h is the same.
import { timed, work } from '../lib/work.js';
import type { Pair } from './rank.js';

const timesTag = 4;

/** Microseconds from posting the request to its completion. */
export function transfer({ world, peer }: Pair, data: Uint8Array, iterations: number): number {
  return timed(() => {
    const request = world.rank === 0 ? world.isend(data, { dest: peer }) : world.irecv(data, { source: peer, tag: 0 });
    if (iterations > 0) work(iterations);
    request.wait();
  });
}

/** On rank 0, what rank 1 gives; on rank 1, undefined. Both give as many. */
export function gatherTimes({ world, peer }: Pair, mine: Float64Array): Float64Array | undefined {
  if (world.rank === 1) {
    world.isend(mine, { dest: peer, tag: timesTag }).wait();
    return undefined;
  }
  const theirs = new Float64Array(mine.length);
  world.irecv(theirs, { source: peer, tag: timesTag }).wait();
  return theirs;
}
