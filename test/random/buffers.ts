// Buffers for random programs: in every place a message may lie, with guards around to see a write beside it.
import type { World } from '../../lib/index.js';
import { assertAll } from '../helpers/pattern.js';
import type { Place } from './program.js';

const GUARD = 48;
const GUARD_BYTE = 0xa5;

export class Guarded {
  /** What is sent, or received into. */
  readonly bytes: Uint8Array;
  readonly #whole: Uint8Array;
  readonly #free: () => void;

  /** `unit`: bytes of an element, at a multiple of which it begins. */
  constructor(world: World, place: Place, size: number, unit = 1) {
    const total = size + 2 * GUARD;
    let start = GUARD;
    this.#free = () => {};
    if (place === 'heap') {
      const memory = world.alloc(total);
      this.#free = () => world.free(memory);
      this.#whole = memory;
    } else if (place === 'shared') {
      this.#whole = new Uint8Array(new SharedArrayBuffer(total));
    } else if (place === 'buffer') {
      this.#whole = Buffer.allocUnsafe(total);
    } else {
      this.#whole = new Uint8Array(total);
      // Odd, so that nothing is aligned that need not be.
      if (place === 'offset') start = GUARD - (unit === 1 ? 11 : unit);
    }
    this.#whole.fill(GUARD_BYTE);
    this.bytes = this.#whole.subarray(start, start + size);
  }

  /** Throws if a byte beside `bytes`, or beyond the first `used` of them, has changed. */
  check(used = this.bytes.length): void {
    const start = this.bytes.byteOffset - this.#whole.byteOffset;
    assertAll(this.#whole.subarray(0, start), GUARD_BYTE);
    assertAll(this.#whole.subarray(start + used), GUARD_BYTE);
  }

  free(): void {
    this.#free();
  }
}
