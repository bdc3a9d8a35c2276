// Nonblocking collective operations while all ranks compute as long as the operation takes alone, as OSU's osu_i*.
// The work is counted in iterations. bench/peers/mpi/collectives-overlap.c does the same.
import type { World } from '../../lib/index.js';
import type { CollectivePlan } from '../lib/collective-plan.js';
import { printCollectiveOverlap } from '../lib/peer-lines.js';
import { samplesIn } from '../lib/plan.js';
import { median } from '../lib/stats.js';
import { iterationsPerMicrosecond, timed, work } from '../lib/work.js';
import { agree, joinMany, slowestOf } from './many.js';
import { operationOf } from './operations.js';

async function main(): Promise<void> {
  const plan = JSON.parse(process.argv[2]) as CollectivePlan;
  const world = await joinMany(plan.cpus);
  const rate = agree(world, iterationsPerMicrosecond());
  for (const one of plan.cases) run(world, plan, one, rate);
  await world.close();
}

function run(world: World, plan: CollectivePlan, one: CollectivePlan['cases'][number], rate: number): void {
  const { operation, bytes } = one;
  const start = operationOf(world, operation, bytes);
  const together = (what: () => void) => {
    world.ibarrier().wait();
    return timed(what);
  };
  const alone = (count: number) => Float64Array.from({ length: count }, () => together(() => start().wait()));
  const probe = Math.min(...alone(3));
  const warm = agree(world, samplesIn(plan.budgetMicros / 4, probe, 1, plan.maxSamples));
  const typical = median(Array.from(alone(warm)));
  // Alone, working, and both, which is two of them.
  const count = agree(world, samplesIn(plan.budgetMicros / 4, typical, plan.minSamples, plan.maxSamples));
  const slowest = slowestOf(world, alone(count));
  const pure = agree(world, world.rank === 0 ? median(slowest) : 0);
  const iterations = Math.ceil(rate * pure);
  const computed = new Float64Array(count);
  const total = new Float64Array(count);
  for (let i = 0; i < count; i++) {
    computed[i] = together(() => work(iterations));
    total[i] = together(() => {
      const request = start();
      work(iterations);
      request.wait();
    });
  }
  const usual = median(Array.from(computed));
  // What of it is left over beside the work, on the rank where most is.
  const exposed = slowestOf(
    world,
    total.map((micros) => micros - usual),
  );
  if (world.rank !== 0) return;
  const scenario = `i${operation}, ${world.size} ranks`;
  printCollectiveOverlap({ scenario, bytes, pure, exposed, driver: world.driver });
}

void main();
