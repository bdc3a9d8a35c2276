// The collective operations that only move data: what they are given, as a call of their schedule.
import { type Bytes, checkBytes, type Passed } from '../bytes.js';
import { invalidArgument } from '../errors.js';
import { allgather, allgatherv } from './allgather.js';
import { alltoall, alltoallv } from './alltoall.js';
import {
  blockOf,
  checkApart,
  checkCounts,
  checkLength,
  checkRoot,
  checkSameElements,
  checkUnlessInPlace,
  type InPlace,
} from './arguments.js';
import { barrier } from './barrier.js';
import { bcast } from './bcast.js';
import { Blocks } from './blocks.js';
import type { Call } from './channel.js';
import { gathervRoot, scattervRoot } from './counted.js';
import { gather } from './gather.js';
import { plan, type Ranks } from './plans.js';
import { scatter } from './scatter.js';
import { FROM, INTO, Schedule } from './schedule.js';

export type Counts = readonly number[] | Int32Array | Uint32Array;

const NOTHING = new Uint8Array(0);

export function callBarrier(ranks: Ranks): Call<true> {
  const { called, schedule } = plan(ranks, 'barrier', 0, 0, 0, () => {
    const made = new Schedule(ranks.rank, ranks.size);
    barrier(made);
    return { called: 'barrier', schedule: made };
  });
  return { called, schedule, buffers: [], result: true };
}

export function callBcast<T extends Bytes>(ranks: Ranks, buffer: T, rootGiven: number): Call<T> {
  const data = checkBytes(buffer, 'buffer');
  const root = checkRoot(rootGiven, ranks.size);
  const bytes = data.byteLength;
  const { called, schedule } = plan(ranks, 'bcast', bytes, root, 0, () => {
    const made = new Schedule(ranks.rank, ranks.size);
    bcast(made, INTO, bytes, root);
    return { called: `bcast of ${bytes} bytes from root ${root}`, schedule: made };
  });
  return { called, schedule, buffers: [data], result: buffer };
}

export function callGather<T extends Bytes>(
  { rank, size }: Ranks,
  from: Bytes | InPlace,
  into: T | null | undefined,
  rootGiven: number,
): Call<T> {
  const root = checkRoot(rootGiven, size);
  const own = checkUnlessInPlace(from, 'from', rank === root);
  const schedule = new Schedule(rank, size);
  let block = own?.byteLength ?? 0;
  let all: Passed = NOTHING;
  if (rank === root) {
    all = checkBytes(into, 'into');
    if (own === undefined) block = blockOf(all, 'into', size);
    else checkLength(all, 'into', block * size, `${size} times as long as 'from'`);
    checkSameElements(own, all);
    checkApart(own, all);
  }
  gather(schedule, own && FROM, INTO, block, root);
  const called = `gather of ${block} bytes each at root ${root}`;
  return { called, schedule, buffers: [all, own ?? NOTHING], result: (into ?? from) as T };
}

export function callScatter<T extends Bytes>(
  { rank, size }: Ranks,
  from: Bytes | null | undefined,
  into: T | InPlace,
  rootGiven: number,
): Call<T> {
  const root = checkRoot(rootGiven, size);
  const own = checkUnlessInPlace(into, 'into', rank === root);
  const schedule = new Schedule(rank, size);
  let block = own?.byteLength ?? 0;
  let all: Passed = NOTHING;
  if (rank === root) {
    all = checkBytes(from, 'from');
    if (own === undefined) block = blockOf(all, 'from', size);
    else checkLength(all, 'from', block * size, `${size} times as long as 'into'`);
    if (own !== undefined) checkSameElements(all, own);
    checkApart(all, own);
  }
  scatter(schedule, FROM, own && INTO, block, root);
  const called = `scatter of ${block} bytes each from root ${root}`;
  const result = (own === undefined ? from : into) as T;
  return { called, schedule, buffers: [own ?? NOTHING, all], result };
}

export function callAllgather<T extends Bytes>(ranks: Ranks, from: Bytes | InPlace, into: T): Call<T> {
  const { rank, size } = ranks;
  const own = checkUnlessInPlace(from, 'from', true);
  const all = checkBytes(into, 'into');
  const block = own?.byteLength ?? blockOf(all, 'into', size);
  checkLength(all, 'into', block * size, `${size} times as long as 'from'`);
  checkSameElements(own, all);
  checkApart(own, all);
  const { called, schedule } = plan(ranks, 'allgather', block, 0, own === undefined ? 1 : 0, () => {
    const made = new Schedule(rank, size);
    allgather(made, own && FROM, INTO, block);
    return { called: `allgather of ${block} bytes each`, schedule: made };
  });
  return { called, schedule, buffers: [all, own ?? NOTHING], result: into };
}

export function callAlltoall<T extends Bytes>(ranks: Ranks, from: Bytes | InPlace, into: T): Call<T> {
  const { rank, size } = ranks;
  const given = checkUnlessInPlace(from, 'from', true);
  const all = checkBytes(into, 'into');
  const block = blockOf(all, 'into', size);
  if (given !== undefined) checkLength(given, 'from', all.byteLength, "as long as 'into'");
  checkSameElements(given, all);
  checkApart(given, all);
  const { called, schedule } = plan(ranks, 'alltoall', block, 0, given === undefined ? 1 : 0, () => {
    const made = new Schedule(rank, size);
    const source = given === undefined ? made.scratch(all.byteLength) : FROM;
    if (given === undefined) made.copy(source, INTO, all.byteLength);
    alltoall(made, source, INTO, block);
    return { called: `alltoall of ${block} bytes each`, schedule: made };
  });
  return { called, schedule, buffers: [all, given ?? NOTHING], result: into };
}

export function callGatherv<T extends Bytes>(
  { rank, size }: Ranks,
  from: Bytes | InPlace,
  into: T | null | undefined,
  counts: Counts | null | undefined,
  rootGiven: number,
): Call<T> {
  const root = checkRoot(rootGiven, size);
  const own = checkUnlessInPlace(from, 'from', rank === root);
  const schedule = new Schedule(rank, size);
  let all: Passed = NOTHING;
  if (rank === root) {
    all = checkBytes(into, 'into');
    const blocks = Blocks.of(checkCounts(counts, 'counts', size, all, 'into'));
    if (own !== undefined) checkLength(own, 'from', blocks.bytes(rank), `as long as 'counts' says for rank ${rank}`);
    checkSameElements(own, all);
    checkApart(own, all);
    gathervRoot(schedule, own && FROM, INTO, blocks);
  } else {
    schedule.send(root, FROM, own!.byteLength);
  }
  return {
    called: `gatherv at root ${root}`,
    schedule,
    buffers: [all, own ?? NOTHING],
    result: (into ?? from) as T,
  };
}

export function callScatterv<T extends Bytes>(
  { rank, size }: Ranks,
  from: Bytes | null | undefined,
  into: T | InPlace,
  counts: Counts | null | undefined,
  rootGiven: number,
): Call<T> {
  const root = checkRoot(rootGiven, size);
  const own = checkUnlessInPlace(into, 'into', rank === root);
  const schedule = new Schedule(rank, size);
  let all: Passed = NOTHING;
  if (rank === root) {
    all = checkBytes(from, 'from');
    const blocks = Blocks.of(checkCounts(counts, 'counts', size, all, 'from'));
    if (own !== undefined) {
      checkLength(own, 'into', blocks.bytes(rank), `as long as 'counts' says for rank ${rank}`);
      checkSameElements(all, own);
    }
    checkApart(all, own);
    scattervRoot(schedule, FROM, own && INTO, blocks);
  } else {
    schedule.recv(root, INTO, own!.byteLength);
  }
  const result = (own === undefined ? from : into) as T;
  return { called: `scatterv from root ${root}`, schedule, buffers: [own ?? NOTHING, all], result };
}

export function callAllgatherv<T extends Bytes>(
  { rank, size }: Ranks,
  from: Bytes | InPlace,
  into: T,
  counts: Counts,
): Call<T> {
  const own = checkUnlessInPlace(from, 'from', true);
  const all = checkBytes(into, 'into');
  const lengths = checkCounts(counts, 'counts', size, all, 'into');
  const blocks = Blocks.of(lengths);
  if (own !== undefined) checkLength(own, 'from', blocks.bytes(rank), `as long as 'counts' says for rank ${rank}`);
  checkSameElements(own, all);
  checkApart(own, all);
  const schedule = new Schedule(rank, size);
  allgatherv(schedule, own && FROM, INTO, blocks);
  const called = `allgatherv of ${blocks.bytes(0, size)} bytes (${hash(lengths)})`;
  return { called, schedule, buffers: [all, own ?? NOTHING], result: into };
}

export function callAlltoallv<T extends Bytes>(
  { rank, size }: Ranks,
  from: Bytes | InPlace,
  into: T,
  sendCounts: Counts | null | undefined,
  recvCounts: Counts,
): Call<T> {
  const given = checkUnlessInPlace(from, 'from', true);
  const all = checkBytes(into, 'into');
  const received = Blocks.of(checkCounts(recvCounts, 'recvCounts', size, all, 'into'));
  const schedule = new Schedule(rank, size);
  if (given === undefined) {
    const bytes = received.bytes(0, size);
    const source = schedule.scratch(bytes);
    schedule.copy(source, INTO, bytes);
    alltoallv(schedule, source, received, INTO, received);
  } else {
    const sent = Blocks.of(checkCounts(sendCounts, 'sendCounts', size, given, 'from'));
    if (sent.bytes(rank) !== received.bytes(rank)) {
      throw invalidArgument(`recvCounts[${rank}]`, 'as many as this rank sends to itself', recvCounts[rank]);
    }
    checkSameElements(given, all);
    checkApart(given, all);
    alltoallv(schedule, FROM, sent, INTO, received);
  }
  return { called: 'alltoallv', schedule, buffers: [all, given ?? NOTHING], result: into };
}

/** Of counts, which are too many to be told. */
function hash(counts: readonly number[]): string {
  let value = 0;
  for (const count of counts) value = (Math.imul(value, 31) + count) | 0;
  return (value >>> 0).toString(16);
}
