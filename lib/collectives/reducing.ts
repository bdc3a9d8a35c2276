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
import { type Planned, plan, type Ranks } from './plans.js';
import { reduce } from './reduce.js';
import { reduceScatter } from './reduce-scatter.js';
import { exscan, scan } from './scan.js';
import { FROM, INTO, type Place, Schedule } from './schedule.js';
import type { Vector } from './vector.js';

const NOTHING = new Uint8Array(0);

/** What a reduction of these elements by this operation needs. */
class Reduction {
  readonly combine: OpFunction | undefined;
  readonly #ranks: Ranks;
  readonly #type: number;
  readonly #op: number;

  constructor(ranks: Ranks, type: number, op: unknown) {
    this.#ranks = ranks;
    this.#type = type;
    this.#op = checkOp(op, type);
    this.combine = this.#op === OP_FUNCTION ? (op as OpFunction) : undefined;
  }

  /** `build` gives the steps of vectors of so many bytes; `detail`, 0 or 1, is what else they depend on. */
  plan(
    operation: string,
    bytes: number,
    root: number | undefined,
    detail: 0 | 1,
    build: (schedule: Schedule, vector: Vector) => void,
  ): Planned {
    const kind = reductionKind(this.#type, this.#op);
    return plan(this.#ranks, operation, bytes, root ?? -1, 2 * kind + detail, () => {
      const isOwn = this.combine !== undefined;
      const schedule = new Schedule(this.#ranks.rank, this.#ranks.size, {
        forward: kind,
        // The named ones commute.
        reversed: isOwn ? reductionKind(this.#type, OP_FUNCTION_REVERSED) : kind,
      });
      const { name, bytes: each } = TYPES[this.#type]!;
      build(schedule, { bytes, elementBytes: each, commutes: !isOwn });
      const where = root === undefined ? '' : ` at root ${root}`;
      return {
        called: `${operation} of ${bytes / each} ${name} by ${OPS[this.#op] ?? 'a function'}${where}`,
        schedule,
      };
    });
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
  if (ranks.rank !== root) {
    const { data, type } = checkNumeric(from, 'from');
    const reduction = new Reduction(ranks, type, op);
    const planned = reduction.plan('reduce', data.byteLength, root, 0, (schedule, vector) => {
      reduce(schedule, FROM, undefined, vector, root);
    });
    return { ...planned, buffers: [NOTHING, data], result, combine: reduction.combine };
  }
  const { own, result: data, type } = checkVectors(from, into);
  if (own !== undefined) checkLength(data, 'into', own.byteLength, "as long as 'from'");
  const reduction = new Reduction(ranks, type, op);
  const planned = reduction.plan('reduce', data.byteLength, root, own ? 0 : 1, (schedule, vector) => {
    reduce(schedule, own ? FROM : INTO, INTO, vector, root);
  });
  return { ...planned, buffers: [data, own ?? NOTHING], result, combine: reduction.combine };
}

/** All those whose result is as long as what each rank gives. */
function callVector<T extends NumericArray>(
  operation: string,
  ranks: Ranks,
  from: NumericArray | InPlace,
  into: T,
  op: Op,
  build: (schedule: Schedule, from: Place, vector: Vector) => void,
): Call<T> {
  const { own, result: data, type } = checkVectors(from, into);
  if (own !== undefined) checkLength(data, 'into', own.byteLength, "as long as 'from'");
  const reduction = new Reduction(ranks, type, op);
  const planned = reduction.plan(operation, data.byteLength, undefined, own ? 0 : 1, (schedule, vector) => {
    build(schedule, own ? FROM : INTO, vector);
  });
  return { ...planned, buffers: [data, own ?? NOTHING], result: into, combine: reduction.combine };
}

export function callAllreduce<T extends NumericArray>(
  ranks: Ranks,
  from: NumericArray | InPlace,
  into: T,
  op: Op,
): Call<T> {
  return callVector('allreduce', ranks, from, into, op, (schedule, place, vector) => {
    allreduce(schedule, place, INTO, vector);
  });
}

export function callScan<T extends NumericArray>(ranks: Ranks, from: NumericArray | InPlace, into: T, op: Op): Call<T> {
  return callVector('scan', ranks, from, into, op, (schedule, place, { bytes }) => {
    scan(schedule, place, INTO, bytes);
  });
}

export function callExscan<T extends NumericArray>(
  ranks: Ranks,
  from: NumericArray | InPlace,
  into: T,
  op: Op,
): Call<T> {
  return callVector('exscan', ranks, from, into, op, (schedule, place, { bytes }) => {
    exscan(schedule, place, INTO, bytes);
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
  const planned = reduction.plan('reduceScatter', block * ranks.size, undefined, own ? 0 : 1, (schedule, vector) => {
    reduceScatter(schedule, own ? FROM : INTO, INTO, vector);
  });
  return { ...planned, buffers: [data, own ?? NOTHING], result: into, combine: reduction.combine };
}
