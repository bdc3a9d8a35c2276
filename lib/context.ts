// The contexts of a communicator: messages of different contexts never meet (MPI 4.1, 7.1). Each communicator has an id,
// unique in its world, and with it eight contexts of 32 bits.

/** What a context is for, besides point-to-point messages. */
export enum Purpose {
  PointToPoint = 0,
  /** Messages of collective operations. */
  Collective = 1,
  /** Tells that a collective operation has failed somewhere. */
  Revoke = 2,
  /** Making and freeing communicators. */
  Management = 3,
  /** Objects: the message that says what follows. */
  Object = 4,
  /** The large buffers of objects, requests and replies. */
  ObjectParts = 5,
  /** Requests to services. */
  Service = 6,
  /** What services answer; with tag 0, that a request was given up. */
  Reply = 7,
}

const CONTEXTS_PER_ID = 8;
// An id is the rank of the world that gives it, and a number of its own: so nobody has to be asked for one.
const NUMBERS = 2 ** 19;
// Of those of rank 0 the last are the world's own: when a rank has come back, what all ranks do together begins anew,
// and must not meet what was left of it.
const WORLDS = 2 ** 16;
// Likewise a rank that has come back gives other ids than it did in its life before.
const PER_LIFE = 2 ** 12;

/** The context of communicator `id`, below 2^29, for point-to-point messages. */
export function contextFor(id: number): number {
  return id * CONTEXTS_PER_ID;
}

/** Another context of the communicator whose messages have `context`. */
export function contextOfPurpose(context: number, purpose: Purpose): number {
  return context + purpose;
}

/** Which communicator a context belongs to, and what it is for. */
export function identify(context: number): { id: number; purpose: Purpose } {
  return { id: Math.floor(context / CONTEXTS_PER_ID), purpose: context % CONTEXTS_PER_ID };
}

export const PURPOSES: readonly Purpose[] = [
  Purpose.PointToPoint,
  Purpose.Collective,
  Purpose.Revoke,
  Purpose.Management,
  Purpose.Object,
  Purpose.ObjectParts,
  Purpose.Service,
  Purpose.Reply,
];

/** The world's id for what all its ranks do together, when ranks have come back `returns` times in all. */
export function worldId(returns: number): number {
  return returns === 0 ? 0 : NUMBERS - 1 - ((returns - 1) % WORLDS);
}

export function isWorldId(id: number): boolean {
  return id === 0 || (id >= NUMBERS - WORLDS && id < NUMBERS);
}

/** The ids that one rank of the world has to give. */
export class Ids {
  readonly #rank: number;
  // 0 of rank 0 is the world's.
  readonly #count: number;
  readonly #first: number;
  #given = 0;
  readonly #free: number[] = [];

  /** `incarnation`: how often the rank has come back. */
  constructor(rank: number, incarnation = 0) {
    this.#rank = rank;
    this.#count = (rank === 0 ? NUMBERS - WORLDS : NUMBERS) - 1;
    this.#first = (incarnation * PER_LIFE) % this.#count;
  }

  /** Undefined when all are taken. */
  take(): number | undefined {
    const id = this.#free.pop();
    if (id !== undefined || this.#given === this.#count) return id;
    const number = 1 + ((this.#first + this.#given) % this.#count);
    this.#given += 1;
    return this.#rank * NUMBERS + number;
  }

  /** Nobody uses it, or will. */
  give(id: number): void {
    this.#free.push(id);
  }
}

/** Whether that rank of the world can have given it. */
export function isId(id: unknown, rank: number): id is number {
  return typeof id === 'number' && Number.isInteger(id) && id > 0 && Math.floor(id / NUMBERS) === rank;
}
