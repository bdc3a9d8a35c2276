// One rank's part in a collective operation: what it gives, what it calls, and whether it gets what it has to.
import { strict as assert } from 'node:assert';
import { Buffer } from 'node:buffer';
import { type Comm, IN_PLACE, type NumericArray, Request, type World } from '../../lib/index.js';
import { assertAll, bytesOf, fill } from '../helpers/pattern.js';
import {
  ARRAYS,
  afterwards,
  assertSame,
  contribution,
  make,
  maps,
  mapsInOrder,
  reduced,
} from '../helpers/reference.js';
import { Guarded } from './buffers.js';
import { type Call, isCounted, isReducing } from './collectives.js';
import type { Part } from './program.js';

const GARBAGE = 0x5a;

const SUM = (a: number, b: number): number => a + b;

/** A buffer, what is in it before, and what has to be in it in the end, if that says more than that it stays as it is. */
interface Side {
  before: NumericArray;
  wanted?: NumericArray;
}

/** A rank's arguments, as names of what stands for them. */
interface Shape {
  from?: Side;
  into?: Side;
  args: (from: NumericArray | undefined, into: NumericArray | undefined) => unknown[];
  /** Which buffer the request gives. */
  result: 'from' | 'into' | true;
}

interface Buffered {
  side: Side;
  guarded: Guarded;
  array: NumericArray;
}

export class TakingPart {
  readonly #part: Part;
  readonly #from: Buffered | undefined;
  readonly #into: Buffered | undefined;
  readonly #result: unknown;
  /** What it has called. */
  readonly request: Request<unknown> | Promise<unknown>;

  constructor(world: World, comm: Comm, part: Part) {
    this.#part = part;
    const { call, place, blocking } = part;
    const shape = shapeOf(call, comm.rank, comm.size);
    const buffered = (side: Side | undefined): Buffered | undefined => {
      if (side === undefined) return undefined;
      const { before } = side;
      const guarded = new Guarded(world, place, before.byteLength, before.BYTES_PER_ELEMENT);
      guarded.bytes.set(bytesOf(before));
      return { side, guarded, array: viewOf(guarded.bytes, call) };
    };
    this.#from = buffered(shape.from);
    this.#into = buffered(shape.into);
    this.#result = shape.result === true || (shape.result === 'from' ? this.#from : this.#into)!.array;
    const operations = comm as unknown as Record<string, (...args: unknown[]) => Request<unknown> | Promise<unknown>>;
    const name = blocking === 'promise' ? call.operation : `i${call.operation}`;
    this.request = operations[name]!(...shape.args(this.#from?.array, this.#into?.array));
    // Nobody can take back what others take part in.
    if (call.key % 4 === 0 && this.request instanceof Request) assert.equal(this.request.cancel(), false);
  }

  /** To be called when it is done: throws unless all is as it has to be, and spoils what is free now. */
  async check(): Promise<void> {
    const { call, id } = this.#part;
    try {
      assert.equal(await this.request, this.#result, 'the request gives something else');
      for (const buffer of this.#buffers()) {
        const { side, guarded, array } = buffer;
        const wanted = side.wanted ?? side.before;
        const found = array.subarray(0, wanted.length);
        if (isReducing(call.operation)) assertSame(found, wanted);
        else assert.equal(Buffer.compare(bytesOf(found), bytesOf(wanted)), 0, 'other bytes than there have to be');
        guarded.check();
        guarded.bytes.fill(GARBAGE);
      }
    } catch (cause) {
      throw new Error(`collective ${id} (${call.operation})`, { cause });
    }
  }

  /** After check(), when all else is done: nobody has touched what was not his any more. */
  free(): void {
    for (const { guarded } of this.#buffers()) {
      assertAll(guarded.bytes, GARBAGE);
      guarded.check();
      guarded.free();
    }
  }

  #buffers(): Buffered[] {
    return [this.#from, this.#into].filter((buffer) => buffer !== undefined);
  }
}

function viewOf(bytes: Uint8Array, { type }: Call): NumericArray {
  const array = ARRAYS[type]!;
  // A Buffer stays one.
  if (array === Uint8Array) return bytes;
  return new array(bytes.buffer as ArrayBuffer, bytes.byteOffset, bytes.byteLength / array.BYTES_PER_ELEMENT);
}

function shapeOf(call: Call, rank: number, size: number): Shape {
  if (call.operation === 'barrier') return { args: () => [], result: true };
  return isReducing(call.operation) ? reducingShape(call, rank, size) : movingShape(call, rank, size);
}

// ---- those that only move ---------------------------------------------------

function movingShape(call: Call, rank: number, size: number): Shape {
  const { operation, root, inPlace, length, type } = call;
  const array = ARRAYS[type]!;
  const counted = isCounted(operation);
  const all = Array.from({ length: size }, (_, i) => i);
  const empty = (elements: number): NumericArray => fillAll(make(array, elements));
  const countOf = (from: number, to: number): number => {
    if (!counted) return length;
    // In place a rank gets from each as many as it sends.
    const [a, b] = inPlace && from > to ? [to, from] : [from, to];
    return Math.floor((length * ((call.key + a * 7 + b * 3) % 5)) / 4);
  };
  const block = (from: number, to: number): NumericArray =>
    fill(make(array, countOf(from, to)), Math.imul(call.key, 4_099) + from * 64 + to);
  // Where there are counts the buffers may be longer.
  const joined = (blocks: NumericArray[]): NumericArray => join([...blocks, ...(counted ? [empty(3)] : [])], array);
  const countsOf = (blocks: NumericArray[]): unknown[] => {
    if (!counted) return [];
    const counts = blocks.map((one) => one.length);
    return [call.key % 2 === 0 ? counts : Int32Array.from(counts)];
  };
  const isRoot = rank === root;
  switch (operation) {
    case 'bcast': {
      const content = block(root, 0);
      const into = { before: isRoot ? content : empty(length), wanted: content };
      return { into, args: (_, buffer) => [buffer, root], result: 'into' };
    }
    case 'gather':
    case 'gatherv': {
      const from = { before: block(rank, 0) };
      if (!isRoot) {
        const none = counted ? [null, null] : [null];
        return { from, args: (own) => [own, ...none, root], result: 'from' };
      }
      const blocks = all.map((one) => block(one, 0));
      const into = gathered(blocks, joined, inPlace ? rank : undefined);
      const counts = countsOf(blocks);
      if (inPlace) return { into, args: (_, whole) => [IN_PLACE, whole, ...counts, root], result: 'into' };
      return { from, into, args: (own, whole) => [own, whole, ...counts, root], result: 'into' };
    }
    case 'scatter':
    case 'scatterv': {
      const blocks = all.map((one) => block(root, one));
      const into = { before: empty(countOf(root, rank)), wanted: blocks[rank]! };
      if (!isRoot) {
        const none = counted ? [undefined] : [];
        return { into, args: (_, own) => [undefined, own, ...none, root], result: 'into' };
      }
      const from = { before: joined(blocks) };
      const counts = countsOf(blocks);
      if (inPlace) return { from, args: (whole) => [whole, IN_PLACE, ...counts, root], result: 'from' };
      return { from, into, args: (whole, own) => [whole, own, ...counts, root], result: 'into' };
    }
    case 'allgather':
    case 'allgatherv': {
      const blocks = all.map((one) => block(one, 0));
      const into = gathered(blocks, joined, inPlace ? rank : undefined);
      const counts = countsOf(blocks);
      if (inPlace) return { into, args: (_, whole) => [IN_PLACE, whole, ...counts], result: 'into' };
      return { from: { before: block(rank, 0) }, into, args: (own, whole) => [own, whole, ...counts], result: 'into' };
    }
    default: {
      const sent = all.map((one) => block(rank, one));
      const received = all.map((one) => block(one, rank));
      const counts = [...countsOf(inPlace ? received : sent), ...countsOf(received)];
      const wanted = joined(received);
      if (inPlace) {
        return {
          into: { before: joined(sent), wanted },
          args: (_, whole) => [IN_PLACE, whole, ...counts],
          result: 'into',
        };
      }
      const into = { before: empty(wanted.length), wanted };
      return { from: { before: joined(sent) }, into, args: (own, whole) => [own, whole, ...counts], result: 'into' };
    }
  }
}

/** Room for these blocks, of which only that of rank `inPlace` is there. */
function gathered(
  blocks: NumericArray[],
  joined: (blocks: NumericArray[]) => NumericArray,
  inPlace: number | undefined,
): Side {
  const before = joined(blocks.map((block, rank) => (rank === inPlace ? block : fillAll(block.slice()))));
  return { before, wanted: joined(blocks) };
}

function fillAll(array: NumericArray): NumericArray {
  bytesOf(array).fill(0xc3);
  return array;
}

function join(blocks: NumericArray[], array: (typeof ARRAYS)[number]): NumericArray {
  const whole = make(
    array,
    blocks.reduce((sum, { length }) => sum + length, 0),
  );
  let at = 0;
  for (const block of blocks) {
    bytesOf(whole).set(bytesOf(block), at);
    at += block.byteLength;
  }
  return whole;
}

// ---- reductions -------------------------------------------------------------

function reducingShape(call: Call, rank: number, size: number): Shape {
  const { operation, root, inPlace, length } = call;
  const { op, given, result } = reductionOf(call, operation === 'reduceScatter' ? length * size : length);
  const all = Array.from({ length: size }, (_, i) => i);
  const upTo = (end: number): NumericArray => result(all.slice(0, end).map(given));
  const own = given(rank);
  const empty = (): NumericArray => fillAll(make(ARRAYS[call.type]!, length));
  const vector = (wanted: NumericArray | undefined): Shape => {
    if (inPlace) return { into: { before: own, wanted }, args: (_, into) => [IN_PLACE, into, op], result: 'into' };
    return { from: { before: own }, into: { before: empty(), wanted }, args: (a, b) => [a, b, op], result: 'into' };
  };
  switch (operation) {
    case 'reduce': {
      if (rank !== root) return { from: { before: own }, args: (from) => [from, null, op, root], result: 'from' };
      const { args, ...shape } = vector(upTo(size));
      return { ...shape, args: (from, into) => [...args(from, into), root] };
    }
    case 'allreduce':
      return vector(upTo(size));
    case 'scan':
      return vector(upTo(rank + 1));
    case 'exscan':
      return vector(rank === 0 ? undefined : upTo(rank));
    default:
      return vector(upTo(size).slice(rank * length, (rank + 1) * length));
  }
}

interface Reduction {
  op: unknown;
  given: (rank: number) => NumericArray;
  result: (arrays: NumericArray[]) => NumericArray;
}

function reductionOf({ op, type, key }: Call, length: number): Reduction {
  const array = ARRAYS[type]!;
  // Another content for each operation.
  const numberOf = (rank: number): number => key * 16 + rank;
  if (op === 'maps') {
    return {
      op: afterwards,
      given: (rank) => maps(numberOf(rank), length),
      result: (arrays) => mapsInOrder(arrays as Int32Array[]),
    };
  }
  const name = op === 'add' ? 'sum' : op;
  return {
    op: op === 'add' ? SUM : op,
    given: (rank) => contribution(array, name, numberOf(rank), length),
    result: (arrays) => reduced(array, name, arrays),
  };
}
