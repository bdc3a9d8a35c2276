// Runs out of descriptors, in a process that was started with a low limit (`prlimit --nofile`).
import { strict as assert } from 'node:assert';
import { closeSync, openSync } from 'node:fs';

/** The limit that such tests use: enough for Node, and soon used up. */
export const FEW = ['prlimit', '--nofile=160'];

interface Coded extends Error {
  code?: string;
  cause?: { error?: unknown };
}

/** All the descriptors that this process can have. */
export class Hoard {
  readonly #held: number[] = [];

  /** Takes what is left; returns how many that were. */
  take(): number {
    const before = this.#held.length;
    try {
      for (;;) this.#held.push(openSync('/dev/null', 'r'));
    } catch (error) {
      assert.equal((error as Coded).code, 'EMFILE');
    }
    return this.#held.length - before;
  }

  give(count: number = this.#held.length): void {
    for (const fd of this.#held.splice(0, count)) closeSync(fd);
  }
}

/** The error, or the one behind it, says that descriptors have run out. */
export function assertNamesShortage(error: unknown): void {
  const { message, code, cause } = error as Coded;
  assert.match(`${message}; ${cause?.error}`, /too many open files|EMFILE/i);
  assert.match(`${code}`, /^ERR_UINTR_(JOIN|NO_MEMORY)$/);
}

/**
 * Tries with 0, 1, 2, … descriptors until it works; each failure has to say what has run out, and (`tidy`) to leave
 * nothing open. Returns with how many it worked.
 */
export async function untilEnough(tries: (left: number) => Promise<unknown>, tidy = true): Promise<number> {
  const hoard = new Hoard();
  hoard.take();
  for (let left = 0; ; left += 1) {
    hoard.give(left);
    try {
      await tries(left);
      hoard.give();
      return left;
    } catch (error) {
      assertNamesShortage(error);
    }
    let got = hoard.take();
    // A thread that ends, and a handle of the event loop's, close theirs a little later.
    while (tidy && got < left) {
      await new Promise((resolve) => setImmediate(resolve));
      got += hoard.take();
    }
  }
}
