// Worlds of more than two ranks.
import { World } from '../../lib/index.js';
import { pinSelf } from '../lib/pin.js';

/** Joins; ranks take the processors in turn. */
export async function joinMany(cpus: number[] | undefined): Promise<World> {
  const world = await World.join();
  if (cpus) pinSelf(cpus[world.rank % cpus.length]);
  return world;
}

/** Rank 0's number, on all. */
export function agree(world: World, value: number): number {
  const shared = Float64Array.of(value);
  world.ibcast(shared, 0).wait();
  return shared[0];
}

/** Of each element, the greatest of all ranks', on rank 0. */
export function slowestOf(world: World, mine: Float64Array): number[] {
  const into = new Float64Array(world.rank === 0 ? mine.length : 0);
  world.ireduce(mine, into, 'max', 0).wait();
  return Array.from(into);
}
