// What is left where a rank that came back has ended something: messages of communicators that had it, and of what all
// ranks of the world had begun together. Nobody can receive them, and they use up the room for messages.
//
// Each rank ends these by itself when it lets the other in, and sends in them until then. The join of who comes back is
// done when all have let it in: what is there after that is all.
import { contextFor, contextOfPurpose, PURPOSES, Purpose, worldId } from './context.js';
import type { Core } from './core.js';
import { drain } from './sink.js';

/** Between two looks, in milliseconds, as long as more can come. */
const LOOK_AGAIN_MS = 20;
/** Of one context at a look: a rank that has not noticed may send as fast as this takes. */
const AT_A_LOOK = 1000;

// src-native/engine/types.h, enum Life
const JOINING = 0;

/** Returns at a time; how often a rank has come back is its own word. */
const MOST_WORLDS = 16;
/** Those of the world; the others go on. */
const WORLDS = [Purpose.Collective, Purpose.Revoke, Purpose.Management];

export class Leftovers {
  readonly #core: Core;
  // Nothing is left of what the world had begun before it had this many returns.
  #clean: number;
  #looksSoon = false;
  #timer: NodeJS.Timeout | undefined;

  constructor(core: Core) {
    this.#core = core;
    this.#clean = core.returns;
  }

  /** A rank has come back, and something has ended. */
  lookSoon(): void {
    if (this.#looksSoon) return;
    this.#looksSoon = true;
    setImmediate(() => {
      this.#looksSoon = false;
      this.#look();
    });
  }

  #look(): void {
    const core = this.#core;
    if (core.closed) return;
    // Before what is there is looked at.
    const more = this.#isSomebodyJoining();
    const { returns } = core;
    const over = [...core.scopes.values()].filter(({ isOutdated }) => isOutdated);
    let all = true;
    const take = (context: number, purposes: readonly Purpose[]): void => {
      for (const purpose of purposes) all = drain(core, contextOfPurpose(context, purpose), AT_A_LOOK) && all;
    };
    for (let times = Math.max(this.#clean, returns - MOST_WORLDS); times < returns; times += 1) {
      take(contextFor(worldId(times)), WORLDS);
    }
    for (const { context } of over) take(context, PURPOSES);
    if (more || !all) {
      this.#timer ??= setTimeout(() => {
        this.#timer = undefined;
        this.#look();
      }, LOOK_AGAIN_MS).unref();
      return;
    }
    this.#clean = returns;
    for (const { id } of over) core.scopes.delete(id);
  }

  #isSomebodyJoining(): boolean {
    const { native, rank, size } = this.#core;
    for (let other = 0; other < size; other += 1) if (other !== rank && native.life(other) === JOINING) return true;
    return false;
  }
}
