// Collective operations, each with what every rank gives and what it has to get: to be run by real ranks, or by schedules
// alone.
import type { Collective } from '../../lib/collective.js';
import { IN_PLACE, type NumericArray, type Op, type OpName } from '../../lib/index.js';
import { assertPattern, fill, pattern } from './pattern.js';
import {
  type ArrayClass,
  afterwards,
  assertSame,
  contribution,
  make,
  maps,
  mapsInOrder,
  reduced,
} from './reference.js';

/** The operations that start something: a Request, or whatever stands for it. */
export type Operations<R> = {
  [K in keyof Collective as K extends `i${string}` ? K : never]: Collective[K] extends (...args: infer A) => unknown
    ? (...args: A) => R
    : never;
} & {
  // The generic ones, of which the line above would keep nothing but constraints.
  ireduce(from: NumericArray | typeof IN_PLACE, into: NumericArray | null, op: Op, root: number): R;
};

/** One operation as one rank sees it. */
export interface Part {
  start<R>(on: Operations<R>): R;
  /** Throws unless this rank has got what it had to. */
  check(): void;
}

export interface Case {
  name: string;
  of(rank: number, size: number): Part;
}

/** Content of the block that rank `from` has for rank `to`. */
const key = (from: number, to: number): number => from * 1000 + to;
const ranks = (size: number): number[] => Array.from({ length: size }, (_, rank) => rank);
const EMPTY = new Uint8Array(0);

function joinBlocks(blocks: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(blocks.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const block of blocks) {
    whole.set(block, at);
    at += block.length;
  }
  return whole;
}

function checkBlocks(whole: Uint8Array, lengths: readonly number[], keyOf: (rank: number) => number): void {
  let at = 0;
  for (const [rank, length] of lengths.entries()) {
    assertPattern(whole.subarray(at, at + length), keyOf(rank));
    at += length;
  }
}

/** Those that only move data, of blocks of this many bytes. */
export function movingCases(bytes: number, root: number): Case[] {
  const equal = (size: number): number[] => ranks(size).map(() => bytes);
  return [
    {
      name: `bcast of ${bytes} from ${root}`,
      of: (rank) => {
        const buffer = rank === root ? pattern(root, bytes) : new Uint8Array(bytes);
        return { start: (on) => on.ibcast(buffer, root), check: () => assertPattern(buffer, root) };
      },
    },
    {
      name: `gather of ${bytes} at ${root}`,
      of: (rank, size) => {
        const from = pattern(key(rank, 0), bytes);
        const into = rank === root ? new Uint8Array(size * bytes) : EMPTY;
        const check = (): void => {
          if (rank === root) checkBlocks(into, equal(size), (of) => key(of, 0));
        };
        return { start: (on) => on.igather(from, into, root), check };
      },
    },
    {
      name: `gather of ${bytes} at ${root}, in place`,
      of: (rank, size) => {
        const from = pattern(key(rank, 0), bytes);
        const into = new Uint8Array(size * bytes);
        into.set(from, rank * bytes);
        const check = (): void => {
          if (rank === root) checkBlocks(into, equal(size), (of) => key(of, 0));
        };
        return { start: (on) => on.igather(rank === root ? IN_PLACE : from, rank === root ? into : null, root), check };
      },
    },
    {
      name: `scatter of ${bytes} from ${root}`,
      of: (rank, size) => {
        const from = rank === root ? joinBlocks(ranks(size).map((to) => pattern(key(root, to), bytes))) : EMPTY;
        const into = new Uint8Array(bytes);
        return {
          start: (on) => on.iscatter(from, into, root),
          check: () => assertPattern(into, key(root, rank)),
        };
      },
    },
    {
      name: `scatter of ${bytes} from ${root}, in place`,
      of: (rank, size) => {
        const from = joinBlocks(ranks(size).map((to) => pattern(key(root, to), bytes)));
        const into = new Uint8Array(bytes);
        return {
          start: (on) => on.iscatter(rank === root ? from : undefined, rank === root ? IN_PLACE : into, root),
          check: () => {
            if (rank === root) checkBlocks(from, equal(size), (to) => key(root, to));
            else assertPattern(into, key(root, rank));
          },
        };
      },
    },
    ...[false, true].map((inPlace) => ({
      name: `allgather of ${bytes}${inPlace ? ', in place' : ''}`,
      of: (rank: number, size: number): Part => {
        const from = pattern(key(rank, 0), bytes);
        const into = new Uint8Array(size * bytes);
        if (inPlace) into.set(from, rank * bytes);
        return {
          start: (on) => on.iallgather(inPlace ? IN_PLACE : from, into),
          check: () => checkBlocks(into, equal(size), (of) => key(of, 0)),
        };
      },
    })),
    ...[false, true].map((inPlace) => ({
      name: `alltoall of ${bytes}${inPlace ? ', in place' : ''}`,
      of: (rank: number, size: number): Part => {
        const from = joinBlocks(ranks(size).map((to) => pattern(key(rank, to), bytes)));
        const into = inPlace ? from.slice() : new Uint8Array(size * bytes);
        return {
          start: (on) => on.ialltoall(inPlace ? IN_PLACE : from, into),
          check: () => checkBlocks(into, equal(size), (of) => key(of, rank)),
        };
      },
    })),
  ];
}

/** Those with counts, of blocks of up to about this many elements of 4 bytes. */
export function countedCases(most: number, root: number): Case[] {
  const countOf = (from: number, to: number): number => ((from * 7 + to * 3) % 4) * Math.floor(most / 3);
  const block = (from: number, to: number): Int32Array => fill(new Int32Array(countOf(from, to)), key(from, to));
  const blocks = (list: readonly Int32Array[]): Int32Array =>
    new Int32Array(joinBlocks(list.map((one) => new Uint8Array(one.buffer))).buffer);
  const check = (found: Int32Array, list: readonly Int32Array[]): void => assertSame(found, blocks(list));
  const room = (list: readonly Int32Array[]): Int32Array => new Int32Array(blocks(list).length);
  return [
    {
      name: `gatherv of up to ${most} at ${root}`,
      of: (rank, size) => {
        const wanted = ranks(size).map((from) => block(from, 0));
        const into = room(wanted);
        return {
          start: (on) =>
            rank === root
              ? on.igatherv(
                  block(rank, 0),
                  into,
                  wanted.map(({ length }) => length),
                  root,
                )
              : on.igatherv(block(rank, 0), null, null, root),
          check: () => {
            if (rank === root) check(into, wanted);
          },
        };
      },
    },
    {
      name: `scatterv of up to ${most} from ${root}`,
      of: (rank, size) => {
        const given = ranks(size).map((to) => block(root, to));
        const into = new Int32Array(countOf(root, rank));
        return {
          start: (on) =>
            rank === root
              ? on.iscatterv(
                  blocks(given),
                  into,
                  given.map(({ length }) => length),
                  root,
                )
              : on.iscatterv(undefined, into, undefined, root),
          check: () => check(into, [block(root, rank)]),
        };
      },
    },
    {
      name: `allgatherv of up to ${most}`,
      of: (rank, size) => {
        const wanted = ranks(size).map((from) => block(from, 0));
        const into = room(wanted);
        const counts = Int32Array.from(wanted, ({ length }) => length);
        return { start: (on) => on.iallgatherv(block(rank, 0), into, counts), check: () => check(into, wanted) };
      },
    },
    {
      name: `alltoallv of up to ${most}`,
      of: (rank, size) => {
        const given = ranks(size).map((to) => block(rank, to));
        const wanted = ranks(size).map((from) => block(from, rank));
        const into = room(wanted);
        const lengths = (list: readonly Int32Array[]): number[] => list.map(({ length }) => length);
        return {
          start: (on) => on.ialltoallv(blocks(given), into, lengths(given), lengths(wanted)),
          check: () => check(into, wanted),
        };
      },
    },
    {
      name: `alltoallv of up to ${most}, in place`,
      of: (rank, size) => {
        // In place a rank gets from each as many as it sends.
        const count = (a: number, b: number): number => countOf(Math.min(a, b), Math.max(a, b));
        const of = (from: number, to: number): Int32Array => fill(new Int32Array(count(from, to)), key(from, to));
        const into = blocks(ranks(size).map((to) => of(rank, to)));
        const wanted = ranks(size).map((from) => of(from, rank));
        return {
          start: (on) =>
            on.ialltoallv(
              IN_PLACE,
              into,
              null,
              wanted.map(({ length }) => length),
            ),
          check: () => check(into, wanted),
        };
      },
    },
  ];
}

/** How a reduction is checked: by name of the operation, or by a function that does not commute. */
interface Kind {
  name: string;
  op: Op;
  array: ArrayClass;
  given: (rank: number, length: number) => NumericArray;
  result: (arrays: NumericArray[]) => NumericArray;
}

export function named(array: ArrayClass, op: OpName): Kind {
  return {
    name: `${array.name} by ${op}`,
    op,
    array,
    given: (rank, length) => contribution(array, op, rank, length),
    result: (arrays) => reduced(array, op, arrays),
  };
}

export const OWN_FUNCTION: Kind = {
  name: 'by a function that does not commute',
  op: afterwards,
  array: Int32Array,
  given: maps,
  result: (arrays) => mapsInOrder(arrays as Int32Array[]),
};

/** All that reduce, of this many elements; for reduceScatter that many for each rank. */
export function reducingCases(kind: Kind, length: number, root: number): Case[] {
  const { op, array, given } = kind;
  // What one process checks of several ranks it need not compute for each.
  const results = new Map<string, NumericArray>();
  const result = (size: number, elements = length): NumericArray => {
    const name = `${size} ${elements}`;
    const known = results.get(name) ?? kind.result(ranks(size).map((rank) => given(rank, elements)));
    results.set(name, known);
    return known;
  };
  const vector = (
    name: string,
    start: <R>(on: Operations<R>, from: NumericArray | typeof IN_PLACE, into: NumericArray) => R,
    wanted: (rank: number, size: number) => NumericArray | undefined,
  ): Case[] =>
    [false, true].map((inPlace) => ({
      name: `${name} of ${length} ${kind.name}${inPlace ? ', in place' : ''}`,
      of: (rank: number, size: number): Part => {
        const from = given(rank, length);
        const into = inPlace ? from : make(array, length);
        const before = into.slice();
        return {
          start: (on) => start(on, inPlace ? IN_PLACE : from, into),
          check: () => assertSame(into, wanted(rank, size) ?? before),
        };
      },
    }));
  const blockOf = (rank: number, size: number): NumericArray =>
    result(size, length * size).slice(rank * length, (rank + 1) * length);
  return [
    {
      name: `reduce of ${length} ${kind.name} at ${root}`,
      of: (rank, size) => {
        const into = make(array, rank === root ? length : 0);
        return {
          start: (on) => on.ireduce(given(rank, length), into, op, root),
          check: () => {
            if (rank === root) assertSame(into, result(size));
          },
        };
      },
    },
    {
      name: `reduce of ${length} ${kind.name} at ${root}, in place`,
      of: (rank, size) => {
        const own = given(rank, length);
        return {
          start: (on) => (rank === root ? on.ireduce(IN_PLACE, own, op, root) : on.ireduce(own, null, op, root)),
          check: () => assertSame(own, rank === root ? result(size) : given(rank, length)),
        };
      },
    },
    ...vector(
      'allreduce',
      (on, from, into) => on.iallreduce(from, into, op),
      (_rank, size) => result(size),
    ),
    ...vector(
      'scan',
      (on, from, into) => on.iscan(from, into, op),
      (rank) => result(rank + 1),
    ),
    ...vector(
      'exscan',
      (on, from, into) => on.iexscan(from, into, op),
      (rank) => (rank === 0 ? undefined : result(rank)),
    ),
    {
      name: `reduceScatter of ${length} ${kind.name}`,
      of: (rank, size) => {
        const into = make(array, length);
        return {
          start: (on) => on.ireduceScatter(given(rank, length * size), into, op),
          check: () => assertSame(into, blockOf(rank, size)),
        };
      },
    },
    {
      name: `reduceScatter of ${length} ${kind.name}, in place`,
      of: (rank, size) => {
        const into = given(rank, length * size);
        return {
          start: (on) => on.ireduceScatter(IN_PLACE, into, op),
          check: () => assertSame(into.slice(0, length), blockOf(rank, size)),
        };
      },
    },
  ];
}
