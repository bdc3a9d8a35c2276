// Buffers that may be sent and received into.
import { types } from 'node:util';
import { invalidArgument } from './errors.js';

/**
 * A buffer: any typed array, Buffer, DataView, ArrayBuffer or SharedArrayBuffer, at any offset. Resizable, growable and
 * detached ones are refused. A buffer must not be detached (transferred) while a request uses it.
 */
export type Bytes = ArrayBufferView | ArrayBuffer | SharedArrayBuffer;

/** What is handed to the addon: a bare SharedArrayBuffer is not known to Node 20's Node-API. */
export type Passed = NodeJS.ArrayBufferView | ArrayBuffer;

interface MaybeResizable {
  resizable?: boolean;
  growable?: boolean;
}

const EXPECTED = 'a typed array, DataView, ArrayBuffer or SharedArrayBuffer';

/** Whether it is a buffer of any kind, also one that checkBytes() refuses. */
export function isBytes(value: unknown): value is Bytes {
  return ArrayBuffer.isView(value) || types.isAnyArrayBuffer(value);
}

/** Throws unless `value` is a buffer that stays where it is; returns what the addon takes. */
export function checkBytes(value: unknown, name: string): Passed {
  if (ArrayBuffer.isView(value)) {
    const buffer = value.buffer as ArrayBufferLike & MaybeResizable;
    if (isResizable(buffer)) throw resizes(name, value);
    if (isEmpty(value)) checkAttached(buffer, name, value);
    return value as NodeJS.ArrayBufferView;
  }
  if (!types.isAnyArrayBuffer(value)) throw invalidArgument(name, EXPECTED, value);
  const buffer = value as ArrayBufferLike & MaybeResizable;
  if (isResizable(buffer)) throw resizes(name, value);
  if (types.isSharedArrayBuffer(buffer)) return new Uint8Array(buffer);
  if (buffer.byteLength === 0) checkAttached(buffer, name, value);
  return buffer as ArrayBuffer;
}

/** An ArrayBuffer says so by `resizable`, a SharedArrayBuffer, which has no such property, by `growable`. */
function isResizable(buffer: MaybeResizable): boolean {
  const { resizable } = buffer;
  return resizable !== false && (resizable || buffer.growable === true);
}

function resizes(name: string, value: unknown): Error {
  return invalidArgument(name, `${EXPECTED} of fixed length (not resizable, not growable)`, value);
}

function isEmpty(view: ArrayBufferView): boolean {
  try {
    return view.byteLength === 0;
  } catch {
    // A DataView of a detached buffer does not even tell its length.
    return true;
  }
}

/** A detached buffer has length 0, and so has an empty one; only of the latter can a view be made. */
function checkAttached(buffer: ArrayBufferLike, name: string, value: unknown): void {
  try {
    new Uint8Array(buffer);
  } catch {
    throw invalidArgument(name, `${EXPECTED} that is not detached`, value);
  }
}
