// Many ranks: how long they take to join, an all-to-all, and the memory they share. bench/peers/mpi/scale.c does the same.
import { readFileSync } from 'node:fs';
import { Request, type World } from '../../lib/index.js';
import { type PairTimes, print } from '../lib/peer-lines.js';
import { samplesIn } from '../lib/plan.js';
import { postedReceives, type ScalePlan } from '../lib/scale-plan.js';
import { median } from '../lib/stats.js';
import { timed } from '../lib/work.js';
import { agree, joinMany, slowestOf } from './many.js';
import { pairRate, pairRateBeside } from './pair-rate.js';

/** Of a clock that all processes read alike. */
function now(): number {
  return Number(process.hrtime.bigint()) / 1000;
}

/** This process's part of the pages it shares, so that the sum over all ranks counts each page once. */
function shared(): number {
  const kilobytes = /^Pss_Shmem:\s+(\d+) kB/m.exec(readFileSync('/proc/self/smaps_rollup', 'utf8'));
  return kilobytes ? Number(kilobytes[1]) * 1024 : 0;
}

/** With the neighbour alone, by messages: a collective operation would make others talk. */
function talkToNeighbour(world: World): void {
  const peer = world.rank ^ 1;
  if (peer >= world.size) return;
  const word = new Uint8Array(8);
  Request.waitAll([world.irecv(new Uint8Array(8), { source: peer }), world.isend(word, { dest: peer })]);
}

function alltoall(world: World, plan: ScalePlan, bytes: number): { bytes: number; micros: number[] } {
  const [from, into] = [new Uint8Array(bytes * world.size).fill(1), new Uint8Array(bytes * world.size)];
  const take = (count: number) =>
    Float64Array.from({ length: count }, () => {
      world.ibarrier().wait();
      return timed(() => world.ialltoall(from, into).wait());
    });
  const typical = median(Array.from(take(3)));
  const count = agree(world, samplesIn(plan.budgetMicros, typical, plan.minSamples, plan.maxSamples));
  return { bytes, micros: slowestOf(world, take(count)) };
}

/** The pair's own ranks; the others sleep in the barrier. */
function pairTimes(world: World, plan: ScalePlan): PairTimes {
  const talks = world.rank < 2;
  const silent = talks ? pairRate(world, plan) : [];
  const posted = talks ? pairRateBeside(world, plan, postedReceives) : [];
  world.ibarrier().wait();
  return { silent, posted };
}

async function main(): Promise<void> {
  const plan = JSON.parse(process.argv[2]) as ScalePlan;
  const began = now();
  const world = await joinMany(plan.cpus);
  const joined = now();
  const memory = [shared()];
  talkToNeighbour(world);
  memory.push(shared());
  const pair = pairTimes(world, plan);
  const times = plan.sizes.map((bytes) => alltoall(world, plan, bytes));
  memory.push(shared());
  const [first, last] = slowestOf(world, Float64Array.of(began, joined));
  // Each rank's own, one after the other and not at one time, but nobody talks to more ranks in between.
  const total = new Float64Array(3);
  world.ireduce(Float64Array.from(memory), total, 'sum', 0).wait();
  if (world.rank === 0) {
    const [joinedBytes, neighbours, all] = total;
    const sharedBytes = { joined: joinedBytes, neighbours, all };
    print({
      bench: 'scale',
      ranks: world.size,
      join: last - first,
      alltoall: times,
      pair,
      shared: sharedBytes,
      driver: world.driver,
    });
  }
  await world.close();
}

void main();
