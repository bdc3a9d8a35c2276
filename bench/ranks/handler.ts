// Transfers between two ranks that both compute, so that handlers do all the work, and how long their runs took.
import type { World } from '../../lib/index.js';
import { print } from '../lib/peer-lines.js';
import { decodePlan, type Plan, samplesIn } from '../lib/plan.js';
import { iterationsPerMicrosecond, work } from '../lib/work.js';
import { joinPair, type Pair } from './rank.js';
import { syncEnds } from './sync.js';
import { gatherTimes } from './transfer.js';

const headStartMicros = 30;

/** Long enough for handlers to move everything: at 1 GB/s, and as long as it takes to tell each other. */
function enoughMicros(bytes: number): number {
  return bytes / 1000 + 200;
}

async function main(): Promise<void> {
  const plan = decodePlan(process.argv[2]);
  const pair = await joinPair(plan.cpus);
  const rate = iterationsPerMicrosecond();
  for (const { bytes } of plan.cases) run(pair, plan, bytes, rate);
  await pair.world.close();
}

function run(pair: Pair, plan: Plan, bytes: number, rate: number): void {
  const { world, peer } = pair;
  const data = new Uint8Array(bytes).fill(1);
  const micros = enoughMicros(bytes);
  const count = samplesIn(plan.budgetMicros, micros, plan.minSamples, plan.maxSamples);
  const before = world.stats();
  for (let i = 0; i < count; i++) {
    syncEnds(pair);
    // Who sends comes a little later, and finds a receiver that computes.
    if (world.rank === 0) work(rate * headStartMicros);
    const request = world.rank === 0 ? world.issend(data, { dest: peer }) : world.irecv(data, { source: peer, tag: 0 });
    work(rate * micros);
    request.wait();
  }
  const mine = since(world, before);
  const theirs = gatherTimes(pair, Float64Array.from(mine));
  if (theirs === undefined) return;
  const cycles = mine.map((value, i) => value + theirs[i]);
  print({ bench: 'handler', bytes, cycles, driver: world.driver, copy: world.copy(peer) });
}

function since(world: World, { handlerCycles }: ReturnType<World['stats']>): number[] {
  return world.stats().handlerCycles.map((runs, i) => runs - handlerCycles[i]);
}

void main();
