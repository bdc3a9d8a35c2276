// Sandia's post-work-wait: a host posts a message, works, and waits for it, while the other end only waits. The work is
// doubled until it is longer than the transfer; and once more until it is longer than four, for what both ends transfer in
// half the time takes one of them, who does it alone, longer than that. bench/peers/mpi/availability.c does the same.
import { printAvailability } from '../lib/peer-lines.js';
import { decodePlan, type Plan, samplesIn } from '../lib/plan.js';
import { median } from '../lib/stats.js';
import { iterationsPerMicrosecond, timed, work } from '../lib/work.js';
import { joinPair, type Pair } from './rank.js';
import { syncEnds } from './sync.js';
import { transfer } from './transfer.js';

const orderTag = 1;
/** In transfers; the first is Sandia's. */
const longEnough = { '': 1.5, '-long': 4 };

async function main(): Promise<void> {
  const plan = decodePlan(process.argv[2]);
  const pair = await joinPair(plan.cpus);
  const rate = iterationsPerMicrosecond();
  for (const one of plan.cases) {
    for (const scenario of ['sender', 'receiver'] as const) {
      const data = new Uint8Array(one.bytes).fill(1);
      const host = scenario === 'sender' ? 0 : 1;
      if (pair.world.rank !== host) accompany(pair, data);
      else {
        const { world, peer } = pair;
        const about = { bytes: one.bytes, driver: world.driver, copy: world.copy(peer) };
        for (const { length, ...times } of measure(pair, data, plan, rate)) {
          printAvailability({ scenario: `${scenario}${length}`, ...about, ...times });
        }
      }
    }
  }
  await pair.world.close();
}

interface Batch {
  alone: number[];
  iter: number[];
}

function measure(pair: Pair, data: Uint8Array, plan: Plan, rate: number) {
  const tell = (count: number) => pair.world.isend(Float64Array.of(count), { dest: pair.peer, tag: orderTag }).wait();
  const take = (count: number, iterations: number): Batch => {
    const batch: Batch = { alone: [], iter: [] };
    tell(count);
    for (let i = 0; i < count; i++) {
      syncEnds(pair);
      batch.alone.push(iterations > 0 ? timed(() => work(iterations)) : 0);
      syncEnds(pair);
      batch.iter.push(transfer(pair, data, iterations));
    }
    return batch;
  };
  // Half of the time for the work that is long enough in the end, which takes three times as long as a transfer.
  const probe = median(take(5, 0).iter);
  const count = samplesIn(plan.budgetMicros / 2, 3 * probe, plan.minSamples, plan.maxSamples);
  const base = take(count, 0).iter;
  let iterations = Math.ceil((rate * median(base)) / 4);
  const measured = Object.entries(longEnough).map(([length, transfers]) => {
    // Once, to know whether it is worth measuring.
    while (median(take(plan.minSamples, iterations).iter) <= transfers * median(base)) iterations *= 2;
    return { length: length as keyof typeof longEnough, base, ...take(count, iterations) };
  });
  tell(0);
  return measured;
}

/** The other end, which works nothing. */
function accompany(pair: Pair, data: Uint8Array): void {
  const order = new Float64Array(1);
  for (;;) {
    pair.world.irecv(order, { source: pair.peer, tag: orderTag }).wait();
    if (order[0] === 0) return;
    for (let i = 0; i < order[0]; i++) {
      syncEnds(pair);
      syncEnds(pair);
      transfer(pair, data, 0);
    }
  }
}

void main();
