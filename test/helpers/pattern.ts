// Content for messages: any two keys, and any two offsets of one key, differ, so that a mixup, a shift or a hole shows.
import { Buffer } from 'node:buffer';
import type { Bytes } from '../../lib/index.js';

/** The bytes of any buffer a message may be sent from. */
export function bytesOf(data: Bytes): Uint8Array {
  if (ArrayBuffer.isView(data)) return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  return new Uint8Array(data);
}

let scratch = new Int32Array(1 << 14);

function expected(key: number, length: number): Uint8Array {
  const words = Math.ceil(length / 4);
  if (scratch.length < words) scratch = new Int32Array(words);
  const start = Math.imul(key + 1, 0x61c88647);
  for (let i = 0; i < words; i += 1) {
    const x = Math.imul(start + i, 0x2c1b3c6d);
    scratch[i] = x ^ (x >>> 15);
  }
  return new Uint8Array(scratch.buffer, 0, length);
}

/** Fills `data` with the content of `key`, and returns it. */
export function fill<T extends Bytes>(data: T, key: number): T {
  bytesOf(data).set(expected(key, data.byteLength));
  return data;
}

/** A new array with the content of `key`. */
export function pattern(key: number, length: number): Uint8Array<ArrayBuffer> {
  return fill(new Uint8Array(length), key);
}

/** Why `data` is not the content of `key`, or undefined. */
export function mismatch(data: Bytes, key: number): string | undefined {
  const found = bytesOf(data);
  const wanted = expected(key, found.length);
  if (Buffer.compare(found, wanted) === 0) return undefined;
  const first = found.findIndex((byte, i) => byte !== wanted[i]);
  let last = found.length - 1;
  while (found[last] === wanted[last]) last -= 1;
  const sample = (bytes: Uint8Array): string => Buffer.from(bytes.slice(first, first + 8)).toString('hex');
  return `content ${key}: bytes ${first} to ${last} of ${found.length} differ; found ${sample(found)}…, wanted ${sample(wanted)}…`;
}

/** Throws unless `data` has the content of `key`. */
export function assertPattern(data: Bytes, key: number): void {
  const wrong = mismatch(data, key);
  if (wrong !== undefined) throw new Error(wrong);
}

/** Throws unless all of `data` is `value`. */
export function assertAll(data: Bytes, value: number): void {
  const bytes = bytesOf(data);
  const wanted = new Uint8Array(Math.min(bytes.length, 1 << 16)).fill(value);
  for (let start = 0; start < bytes.length; start += wanted.length) {
    const part = bytes.subarray(start, start + wanted.length);
    if (Buffer.compare(part, wanted.subarray(0, part.length)) === 0) continue;
    const at = start + part.findIndex((byte) => byte !== value);
    throw new Error(`byte ${at} of ${bytes.length} is ${bytes[at]}, not ${value}`);
  }
}
