// Collective operations, blocking: each repetition begins with a barrier, and its time is that of the slowest rank.
// bench/peers/mpi/collectives.c does the same.
import type { World } from '../../lib/index.js';
import type { CollectivePlan } from '../lib/collective-plan.js';
import { printSamples } from '../lib/peer-lines.js';
import { samplesIn } from '../lib/plan.js';
import { median } from '../lib/stats.js';
import { timed } from '../lib/work.js';
import { agree, joinMany, slowestOf } from './many.js';
import { operationOf } from './operations.js';

async function main(): Promise<void> {
  const plan = JSON.parse(process.argv[2]) as CollectivePlan;
  const world = await joinMany(plan.cpus);
  for (const one of plan.cases) run(world, plan, one);
  await world.close();
}

function run(world: World, plan: CollectivePlan, { operation, bytes }: CollectivePlan['cases'][number]): void {
  const start = operationOf(world, operation, bytes);
  const take = (count: number) =>
    Float64Array.from({ length: count }, () => {
      world.ibarrier().wait();
      return timed(() => start().wait());
    });
  const probe = Math.min(...take(3));
  const warm = agree(world, samplesIn(plan.budgetMicros / 4, probe, 1, plan.maxSamples));
  const typical = median(Array.from(take(warm)));
  const count = agree(world, samplesIn(plan.budgetMicros, typical, plan.minSamples, plan.maxSamples));
  const micros = slowestOf(world, take(count));
  if (world.rank === 0) {
    printSamples({ bytes, scenario: `${operation}, ${world.size} ranks`, micros, driver: world.driver });
  }
}

void main();
