// The collective operations that reduce: what they are given, as a call of their schedule.
import type { Passed } from '../bytes.js';
import { IN_PLACE } from '../constants.js';
import { invalidArgument } from '../errors.js';
import { allreduce } from './allreduce.js';
import { blockOf, checkApart, checkLength, checkNumeric, checkRoot, type InPlace } from './arguments.js';
import type { Call } from './channel.js';
import {
  checkOp,
  type NumericArray,
  OP_FUNCTION,
  OP_FUNCTION_REVERSED,
  OPS,
  type Op,
  type OpFunction,
  reductionKind,
  TYPES,
} from './operators.js';
import { reduce } from './reduce.js';
import { reduceScatter } from './reduce-scatter.js';
import { exscan, scan } from './scan.js';
import { FROM, INTO, Schedule } from './schedule.js';
import type { Vector } from './vector.js';

interface Ranks {
  readonly rank: number;
  readonly size: number;
}

const NOTHING = new Uint8Array(0);

/** What a reduction of these elements by this operation needs. */
class Reduction {
  readonly schedule: Schedule;
  readonly combine: OpFunction | undefined;
  readonly #type: number;
  readonly #op: number;

  constructor({ rank, size }: Ranks, type: number, op: unknown) {
    this.#type = type;
    this.#op = checkOp(op, type);
    const own = this.#op === OP_FUNCTION;
    this.combine = own ? (op as OpFunction) : undefined;
    this.schedule = new Schedule(rank, size, {
      forward: reductionKind(type, this.#op),
      // The named ones commute.
      reversed: reductionKind(type, own ? OP_FUNCTION_REVERSED : this.#op),
    });
  }

  vector(bytes: number): Vector {
    return { bytes, elementBytes: TYPES[this.#type]!.bytes, commutes: this.combine === undefined };
  }

  called(operation: string, bytes: number, where = ''): string {
    const { name, bytes: each } = TYPES[this.#type]!;
    return `${operation} of ${bytes / each} ${name} by ${OPS[this.#op] ?? 'a function'}${where}`;
  }
}

/** `from` and `into` of the same type and length, or IN_PLACE. */
function checkVectors(from: unknown, into: unknown): { own: Passed | undefined; result: Passed; type: number } {
  const { data: result, type } = checkNumeric(into, 'into');
  if (from === IN_PLACE) return { own: undefined, result, type };
  const own = checkNumeric(from, 'from');
  if (own.type !== type) throw invalidArgument('into', `an array like 'from' (${TYPES[own.type]!.name}Array)`, into);
  checkApart(own.data, result);
  return { own: own.data, result, type };
}

export function callReduce<T extends NumericArray>(
  ranks: Ranks,
  from: NumericArray | InPlace,
  into: T | null | undefined,
  op: Op,
  rootGiven: number,
): Call<T> {
  const root = checkRoot(rootGiven, ranks.size);
  const result = (into ?? from) as T;
  const where = ` at root ${root}`;
  if (ranks.rank !== root) {
    const { data, type } = checkNumeric(from, 'from');
    const reduction = new Reduction(ranks, type, op);
    const { schedule, combine } = reduction;
    const bytes = data.byteLength;
    reduce(schedule, FROM, undefined, reduction.vector(bytes), root);
    return { called: reduction.called('reduce', bytes, where), schedule, buffers: [NOTHING, data], result, combine };
  }
  const { own, result: data, type } = checkVectors(from, into);
  if (own !== undefined) checkLength(data, 'into', own.byteLength, "as long as 'from'");
  const reduction = new Reduction(ranks, type, op);
  const { schedule, combine } = reduction;
  const bytes = data.byteLength;
  reduce(schedule, own ? FROM : INTO, INTO, reduction.vector(bytes), root);
  const called = reduction.called('reduce', bytes, where);
  return { called, schedule, buffers: [data, own ?? NOTHING], result, combine };
}

/** All those whose result is as long as what each rank gives. */
function callVector<T extends NumericArray>(
  operation: string,
  ranks: Ranks,
  from: NumericArray | InPlace,
  into: T,
  op: Op,
  build: (reduction: Reduction, inPlace: boolean, bytes: number) => void,
): Call<T> {
  const { own, result: data, type } = checkVectors(from, into);
  if (own !== undefined) checkLength(data, 'into', own.byteLength, "as long as 'from'");
  const reduction = new Reduction(ranks, type, op);
  const { schedule, combine } = reduction;
  const bytes = data.byteLength;
  build(reduction, own === undefined, bytes);
  const called = reduction.called(operation, bytes);
  return { called, schedule, buffers: [data, own ?? NOTHING], result: into, combine };
}

export function callAllreduce<T extends NumericArray>(
  ranks: Ranks,
  from: NumericArray | InPlace,
  into: T,
  op: Op,
): Call<T> {
  return callVector('allreduce', ranks, from, into, op, (reduction, inPlace, bytes) => {
    allreduce(reduction.schedule, inPlace ? INTO : FROM, INTO, reduction.vector(bytes));
  });
}

export function callScan<T extends NumericArray>(ranks: Ranks, from: NumericArray | InPlace, into: T, op: Op): Call<T> {
  return callVector('scan', ranks, from, into, op, ({ schedule }, inPlace, bytes) => {
    scan(schedule, inPlace ? INTO : FROM, INTO, bytes);
  });
}

export function callExscan<T extends NumericArray>(
  ranks: Ranks,
  from: NumericArray | InPlace,
  into: T,
  op: Op,
): Call<T> {
  return callVector('exscan', ranks, from, into, op, ({ schedule }, inPlace, bytes) => {
    exscan(schedule, inPlace ? INTO : FROM, INTO, bytes);
  });
}

export function callReduceScatter<T extends NumericArray>(
  ranks: Ranks,
  from: NumericArray | InPlace,
  into: T,
  op: Op,
): Call<T> {
  const { own, result: data, type } = checkVectors(from, into);
  const block = own === undefined ? blockOf(data, 'into', ranks.size) : data.byteLength;
  if (own !== undefined) checkLength(own, 'from', block * ranks.size, `${ranks.size} times as long as 'into'`);
  const reduction = new Reduction(ranks, type, op);
  const { schedule, combine } = reduction;
  const bytes = block * ranks.size;
  reduceScatter(schedule, own ? FROM : INTO, INTO, reduction.vector(bytes));
  const called = reduction.called('reduceScatter', bytes);
  return { called, schedule, buffers: [data, own ?? NOTHING], result: into, combine };
}
