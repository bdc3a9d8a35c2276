// Overlap: the sender, the receiver, or both compute between posting a request and waiting for it; who does not compute
// waits at once. Work alone is measured between the repetitions, so that a change of clock speed meets both.
// bench/peers/mpi/overlap.c does the same.

import type { OverlapCase, OverlapPlan } from '../lib/overlap-plan.js';
import { printOverlap, type Scenario } from '../lib/peer-lines.js';
import { iterationsPerMicrosecond, timed, work } from '../lib/work.js';
import { joinPair, type Pair } from './rank.js';
import { syncEnds } from './sync.js';
import { gatherTimes, transfer } from './transfer.js';

const scenarios: Scenario[] = ['sender', 'receiver', 'both'];

async function main(): Promise<void> {
  const plan = JSON.parse(process.argv[2]) as OverlapPlan;
  const pair = await joinPair(plan.cpus);
  const rate = iterationsPerMicrosecond();
  for (const one of plan.cases) {
    const iterations = Math.ceil(rate * one.computeMicros);
    for (const scenario of scenarios) run(pair, one, scenario, iterations);
  }
  await pair.world.close();
}

function run(pair: Pair, { bytes, repetitions }: OverlapCase, scenario: Scenario, iterations: number): void {
  const { world, peer } = pair;
  const computers = scenario === 'both' ? [0, 1] : [scenario === 'sender' ? 0 : 1];
  const mine = computers.includes(world.rank) ? iterations : 0;
  const data = new Uint8Array(bytes).fill(1);
  const warm = Math.ceil(repetitions / 5) + 2;
  // Work alone and in all, by turns.
  const times = new Float64Array(2 * repetitions);
  for (let i = -warm; i < repetitions; i++) {
    syncEnds(pair);
    const alone = mine > 0 ? timed(() => work(mine)) : 0;
    syncEnds(pair);
    const total = transfer(pair, data, mine);
    if (i < 0) continue;
    times[2 * i] = alone;
    times[2 * i + 1] = total;
  }
  const theirs = gatherTimes(pair, times);
  if (theirs === undefined) return;
  const ends = computers.map((rank) => (rank === 0 ? times : theirs));
  printOverlap({
    scenario,
    bytes,
    alone: ends.map((end) => everySecond(end, 0)),
    total: ends.map((end) => everySecond(end, 1)),
    driver: world.driver,
    copy: world.copy(peer),
  });
}

function everySecond(values: Float64Array, from: number): number[] {
  return Array.from(values.filter((_, i) => i % 2 === from));
}

void main();
