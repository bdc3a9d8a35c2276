// Which ranks of the world a communicator has, and in which order (MPI 4.1, 7.2.1).

/** An ordered set of world ranks; a rank of the group is its place in it. */
export class Group {
  /** The own rank in it. */
  readonly rank: number;
  readonly size: number;
  // Undefined: all ranks of the world, in order.
  readonly #members: readonly number[] | undefined;
  readonly #places: ReadonlyMap<number, number> | undefined;

  private constructor(rank: number, size: number, members: readonly number[] | undefined) {
    this.rank = rank;
    this.size = size;
    this.#members = members;
    this.#places = members === undefined ? undefined : new Map(members.map((world, place) => [world, place]));
  }

  /** Everybody. */
  static ofWorld(rank: number, size: number): Group {
    return new Group(rank, size, undefined);
  }

  /** These world ranks, in this order; `self` is among them. */
  static of(members: readonly number[], self: number): Group {
    return new Group(members.indexOf(self), members.length, members);
  }

  /** A rank of the group as one of the world. What is no rank (PROC_NULL, ANY_SOURCE) stays what it is. */
  toWorld(rank: number): number {
    return rank < 0 || this.#members === undefined ? rank : this.#members[rank]!;
  }

  /** A rank of the world as one of the group; undefined if it is not in it. What is no rank stays what it is. */
  toGroup(world: number): number | undefined {
    return world < 0 || this.#places === undefined ? world : this.#places.get(world);
  }
}
