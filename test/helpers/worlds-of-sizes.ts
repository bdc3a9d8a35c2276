// The same body in worlds of several sizes, one after another, by one set of processes.
import type { World } from '../../lib/index.js';
import type { Tools } from './registry.js';

/** Each process joins the worlds that are large enough to have its rank. */
export async function inWorldsOf(sizes: readonly number[], t: Tools, body: (world: World) => unknown): Promise<void> {
  for (const size of sizes) {
    if (t.rank >= size) continue;
    t.note(`in the world of ${size}`);
    const world = await t.join({ name: `${t.joinOptions.name}-${size}`, size, rank: t.rank });
    await body(world);
    await world.close();
  }
}
