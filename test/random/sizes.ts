// Sizes of messages: small ones mostly, and those around each threshold.
import type { Limits } from './generate.js';
import type { Random } from './prng.js';

const KiB = 1024;
const MiB = 1024 * KiB;
/** Chunks and slices of a transfer, credit blocks, and lines of the cache. */
const FIXED = [64, 512, 4 * KiB, 32 * KiB, 64 * KiB, 256 * KiB, MiB, 2 * MiB];
const LARGEST = 32 * MiB;

export function randomSize(random: Random, { eagerLimit, ringBytes }: Limits): number {
  const kind = random.next();
  if (kind < 0.55) return random.below(200);
  if (kind < 0.8) return random.below(2 * eagerLimit);
  if (kind < 0.92) {
    const around = random.pick([eagerLimit, ringBytes, ringBytes / 2, ringBytes / 4, ...FIXED]);
    return Math.max(0, around + random.between(-1, 1));
  }
  if (kind < 0.999) return Math.floor(2 ** (random.next() * 21));
  return random.below(LARGEST + 1);
}
