// Pure computation, of a fixed number of iterations: `plain` without the package, `loaded` as rank 0 of a world of two in
// which nothing happens.
import { printSamples } from '../lib/peer-lines.js';
import { pinSelf } from '../lib/pin.js';
import { decodePlan, type Plan, samplesIn } from '../lib/plan.js';
import { median } from '../lib/stats.js';
import { timed, work } from '../lib/work.js';
import type { Pair } from './rank.js';

/** About a millisecond. */
const iterations = 500_000;

function compute(plan: Plan, driver?: string): void {
  const warm = Array.from({ length: 30 }, () => timed(() => work(iterations)));
  const count = samplesIn(plan.budgetMicros, median(warm), plan.minSamples, plan.maxSamples);
  const micros = Array.from({ length: count }, () => timed(() => work(iterations)));
  printSamples({ bytes: 0, micros, ...(driver !== undefined && { driver }) });
}

async function besideIdleRank({ world, peer }: Pair, plan: Plan): Promise<void> {
  const end = new Uint8Array(1);
  if (world.rank === 1) await world.recv(end, { source: peer });
  else {
    compute(plan, world.driver);
    await world.send(end, { dest: peer });
  }
  await world.close();
}

async function main(): Promise<void> {
  const [how, orders] = process.argv.slice(2);
  const plan = decodePlan(orders);
  if (how === 'plain') {
    pinSelf(plan.cpus?.[0]);
    compute(plan);
    return;
  }
  const { joinPair } = await import('./rank.js');
  await besideIdleRank(await joinPair(plan.cpus), plan);
}

void main();
