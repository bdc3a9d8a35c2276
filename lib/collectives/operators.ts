// Element types and operations of reductions, by the codes that schedules have.
import { isAnyArrayBuffer } from 'node:util/types';
import { invalidArgument } from '../errors.js';

/** An operation by name: MPI_SUM, MPI_PROD, … (MPI 4.1, 6.9.2). */
export type OpName = 'sum' | 'prod' | 'min' | 'max' | 'band' | 'bor' | 'bxor' | 'land' | 'lor';

/**
 * An operation of one's own on two elements, the first from a lower rank than the second. It has to be associative; it
 * need not commute.
 */
// biome-ignore lint/suspicious/noExplicitAny: numbers of either kind, as the array has them
export type OpFunction = (lower: any, upper: any) => any;

/** How elements are combined. A function is called from JavaScript only, so it makes progress only from there. */
export type Op = OpName | OpFunction;

/** An array that can be reduced. */
export type NumericArray =
  | Int8Array
  | Uint8Array
  | Uint8ClampedArray
  | Int16Array
  | Uint16Array
  | Int32Array
  | Uint32Array
  | BigInt64Array
  | BigUint64Array
  | Float32Array
  | Float64Array;

type ArrayClass = new (buffer: ArrayBufferLike, byteOffset?: number, length?: number) => NumericArray;

/** In the order of their codes. */
export const TYPES: readonly { name: string; array: ArrayClass; bytes: number; isFloat: boolean }[] = [
  { name: 'Int8', array: Int8Array, bytes: 1, isFloat: false },
  { name: 'Uint8', array: Uint8Array, bytes: 1, isFloat: false },
  { name: 'Uint8Clamped', array: Uint8ClampedArray, bytes: 1, isFloat: false },
  { name: 'Int16', array: Int16Array, bytes: 2, isFloat: false },
  { name: 'Uint16', array: Uint16Array, bytes: 2, isFloat: false },
  { name: 'Int32', array: Int32Array, bytes: 4, isFloat: false },
  { name: 'Uint32', array: Uint32Array, bytes: 4, isFloat: false },
  { name: 'BigInt64', array: BigInt64Array, bytes: 8, isFloat: false },
  { name: 'BigUint64', array: BigUint64Array, bytes: 8, isFloat: false },
  { name: 'Float32', array: Float32Array, bytes: 4, isFloat: true },
  { name: 'Float64', array: Float64Array, bytes: 8, isFloat: true },
];

/** In the order of their codes. */
export const OPS: readonly OpName[] = ['sum', 'prod', 'min', 'max', 'band', 'bor', 'bxor', 'land', 'lor'];
const BITWISE: readonly OpName[] = ['band', 'bor', 'bxor'];

/** Codes of a function, which only the executor in JavaScript knows: of (a, b), and with the operands changed. */
export const OP_FUNCTION = 15;
export const OP_FUNCTION_REVERSED = 14;

/** `extra` of a reduction. */
export function reductionKind(type: number, op: number): number {
  return type * 16 + op;
}

/** Works also for arrays of another realm, and for Buffers. */
const tagOf = Object.getOwnPropertyDescriptor(Object.getPrototypeOf(Uint8Array.prototype), Symbol.toStringTag)!.get!;

/** The code of a typed array's element type; undefined for anything else, and for types that are not known here. */
export function typeOf(value: unknown): number | undefined {
  const tag = tagOf.call(value) as string | undefined;
  if (tag === undefined) return undefined;
  const code = TYPES.findIndex(({ name }) => tag === `${name}Array`);
  return code < 0 ? undefined : code;
}

/** What counts are counts of: bytes of an element; 1 for what has none. */
export function elementBytes(value: ArrayBufferView | ArrayBufferLike): number {
  if (isAnyArrayBuffer(value)) return 1;
  return (value as { BYTES_PER_ELEMENT?: number }).BYTES_PER_ELEMENT ?? 1;
}

/** The code of an operation on this type. */
export function checkOp(op: unknown, type: number): number {
  if (typeof op === 'function') return OP_FUNCTION;
  const code = OPS.indexOf(op as OpName);
  if (code < 0) throw invalidArgument('op', `a function or one of ${OPS.map((one) => `'${one}'`).join(', ')}`, op);
  if (TYPES[type]!.isFloat && BITWISE.includes(op as OpName)) {
    throw invalidArgument('op', 'an operation on floating-point numbers, which have no bits to combine', op);
  }
  return code;
}
