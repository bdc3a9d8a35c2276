// The contexts of a communicator: messages of different contexts never meet (MPI 4.1, 7.1). Each communicator has an id,
// unique in its world, and with it four contexts of 32 bits.

/** What a context is for, besides point-to-point messages. */
export enum Purpose {
  PointToPoint = 0,
  /** Messages of collective operations. */
  Collective = 1,
  /** Tells that a collective operation has failed somewhere. */
  Revoke = 2,
  /** Making and freeing communicators. */
  Management = 3,
}

/** The context of communicator `id`, below 2^30, for point-to-point messages. */
export function contextFor(id: number): number {
  return id * 4;
}

/** Another context of the communicator whose messages have `context`. */
export function contextOfPurpose(context: number, purpose: Purpose): number {
  return context + purpose;
}
