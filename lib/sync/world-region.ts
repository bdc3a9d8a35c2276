// The region of a world, in which primitives are shared by all its ranks.
import type { NativeWorld } from '../binding.js';
import { opened, type SharedRegion } from './region.js';

const natives = new WeakMap<object, NativeWorld>();
const regions = new WeakMap<object, SharedRegion>();

/** Every world says so once; nothing is done before one is used. */
export function hasRegion(world: object, native: NativeWorld): void {
  natives.set(world, native);
}

/** Undefined: this is no world. */
export function regionOf(world: unknown): SharedRegion | undefined {
  if (typeof world !== 'object' || world === null) return undefined;
  const known = regions.get(world);
  if (known !== undefined) return known;
  const native = natives.get(world);
  if (native === undefined) return undefined;
  const region = opened(native.region());
  regions.set(world, region);
  return region;
}
