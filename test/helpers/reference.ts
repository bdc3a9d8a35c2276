// What reductions have to give, in plain JavaScript: integers by unlimited arithmetic and then wrapped or clamped.
import { strict as assert } from 'node:assert';
import type { NumericArray, OpName } from '../../lib/index.js';

// Globals are slow in Jest's contexts.
const { imul } = Math;
const { is } = Object;

export const ARRAYS = [
  Int8Array,
  Uint8Array,
  Uint8ClampedArray,
  Int16Array,
  Uint16Array,
  Int32Array,
  Uint32Array,
  BigInt64Array,
  BigUint64Array,
  Float32Array,
  Float64Array,
] as const;
export type ArrayClass = (typeof ARRAYS)[number];

export const OPS: readonly OpName[] = ['sum', 'prod', 'min', 'max', 'band', 'bor', 'bxor', 'land', 'lor'];

export function isFloat(type: ArrayClass): boolean {
  return type === Float32Array || type === Float64Array;
}

/** The operations that there are on this type. */
export function opsOf(type: ArrayClass): readonly OpName[] {
  return isFloat(type) ? OPS.filter((op) => !['band', 'bor', 'bxor'].includes(op)) : OPS;
}

/** An array of any of the types, as one whose elements can be set whatever they are. */
type Cells = { [index: number]: unknown; readonly length: number };

export function make(type: ArrayClass, length: number): NumericArray {
  return new type(length);
}

/** A number of 32 bits that looks random and depends on all three. */
function mixed(key: number, rank: number, i: number): number {
  let x = imul(key + 1, 0x9e3779b1) ^ imul(rank + 1, 0x85ebca6b) ^ imul(i + 1, 0xc2b2ae35);
  x = imul(x ^ (x >>> 15), 0x2c1b3c6d);
  return (x ^ (x >>> 12)) >>> 0;
}

const ODD_FLOATS = [Number.NaN, -0, 0, Infinity, -Infinity, 1, -1, 2.5];
const FACTORS = [1, -1, 2, 0.5, -2];

/**
 * What `rank` contributes. Integers of all bits; floating-point numbers whose sums and products are exact in any order, and
 * odd ones for the operations that are exact anyway.
 */
export function contribution(type: ArrayClass, op: OpName, rank: number, length: number): NumericArray {
  const array = make(type, length);
  const cells = array as Cells;
  const floats = isFloat(type);
  const big = type === BigInt64Array || type === BigUint64Array;
  const clamped = type === Uint8ClampedArray;
  const integer = BigInt;
  for (let i = 0; i < length; i += 1) {
    const bits = mixed(OPS.indexOf(op), rank, i);
    if (floats) {
      const value =
        op === 'sum'
          ? (bits % 64) - 32.5
          : op === 'prod'
            ? FACTORS[bits % FACTORS.length]
            : ODD_FLOATS[bits % ODD_FLOATS.length];
      cells[i] = value;
    } else if (big) {
      cells[i] = (integer(bits) << 32n) | integer(mixed(100, rank, i));
    } else {
      // Zeros now and then, which are of interest to prod and land, and few where few bits are set.
      cells[i] = bits % 7 === 0 ? 0 : op === 'prod' && clamped ? bits % 4 : bits;
    }
  }
  return array;
}

function combineFloats(op: OpName, a: number, b: number): number {
  switch (op) {
    case 'sum':
      return a + b;
    case 'prod':
      return a * b;
    case 'min':
      return Math.min(a, b);
    case 'max':
      return Math.max(a, b);
    case 'land':
      return a && b ? 1 : 0;
    case 'lor':
      return a || b ? 1 : 0;
    default:
      throw new Error(`no ${op} on floating-point numbers`);
  }
}

function combineIntegers(op: OpName, a: bigint, b: bigint): bigint {
  switch (op) {
    case 'sum':
      return a + b;
    case 'prod':
      return a * b;
    case 'min':
      return a < b ? a : b;
    case 'max':
      return a > b ? a : b;
    case 'band':
      return a & b;
    case 'bor':
      return a | b;
    case 'bxor':
      return a ^ b;
    case 'land':
      return a !== 0n && b !== 0n ? 1n : 0n;
    case 'lor':
      return a !== 0n || b !== 0n ? 1n : 0n;
  }
}

/** What becomes of an integer that is stored in such an array. */
function storing(type: ArrayClass): (value: bigint) => bigint {
  if (type === Uint8ClampedArray) return (value) => (value < 0n ? 0n : value > 255n ? 255n : value);
  const bits = type.BYTES_PER_ELEMENT * 8;
  const signed = type === Int8Array || type === Int16Array || type === Int32Array || type === BigInt64Array;
  const wrap = signed ? BigInt.asIntN : BigInt.asUintN;
  return (value) => wrap(bits, value);
}

/** The arrays combined from the first to the last. */
export function reduced(type: ArrayClass, op: OpName, arrays: readonly NumericArray[]): NumericArray {
  const result = arrays[0]!.slice();
  const cells = result as Cells;
  const floats = isFloat(type);
  const stored = storing(type);
  const big = type === BigInt64Array || type === BigUint64Array;
  const integer = BigInt;
  const number = Number;
  for (const array of arrays.slice(1)) {
    for (let i = 0; i < result.length; i += 1) {
      if (floats) {
        cells[i] = combineFloats(op, result[i] as number, array[i] as number);
        continue;
      }
      const value = stored(combineIntegers(op, integer(result[i]!), integer(array[i]!)));
      cells[i] = big ? value : number(value);
    }
  }
  return result;
}

/**
 * An operation that does not commute: x → p x + q mod 251 and then another such, both as p * 256 + q. Elements for it are
 * made by `maps`.
 */
export function afterwards(lower: number, upper: number): number {
  const [p1, q1] = [lower >> 8, lower & 255];
  const [p2, q2] = [upper >> 8, upper & 255];
  return ((p1 * p2) % 251) * 256 + ((p2 * q1 + q2) % 251);
}

export function maps(rank: number, length: number): Int32Array {
  const array = new Int32Array(length);
  for (let i = 0; i < length; i += 1) {
    const bits = mixed(77, rank, i);
    array[i] = ((bits % 250) + 1) * 256 + ((bits >>> 16) % 251);
  }
  return array;
}

export function mapsInOrder(arrays: readonly Int32Array[]): Int32Array {
  const result = arrays[0]!.slice();
  for (const array of arrays.slice(1)) {
    for (let i = 0; i < result.length; i += 1) result[i] = afterwards(result[i]!, array[i]!);
  }
  return result;
}

/** Throws unless both have the same elements; NaN is the same as NaN, and -0 is not 0. */
export function assertSame(found: NumericArray, wanted: NumericArray): void {
  assert.equal(found.length, wanted.length);
  for (let i = 0; i < found.length; i += 1) {
    if (!is(found[i], wanted[i])) {
      throw new Error(`element ${i} of ${found.length} is ${String(found[i])}, not ${String(wanted[i])}`);
    }
  }
}
