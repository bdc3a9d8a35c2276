// Values as bytes: V8's structured clone, with large buffers left outside of it.
import { Buffer } from 'node:buffer';
import { types } from 'node:util';
import { Deserializer, Serializer } from 'node:v8';
import { UintrError } from './errors.js';

/** From this length on, in bytes, a buffer is not copied into the clone: a transfer of its own costs less. */
export const OUTSIDE_BYTES = 64 * 1024;

/** A value, ready to travel. */
export interface Clone {
  /** `reserved` bytes for whoever sends it, V8's, and the lengths of the buffers outside, as doubles. */
  bytes: Buffer<ArrayBuffer>;
  /** The memory of the buffers that stayed outside: the program's own, not copies. */
  outside: (ArrayBuffer | Uint8Array)[];
}

// Their places are what travels, so new ones go to the end. Float16Array came with Node 24.
const VIEWS = [
  'DataView',
  'Buffer',
  'Int8Array',
  'Uint8Array',
  'Uint8ClampedArray',
  'Int16Array',
  'Uint16Array',
  'Int32Array',
  'Uint32Array',
  'Float32Array',
  'Float64Array',
  'BigInt64Array',
  'BigUint64Array',
  'Float16Array',
];
const BUFFER = VIEWS.indexOf('Buffer');

type ViewMaker = new (buffer: ArrayBuffer, offset: number, length: number) => ArrayBufferView;

const nameOf = Object.getOwnPropertyDescriptor(Object.getPrototypeOf(Uint8Array.prototype), Symbol.toStringTag)!
  .get as (this: ArrayBufferView) => string | undefined;

function viewIndex(view: ArrayBufferView): number {
  // The getter of all typed arrays; undefined for a DataView.
  return Buffer.isBuffer(view) ? BUFFER : VIEWS.indexOf(nameOf.call(view) ?? 'DataView');
}

/** Node's types know these methods as the protocol of subclasses and do not declare them. */
interface Undeclared {
  _setTreatArrayBufferViewsAsHostObjects(yes: boolean): void;
}

class Cloner extends Serializer {
  readonly outside: (ArrayBuffer | Uint8Array)[] = [];
  readonly #known = new Set<ArrayBuffer>();

  constructor(reserved: number, bare: readonly ArrayBuffer[]) {
    super();
    // V8 tells nobody about the ArrayBuffers that it meets; views it hands over, and each leads to its buffer.
    (this as unknown as Undeclared)._setTreatArrayBufferViewsAsHostObjects(true);
    if (reserved > 0) this.writeRawBytes(new Uint8Array(reserved));
    this.writeHeader();
    for (const buffer of bare) this.#leaveOutside(buffer);
  }

  #leaveOutside(buffer: ArrayBuffer): void {
    if (this.#known.has(buffer)) return;
    this.#known.add(buffer);
    this.transferArrayBuffer(this.outside.push(buffer) - 1, buffer);
  }

  _writeHostObject(object: object): void {
    if (!ArrayBuffer.isView(object)) throw this._getDataCloneError(`${String(object)} could not be cloned.`);
    const index = viewIndex(object);
    this.writeUint32(index);
    if (index === BUFFER) {
      this.#writeBuffer(object as Buffer);
      return;
    }
    this.writeDouble(object.byteOffset);
    this.writeDouble('length' in object ? (object as Uint8Array).length : object.byteLength);
    if (isOutside(object.buffer)) this.#leaveOutside(object.buffer);
    this.writeValue(object.buffer);
  }

  // Without the rest of its memory, as v8.serialize() does: Node cuts small Buffers out of a pool.
  #writeBuffer(buffer: Buffer): void {
    const resizable = (buffer.buffer as { resizable?: boolean }).resizable === true;
    const outside = buffer.byteLength >= OUTSIDE_BYTES && !resizable && !types.isSharedArrayBuffer(buffer.buffer);
    this.writeUint32(outside ? 1 : 0);
    if (outside) {
      this.writeUint32(this.outside.push(buffer) - 1);
    } else {
      this.writeUint32(buffer.byteLength);
      this.writeRawBytes(buffer);
    }
  }

  _getSharedArrayBufferId(): never {
    throw this._getDataCloneError('a SharedArrayBuffer is memory of one process and cannot travel in a message.');
  }

  _getDataCloneError(message: string): UintrError {
    return new UintrError('ERR_UINTR_INVALID_ARGUMENT', `'value' must be something that can be cloned: ${message}`);
  }
}

class Reviver extends Deserializer {
  readonly #outside: readonly ArrayBuffer[];

  constructor(bytes: Uint8Array, outside: readonly ArrayBuffer[]) {
    super(bytes);
    this.#outside = outside;
    for (const [i, buffer] of outside.entries()) this.transferArrayBuffer(i, buffer);
    this.readHeader();
  }

  _readHostObject(): ArrayBufferView {
    const index = this.readUint32();
    if (index === BUFFER) return this.#readBuffer();
    const offset = this.readDouble();
    const length = this.readDouble();
    const buffer: unknown = this.readValue();
    const Maker = (globalThis as Record<string, unknown>)[VIEWS[index] ?? ''] as ViewMaker | undefined;
    if (Maker === undefined || !types.isArrayBuffer(buffer)) throw new Error('a view of no known type');
    return new Maker(buffer, offset, length);
  }

  #readBuffer(): Buffer {
    const isOutside = this.readUint32() === 1;
    const indexOrLength = this.readUint32();
    if (!isOutside) return Buffer.from(this.readRawBytes(indexOrLength));
    const memory = this.#outside[indexOrLength];
    if (memory === undefined) throw new Error('a Buffer without its memory');
    return Buffer.from(memory);
  }
}

/**
 * The value as it is now, but for the large buffers, which are the program's own memory.
 * @throws ERR_UINTR_INVALID_ARGUMENT: it cannot be cloned; and whatever a getter of the value throws
 */
export function clone(value: unknown, reserved: number): Clone {
  const first = write(value, reserved, bareBuffers(value, FIRST_LOOK));
  if (!mayHoldBareBuffer(first.bytes)) return first;
  const bare = bareBuffers(value, Number.POSITIVE_INFINITY);
  return bare.length > 0 ? write(value, reserved, bare) : first;
}

function write(value: unknown, reserved: number, bare: readonly ArrayBuffer[]): Clone {
  const cloner = new Cloner(reserved, bare);
  cloner.writeValue(value);
  for (const { byteLength } of cloner.outside) cloner.writeDouble(byteLength);
  return { bytes: cloner.releaseBuffer() as Buffer<ArrayBuffer>, outside: cloner.outside };
}

/** The value that clone() was given. `outside` becomes part of it. Throws on garbage. */
export function revive(bytes: Uint8Array, outside: readonly ArrayBuffer[]): unknown {
  return new Reviver(bytes, outside).readValue();
}

// ---- large ArrayBuffers that no view leads to ----------------------------------------------------------------------

// V8 would copy them. So the values next to the root are looked through before, and everything is after, but only if the
// clone looks as if there were one in it.
const FIRST_LOOK = 64;

// kArrayBuffer in V8's value-serializer.cc; a varint of the length follows. Other bytes may look like that; then the
// second look was for nothing.
const BARE_TAG = 0x42;

function mayHoldBareBuffer(bytes: Uint8Array): boolean {
  for (let at = 0; ; at += 1) {
    at = bytes.indexOf(BARE_TAG, at);
    if (at < 0 || at + OUTSIDE_BYTES > bytes.length) return false;
    const length = varint(bytes, at + 1);
    if (length >= OUTSIDE_BYTES && length <= bytes.length - at) return true;
  }
}

function varint(bytes: Uint8Array, at: number): number {
  let value = 0;
  for (let i = 0; i < 8; i += 1) {
    const byte = bytes[at + i]!;
    value += (byte & 0x7f) * 2 ** (7 * i);
    if (byte < 0x80) break;
  }
  return value;
}

/** Large ArrayBuffers among the first `most` values, breadth first. Getters are not called. */
function bareBuffers(root: unknown, most: number): ArrayBuffer[] {
  const found: ArrayBuffer[] = [];
  const seen = new Set<object>();
  const queue: object[] = [];
  let left = most;
  const look = (value: unknown): boolean => {
    if (typeof value === 'object' && value !== null && !ArrayBuffer.isView(value) && !seen.has(value)) {
      seen.add(value);
      if (!types.isAnyArrayBuffer(value)) queue.push(value);
      else if (isOutside(value)) found.push(value);
    }
    left -= 1;
    return left > 0;
  };
  look(root);
  for (const object of queue) {
    if (!children(object).every(look)) break;
  }
  return found;

  function children(object: object): unknown[] {
    if (Array.isArray(object)) return object.length <= left ? object : object.slice(0, left);
    if (types.isMap(object)) return [...object].flat();
    if (types.isSet(object)) return [...object];
    if (types.isProxy(object)) return [];
    return Object.keys(object).map((key) => Object.getOwnPropertyDescriptor(object, key)?.value);
  }
}

function isOutside(buffer: ArrayBufferLike): buffer is ArrayBuffer {
  return (
    buffer.byteLength >= OUTSIDE_BYTES &&
    types.isArrayBuffer(buffer) &&
    (buffer as { resizable?: boolean }).resizable !== true
  );
}
