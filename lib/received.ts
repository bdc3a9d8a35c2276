// A message that was received without a buffer, and how its memory goes back.
import type { Core } from './core.js';
import { invalidArgument } from './errors.js';
import type { Message, Status } from './message.js';

export class Received implements Message {
  source: number;
  tag: number;
  byteLength: number;
  data: Uint8Array<ArrayBuffer>;
  readonly #core: Core;
  readonly #lent: boolean;

  constructor(core: Core, { source, tag, byteLength }: Status, data: Uint8Array<ArrayBuffer>, lent: boolean = false) {
    this.source = source;
    this.tag = tag;
    this.byteLength = byteLength;
    this.data = data;
    this.#core = core;
    this.#lent = lent;
  }

  get lent(): boolean {
    return this.#lent;
  }

  release(): void {
    // Without bytes it is empty, or has gone back already.
    if (this.data.buffer.byteLength !== 0) free(this.#core, this.data, 'message');
  }

  [Symbol.dispose](): void {
    this.release();
  }
}

/** Gives memory of the shared heap back, and detaches it; `name`: what the caller knows it as. */
export function free(core: Core, view: unknown, name: string): void {
  const buffer: unknown = ArrayBuffer.isView(view) ? view.buffer : undefined;
  if (buffer instanceof ArrayBuffer) {
    if (core.freeEmpty(buffer)) return;
    if (core.loans.isLent(buffer)) throw invalidArgument(name, 'memory that is not lent to another rank', view);
    if (core.uses(buffer)) throw invalidArgument(name, 'memory that no request uses', view);
    if (buffer.byteLength > 0 && core.loans.letGo(buffer)) return;
  }
  throw invalidArgument(name, 'memory of this world that is not free', view);
}
