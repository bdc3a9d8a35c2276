// The communicators that random programs run in: the world, and others that are made and freed between programs.
import type { Comm, DerivedComm, World } from '../../lib/index.js';
import { Random } from './prng.js';

// All three are made anew after so many programs.
const PROGRAMS_OF_ONE = 5;

export class Comms {
  readonly #world: World;
  #made: (DerivedComm | null)[] = [];

  constructor(world: World) {
    this.#world = world;
  }

  /** Where program `index` runs: first the world, in which the barrier is. Null: this rank is not in it. */
  async forProgram(seed: number, index: number): Promise<(Comm | null)[]> {
    const world = this.#world;
    if (this.#made.length === 0 || index % PROGRAMS_OF_ONE === 0) {
      // Some after the new ones are made, which then cannot have their ids.
      const old = this.#made;
      if (index % 2 === 0) for (const comm of old) comm?.free();
      this.#made = await Promise.all([
        world.dup(),
        world.split(0, -world.rank),
        world.split(world.rank === 0 ? undefined : 0, -world.rank),
      ]);
      if (index % 2 !== 0) for (const comm of old) comm?.free();
    }
    const random = new Random(seed, index);
    return [world, ...this.#made.filter(() => random.chance(0.3))];
  }
}
