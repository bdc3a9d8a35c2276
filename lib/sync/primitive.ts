// What all primitives have in common: where they lie, and how they are named and passed on.
import { checkOptions, type KeySet, keySet } from '../arguments.js';
import { invalidArgument } from '../errors.js';
import type { World } from '../world.js';
import { type Closable, checkName, type Make, openHere, SharedRegion } from './region.js';
import { regionOf } from './world-region.js';

/** Where a primitive lies: in memory of its own, or in a world's, for all its ranks, in whichever life. */
export type Place = SharedRegion | World;

/** Options of every primitive. */
export interface PrimitiveOptions {
  /**
   * The one of this name in the region or world, made where there is none: 1 to 64 of A-Z a-z 0-9 . _ -, not beginning with
   * a dot. Without a name
   * always a new one, which others get by its `handle`.
   */
  name?: string;
}

/** src-native/sync/layout.h, enum Kind */
export const Kind = {
  Mutex: 1,
  AdaptiveMutex: 2,
  SpinLock: 3,
  TicketLock: 4,
  AtomicCounter: 5,
  PerCpuCounter: 6,
  Completion: 7,
} as const;

/** A place in a region. */
export interface Found<T> {
  region: SharedRegion;
  kind: number;
  line: number;
  object: T;
}

/** A handle that a constructor gets instead of a place, from `open`. */
export class Passed {
  readonly handle: string;
  constructor(handle: string) {
    this.handle = handle;
  }
}

export const PLAIN_KEYS: KeySet = keySet('name');

/** `kind` is the one to make; `kinds` all that will do for a handle. `what` is the class. */
export function locate<T extends Closable>(
  what: string,
  place: Place | Passed,
  name: string | undefined,
  kind: number,
  kinds: readonly number[],
  make: Make<T>,
): Found<T> {
  if (place instanceof Passed) return locateByHandle(what, place.handle, kinds, make);
  const region = place instanceof SharedRegion ? place : regionOf(place);
  if (region === undefined) throw invalidArgument('where', 'a SharedRegion or a World', place);
  const line = region.find(kind, name === undefined ? '' : checkName(name));
  return { region, kind, line, object: region.object(kind, line, make)! };
}

function locateByHandle<T extends Closable>(
  what: string,
  handle: string,
  kinds: readonly number[],
  make: Make<T>,
): Found<T> {
  const refuse = (): Error => invalidArgument('handle', `the handle of a ${what}`, handle);
  const parts = typeof handle === 'string' ? /^(uintr:.*:([0-9a-f]{16}))#(\d{1,2})@(\d{1,9})$/.exec(handle) : null;
  if (parts === null || !kinds.includes(Number(parts[3]))) throw refuse();
  const region = openHere(parts[2]!).find((one) => one.implicit) ?? SharedRegion.open(parts[1]!);
  region.implicit = true;
  const [kind, line] = [Number(parts[3]), Number(parts[4])];
  const object = region.object(kind, line, make);
  if (object === undefined) throw refuse();
  return { region, kind, line, object };
}

export function handleOf({ region, kind, line }: Found<unknown>): string {
  return `${region.handle}#${kind}@${line}`;
}

export function plainOptions(options: PrimitiveOptions | undefined): PrimitiveOptions {
  return checkOptions(options, PLAIN_KEYS);
}
