// Messages that are lent instead of copied: which of the own memory others may be reading, and which of others' memory is
// read here (docs/protocol.md, "Lent buffers").
import type { Core } from './core.js';
import { invalidArgument } from './errors.js';
import { dataOf, isActive, type Request, whenOver } from './request.js';

type Passed = NodeJS.ArrayBufferView | ArrayBuffer;

export class Loans {
  readonly #core: Core;
  // Own sends that may be lent, until their receivers have let go.
  readonly #lent = new Set<Request<unknown>>();
  // The engine's names for what is lent to this rank. No WeakRefs: a program that never comes to the event loop would
  // keep what they refer to.
  readonly #borrowed = new WeakMap<ArrayBufferLike, number>();
  #borrows = false;

  constructor(core: Core) {
    this.#core = core;
  }

  /** Whether there can be anything for checkWritable() to find. */
  get some(): boolean {
    return this.#lent.size !== 0 || this.#borrows;
  }

  lend(send: Request<unknown>): void {
    if (!isActive(send)) return;
    this.#lent.add(send);
    whenOver(send, () => this.#lent.delete(send));
  }

  borrow(buffer: ArrayBuffer, handle: number): void {
    this.#borrowed.set(buffer, handle);
    this.#borrows = true;
  }

  /** Lets go of memory, be it lent to this rank or its own, and detaches it. False: it is no such memory, or gone. */
  letGo(buffer: ArrayBuffer): boolean {
    const detached = this.#core.native.detach(buffer, this.#borrowed.get(buffer));
    if (detached && this.#borrows) this.#borrowed.delete(buffer);
    return detached;
  }

  /** Whether a send that may be lent uses some of this memory. */
  isLent(buffer: ArrayBufferLike): boolean {
    return [...this.#lent].some((send) => lentBy(send)?.buffer === buffer);
  }

  /** Nothing may be received into what somebody reads. */
  checkWritable(into: Passed, name: string): void {
    if (!this.some) return;
    const { buffer, from, to } = rangeOf(into);
    for (const send of this.#lent) {
      const lent = lentBy(send);
      if (lent?.buffer === buffer && lent.from < to && from < lent.to) {
        throw invalidArgument(name, 'memory that is not lent to another rank', into);
      }
    }
    if (this.#borrowed.has(buffer)) throw invalidArgument(name, 'memory that is not lent to this rank', into);
  }

  /** This rank closes: what it has borrowed goes back, but for memory in `use` by its own sends. */
  giveBack(use: (buffer: ArrayBuffer) => boolean): void {
    for (const buffer of this.#core.native.loans()) if (!use(buffer)) this.letGo(buffer);
  }
}

interface Range {
  buffer: ArrayBufferLike;
  from: number;
  to: number;
}

/** Undefined: it is just over. */
function lentBy(send: Request<unknown>): Range | undefined {
  const data = dataOf(send);
  return data === undefined ? undefined : rangeOf(data);
}

function rangeOf(data: ArrayBufferView | ArrayBufferLike): Range {
  if (!ArrayBuffer.isView(data)) return { buffer: data, from: 0, to: data.byteLength };
  return { buffer: data.buffer, from: data.byteOffset, to: data.byteOffset + data.byteLength };
}
