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
/** The same where nobody joins any more, and yet not all may have noticed: one that died while it came back. */
const LOOK_RARELY_MS = 1000;
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
  // Who has come back, in this order, and has not been seen to be let in by all.
  readonly #unsure = new Set<number>();
  #looksSoon = false;
  #timer: NodeJS.Timeout | undefined;

  constructor(core: Core) {
    this.#core = core;
    this.#clean = core.returns;
  }

  /** `rank` has come back, or a return has ended something. */
  lookSoon(rank?: number): void {
    if (rank !== undefined) {
      this.#unsure.delete(rank);
      this.#unsure.add(rank);
    }
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
    this.#forgetWhoIsIn();
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
    if (this.#unsure.size > 0 || !all) {
      const isSoon = !all || this.#isSomebodyJoining();
      this.#timer ??= setTimeout(
        () => {
          this.#timer = undefined;
          this.#look();
        },
        isSoon ? LOOK_AGAIN_MS : LOOK_RARELY_MS,
      ).unref();
      return;
    }
    this.#clean = returns;
    for (const { id } of over) core.scopes.delete(id);
  }

  #isSomebodyJoining(): boolean {
    return [...this.#unsure].some((rank) => this.#core.native.life(rank) === JOINING);
  }

  /** One at a time comes back: where all have let one in, they have let in whoever was before it. */
  #forgetWhoIsIn(): void {
    const ranks = [...this.#unsure];
    const { gone, native } = this.#core;
    const isIn = ranks.map((rank) => !gone.has(rank) && native.life(rank) > JOINING);
    for (const rank of ranks.slice(0, isIn.lastIndexOf(true) + 1)) this.#unsure.delete(rank);
  }
}
