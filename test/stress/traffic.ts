// All ranks of a world exchange messages of all sizes, and compute meanwhile.
import { type Request, type Status, type World, waitAll } from '../../lib/index.js';
import { assertPattern, fill } from '../helpers/pattern.js';
import type { Tools } from '../helpers/rank-test.js';
import { compute } from '../helpers/work.js';

export interface Load {
  rounds: number;
  sizes: readonly number[];
  /** Units of work in each round. */
  work: number;
  /** Runs in each round while messages are under way. */
  meanwhile?: (round: number) => void;
}

export const SIZES = [0, 100, 4_000, 9_000, 70_000, 300_000, 1_200_000] as const;

/** Rounds are waited for in turns by await, by wait(), and by computing until done. */
export async function traffic(world: World, t: Tools, load: Load): Promise<void> {
  const peers = Array.from({ length: world.size }, (_, rank) => rank).filter((rank) => rank !== world.rank);
  const largest = Math.max(...load.sizes);
  const incoming = peers.map(() => new Uint8Array(largest));
  const outgoing = peers.map(() => new Uint8Array(largest));
  for (let round = 0; round < load.rounds; round += 1) {
    if (round % 16 === 0) t.note(`round ${round} of ${load.rounds}`);
    const size = load.sizes[round % load.sizes.length]!;
    const key = (from: number, to: number): number => (round * world.size + from) * world.size + to;
    const requests: Request<Status>[] = peers.map((source, i) =>
      world.irecv(incoming[i]!.subarray(0, size), { source, tag: 0 }),
    );
    for (const [i, dest] of peers.entries()) {
      requests.push(world.isend(fill(outgoing[i]!.subarray(0, size), key(world.rank, dest)), { dest }));
    }
    load.meanwhile?.(round);
    compute(load.work);
    if (round % 3 === 0) await Promise.all(requests);
    else if (round % 3 === 1) waitAll(requests);
    else for (const request of requests) while (!request.done) compute(5);
    for (const [i, source] of peers.entries()) assertPattern(incoming[i]!.subarray(0, size), key(source, world.rank));
  }
}
