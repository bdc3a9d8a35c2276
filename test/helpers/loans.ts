// What tests of lent buffers look for.
import type { World } from '../../lib/index.js';
import type { RequestInspection } from '../../lib/reports.js';

/** Bytes of a message that is no short one. */
export const LENGTH = 200_000;

export function loansOf(world: World): RequestInspection[] {
  return world.inspect().requests.filter(({ state }) => state === 'lent');
}

/** Passes time until something is lent, or borrowed. */
export async function untilLent(world: World): Promise<void> {
  while (loansOf(world).length === 0) await new Promise((resolve) => setImmediate(resolve));
}
