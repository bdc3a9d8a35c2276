// Memory that collective operations work in, kept from one to the next. New memory is zeroed by the kernel, page by page as
// each is first touched, which takes several times as long as copying as much.

/** The longest that is kept, and how much a thread keeps at most, in bytes. */
const LONGEST_KEPT = 16 * 1024 * 1024;
const MOST_KEPT = LONGEST_KEPT + 1024 * 1024;

const LEAST = 1024;

// By the logarithm of their length.
const kept: Uint8Array[][] = [];
let keptBytes = 0;

/**
 * At least so many bytes, of any values.
 * @throws RangeError: there is no such memory
 */
export function takeScratch(bytes: number): Uint8Array {
  if (bytes > LONGEST_KEPT) return new Uint8Array(bytes);
  const length = lengthClass(Math.max(bytes, LEAST));
  const memory = kept[length]?.pop();
  if (memory === undefined) return new Uint8Array(2 ** length);
  keptBytes -= memory.length;
  return memory;
}

/** What takeScratch() gave, which nobody will touch any more. */
export function giveScratch(memory: Uint8Array): void {
  if (memory.length > LONGEST_KEPT) return;
  keptBytes += memory.length;
  const length = lengthClass(memory.length);
  kept[length] ??= [];
  kept[length].push(memory);
  // Long ones are those that are worth keeping.
  for (const alike of kept) {
    while (alike !== undefined && keptBytes > MOST_KEPT && alike.length > 0) keptBytes -= alike.pop()!.length;
  }
}

function lengthClass(bytes: number): number {
  return Math.ceil(Math.log2(bytes));
}
