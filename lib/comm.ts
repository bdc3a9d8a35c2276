// Communicators: groups of ranks, each with messages of its own (MPI 4.1, chapter 7).
import { checkRank } from './arguments.js';
import { Collective } from './collective.js';
import { derive, type Parent } from './derive.js';
import type { Wish } from './derive-wire.js';
import { freedError, invalidArgument, type UintrError } from './errors.js';
import { contextOf, coreOf, groupOf, scopeOf } from './point-to-point.js';
import { release } from './release.js';
import type { Scope } from './scope.js';

const MAX_INT = 2 ** 31 - 1;

/** A group of ranks that talk to each other, and to nobody else (MPI 4.1, 7.1). The world is one of all its ranks. */
export abstract class Comm extends Collective {
  // Of dup and split, in the order in which all ranks make them.
  #calls = 0;
  // Of the world, the context of those calls.
  #context: number | undefined;

  /** 'world'; of one that was made by dup or split, how. The same at all its ranks. */
  get name(): string {
    return scopeOf(this)?.name ?? 'world';
  }

  /**
   * That rank of this communicator as a rank of the world, which is what World.copy() and 'peer-exit' know
   * (MPI 4.1, 7.3.2, MPI_Group_translate_ranks).
   * @throws ERR_UINTR_INVALID_ARGUMENT
   */
  worldRank(rank: number): number {
    return groupOf(this).toWorld(checkRank(rank, this.size));
  }

  /**
   * A communicator of the same ranks, whose messages never meet those of this one (MPI 4.1, 7.4.2, MPI_Comm_dup).
   * Collective: all ranks call it, and make all their calls of dup and split on one communicator in the same order; one
   * need not wait for the call before. It keeps the process alive.
   *
   * Rejects, on every rank, with ERR_UINTR_PEER_EXITED if a rank is gone before it has called, and with
   * ERR_UINTR_INVALID_ARGUMENT if one calls split; ERR_UINTR_CLOSED; ERR_UINTR_NO_MEMORY.
   */
  async dup(): Promise<DerivedComm> {
    return (await this.#derive({ kind: 'dup', color: 0, key: 0 }))!;
  }

  /**
   * Communicators of those ranks that have the same `color` each, ordered by `key`, then by their rank here
   * (MPI 4.1, 7.4.2, MPI_Comm_split). Collective, as {@link dup} is, and rejects as it does; a bad argument of one rank
   * rejects the call on every rank.
   * @param color 0 to 2^31 - 1, or undefined (MPI_UNDEFINED), which gives null
   * @param key an integer of 32 bits
   */
  async split(color: number | undefined, key = 0): Promise<DerivedComm | null> {
    let bad: UintrError | undefined;
    if (color !== undefined && !(Number.isInteger(color) && color >= 0 && color <= MAX_INT)) {
      bad = invalidArgument('color', `an integer from 0 to ${MAX_INT}, or undefined`, color);
    } else if (!Number.isInteger(key) || key < -MAX_INT - 1 || key > MAX_INT) {
      bad = invalidArgument('key', `an integer from ${-MAX_INT - 1} to ${MAX_INT}`, key);
    }
    return this.#derive({ kind: 'split', color: color ?? null, key }, bad);
  }

  async #derive(wish: Omit<Wish, 'id' | 'life'>, bad?: UintrError): Promise<DerivedComm | null> {
    const core = coreOf(this);
    const scope = scopeOf(this);
    core.checkOpen();
    scope?.check();
    const context = scope === undefined ? core.worldContext : contextOf(this);
    if (context !== this.#context) this.#calls = 0;
    this.#context = context;
    const parent: Parent = { core, scope, group: groupOf(this), context, name: this.name };
    const made = derive(parent, this.#calls + 1, wish, bad);
    this.#calls += 1;
    if (bad !== undefined) {
      made.catch(() => {});
      throw bad;
    }
    const derived = await made;
    return derived === null ? null : createDerived(derived);
  }
}

let createDerived: (scope: Scope) => DerivedComm;

/** A communicator made by {@link Comm.dup} or {@link Comm.split}. Its ranks are its own, 0 to `size` - 1. */
export class DerivedComm extends Comm {
  private constructor(scope: Scope) {
    super(scope.core, scope.context, scope.group, scope);
  }

  /**
   * Ends it for this rank (MPI 4.1, 7.4.3, MPI_Comm_free): every later operation, and every receive that no message has
   * matched, or of an object that is not here whole, fails with ERR_UINTR_CLOSED; sends, collectives, dup and split that
   * are under way are finished. Blocks nowhere, and does nothing if called again.
   *
   * To be called by all its ranks some time. What others send to one that has called it already is taken and thrown away,
   * which ends their sends; when all have called, nothing is left of it.
   */
  free(): void {
    const scope = scopeOf(this)!;
    if (scope.ended || scope.core.closed) return;
    scope.end(() => freedError(this.rank, scope.name));
    void release(scope);
  }

  /** {@link free}, for `using`. */
  [Symbol.dispose](): void {
    this.free();
  }

  static {
    createDerived = (scope) => new DerivedComm(scope);
  }
}
