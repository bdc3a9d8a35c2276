// Checks of what collective operations are given.
import { type Bytes, checkBytes, type Passed } from '../bytes.js';
import { IN_PLACE } from '../constants.js';
import { invalidArgument } from '../errors.js';
import { elementBytes, type NumericArray, TYPES, typeOf } from './operators.js';

export type InPlace = typeof IN_PLACE;

/** A rank of the communicator. */
export function checkRoot(value: unknown, size: number): number {
  if (typeof value === 'number' && Number.isInteger(value) && value >= 0 && value < size) return value;
  throw invalidArgument('root', `a rank (0 to ${size - 1})`, value);
}

/** A buffer, or undefined for IN_PLACE, where that is allowed. */
export function checkUnlessInPlace(value: unknown, name: string, inPlaceAllowed: boolean): Passed | undefined {
  if (value !== IN_PLACE) return checkBytes(value, name);
  if (inPlaceAllowed) return undefined;
  throw invalidArgument(name, 'a buffer: IN_PLACE is not for this rank, or not for this operation', value);
}

/** A rank sends and receives the same kind of elements. Bytes go with everything. */
export function checkSameElements(from: Passed | undefined, into: Passed): void {
  if (from === undefined) return;
  const [a, b] = [typeOf(from), typeOf(into)];
  if (a === undefined || b === undefined || a === b || TYPES[a]!.bytes === 1 || TYPES[b]!.bytes === 1) return;
  throw invalidArgument('into', `an array like 'from' (${TYPES[a]!.name}Array)`, into);
}

/** What is sent is not overwritten by what is received. */
export function checkApart(from: Passed | undefined, into: Passed | undefined): void {
  if (from === undefined || into === undefined) return;
  const [a, b] = [extent(from), extent(into)];
  if (a.buffer !== b.buffer || a.end <= b.start || b.end <= a.start) return;
  throw invalidArgument(
    'into',
    "a buffer that does not overlap 'from' (IN_PLACE is for results in the same buffer)",
    into,
  );
}

function extent(data: Passed): { buffer: ArrayBufferLike; start: number; end: number } {
  if (!ArrayBuffer.isView(data)) return { buffer: data, start: 0, end: data.byteLength };
  // What has no bytes is nowhere.
  return { buffer: data.buffer, start: data.byteOffset, end: data.byteOffset + data.byteLength };
}

/** Throws unless `data` has this many bytes. */
export function checkLength(data: Passed, name: string, bytes: number, why: string): void {
  if (data.byteLength === bytes) return;
  throw invalidArgument(name, `${why} (${bytes} bytes)`, describe(data));
}

/** The length of one of `count` blocks, in bytes, that make up `data`. */
export function blockOf(data: Passed, name: string, count: number): number {
  const elements = data.byteLength / elementBytes(data);
  if (elements % count === 0) return data.byteLength / count;
  throw invalidArgument(name, `${count} blocks of equal length, one for each rank`, describe(data));
}

function describe(data: Passed): string {
  const elements = data.byteLength / elementBytes(data);
  return `${data.constructor.name} of ${elements} elements (${data.byteLength} bytes)`;
}

/** How many elements of `data` each rank has, in bytes. `data` may be longer. */
export function checkCounts(value: unknown, name: string, size: number, data: Passed, dataName: string): number[] {
  const given = Array.isArray(value) || typeOf(value) !== undefined ? Array.from(value as number[]) : undefined;
  if (given === undefined || given.length !== size) {
    throw invalidArgument(name, `an array of ${size} counts, one for each rank`, value);
  }
  let total = 0;
  for (const [rank, count] of given.entries()) {
    if (!Number.isSafeInteger(count) || count < 0) {
      throw invalidArgument(`${name}[${rank}]`, 'a number of elements, 0 or more', count);
    }
    total += count;
  }
  const unit = elementBytes(data);
  if (total * unit > data.byteLength) {
    throw invalidArgument(dataName, `an array with room for the ${total} elements of '${name}'`, describe(data));
  }
  return given.map((count) => count * unit);
}

/** An array of numbers, and the code of its type. */
export function checkNumeric(value: unknown, name: string): { data: Passed; type: number } {
  const data = checkBytes(value, name);
  const type = typeOf(value);
  if (type === undefined) throw invalidArgument(name, 'a typed array of numbers', value as Bytes | NumericArray);
  return { data, type };
}
