// What Node's own channels look like to the benchmarks. Callbacks, not promises: that is the least a user of these
// channels can pay, so it is what ours is compared with.

export interface Port {
  send(data: Uint8Array): void;
  /** Calls back once `count` messages of `bytes` each are there; `into`, if given, gets the content of the last. */
  receive(bytes: number, count: number, done: () => void, into?: Uint8Array): void;
}

/** A port of a channel that delivers whole messages. */
export class MessagePort implements Port {
  readonly #early: Uint8Array[] = [];
  #missing = 0;
  #done: () => void = () => {};
  #into?: Uint8Array;

  constructor(readonly send: (data: Uint8Array) => void) {}

  /** To be called with each message that arrives. */
  readonly arrived = (data: Uint8Array): void => {
    if (this.#missing === 0) {
      this.#early.push(data);
      return;
    }
    this.#into?.set(data);
    if (--this.#missing === 0) this.#done();
  };

  receive(_bytes: number, count: number, done: () => void, into?: Uint8Array): void {
    const early = this.#early.splice(0, count);
    if (early.length > 0) into?.set(early[early.length - 1]);
    if (early.length === count) {
      done();
      return;
    }
    this.#missing = count - early.length;
    this.#done = done;
    this.#into = into;
  }
}

/** A port of a stream. Bytes are counted, not put together: a user who needs a message in one piece would pay more. */
export class StreamPort implements Port {
  readonly #early: Uint8Array[] = [];
  #total = 0;
  #missing = 0;
  #done: () => void = () => {};
  #into?: Uint8Array;

  constructor(readonly send: (data: Uint8Array) => void) {}

  /** To be called with each piece that arrives. */
  readonly arrived = (piece: Uint8Array): void => {
    if (this.#missing === 0) {
      this.#early.push(piece);
      return;
    }
    const wanted = Math.min(this.#missing, piece.length);
    this.#into?.set(piece.subarray(0, wanted), this.#total - this.#missing);
    this.#missing -= wanted;
    // What follows belongs to a receive that is not asked for yet, and comes before anything that arrives later.
    if (wanted < piece.length) this.#early.unshift(piece.subarray(wanted));
    if (this.#missing === 0) this.#done();
  };

  receive(bytes: number, count: number, done: () => void, into?: Uint8Array): void {
    this.#total = bytes * count;
    this.#missing = this.#total;
    this.#into = into;
    // Not yet to be called: a callback that asks for more must not run inside this loop.
    this.#done = () => {};
    while (this.#missing > 0) {
      const piece = this.#early.shift();
      if (piece === undefined) {
        this.#done = done;
        return;
      }
      this.arrived(piece);
    }
    done();
  }
}
