// Reductions in JavaScript: what an array does with the result of the operation on two of its elements.
import { OP_FUNCTION, OP_FUNCTION_REVERSED, OPS, type OpFunction, type OpName, TYPES } from './operators.js';

type Combine<T> = (a: T, b: T) => T;

// Stored into the array the results wrap or clamp as that does. Sums of 32 bits are exact before they do.
const NUMBERS: Record<OpName, Combine<number>> = {
  sum: (a, b) => a + b,
  prod: (a, b) => a * b,
  min: (a, b) => Math.min(a, b),
  max: (a, b) => Math.max(a, b),
  band: (a, b) => a & b,
  bor: (a, b) => a | b,
  bxor: (a, b) => a ^ b,
  land: (a, b) => (a && b ? 1 : 0),
  lor: (a, b) => (a || b ? 1 : 0),
};

const BIGINTS: Record<OpName, Combine<bigint>> = {
  sum: (a, b) => a + b,
  prod: (a, b) => a * b,
  min: (a, b) => (a < b ? a : b),
  max: (a, b) => (a > b ? a : b),
  band: (a, b) => a & b,
  bor: (a, b) => a | b,
  bxor: (a, b) => a ^ b,
  land: (a, b) => (a && b ? 1n : 0n),
  lor: (a, b) => (a || b ? 1n : 0n),
};

/** A product of 32 bits times 32 bits is not exact in a double. */
function combineOf(type: string, op: OpName): OpFunction {
  if (type.startsWith('Big')) return BIGINTS[op];
  return op === 'prod' && (type === 'Int32' || type === 'Uint32') ? Math.imul : NUMBERS[op];
}

/** `into` = `into` op `from`, over `bytes` bytes. `kind`: type and operation; `own`: the operation of one's own. */
export function reduceBytes(kind: number, into: Uint8Array, from: Uint8Array, own: OpFunction | undefined): void {
  const { array, name, bytes } = TYPES[kind >> 4]!;
  const op = kind & 15;
  // Two of the same type; which one does not matter to what follows.
  const a = new array(into.buffer, into.byteOffset, into.length / bytes) as Float64Array;
  const b = new array(from.buffer, from.byteOffset, from.length / bytes) as Float64Array;
  if (op === OP_FUNCTION_REVERSED) {
    for (let i = 0; i < a.length; i += 1) a[i] = own!(b[i], a[i]);
    return;
  }
  const combine = op === OP_FUNCTION ? own! : combineOf(name, OPS[op]!);
  for (let i = 0; i < a.length; i += 1) a[i] = combine(a[i], b[i]);
}
