// Computation that is counted and not clocked.
import type { Bytes } from '../../lib/index.js';
import { bytesOf } from './pattern.js';

/** Fixed work, about a microsecond per unit; returns something so that none of it can be left out. */
export function compute(units: number): number {
  let x = units | 1;
  for (let i = units * 500; i > 0; i -= 1) x = (Math.imul(x, 1664525) + 1013904223) | 0;
  return x;
}

/** A day of computing: reached only if what was waited for never comes, and the test's own bound ends it before. */
const CAP = 2 ** 40;

/**
 * Computes, without a call into the package and without the event loop, until every page of `data` has been written,
 * which has to be zero before and to end in other bytes; returns how often it looked.
 */
export function computeUntilWritten(data: Bytes): number {
  const bytes = bytesOf(data);
  const step = 4096;
  let looked = 0;
  for (let at = 0; at < bytes.length; at += step) {
    const end = Math.min(at + step, bytes.length);
    // Atomics, or the compiler might read once and loop for ever.
    while (!anyNonZero(bytes, at, end)) {
      looked += 1;
      if (looked > CAP) throw new Error('never written');
    }
  }
  return looked;
}

/** As computeUntilWritten, until `data` has the bytes of `expected`. */
export function computeUntilEqual(data: Bytes, expected: Bytes): void {
  const bytes = bytesOf(data);
  for (const [at, byte] of bytesOf(expected).entries()) {
    for (let looked = 0; Atomics.load(bytes, at) !== byte; looked += 1) {
      if (looked > CAP) throw new Error('never written');
    }
  }
}

function anyNonZero(bytes: Uint8Array, from: number, to: number): boolean {
  for (let i = to - 1; i >= from; i -= 509) if (Atomics.load(bytes, i) !== 0) return true;
  return false;
}
