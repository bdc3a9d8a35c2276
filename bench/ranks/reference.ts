// t_ref where there is no Open MPI: our own transfer, copied by one end. The sender has posted and computes when the
// receiver posts and waits, so the receiver copies everything.

import type { OverlapCase, OverlapPlan } from '../lib/overlap-plan.js';
import { printSamples } from '../lib/peer-lines.js';
import { iterationsPerMicrosecond, timed, work } from '../lib/work.js';
import { joinPair, type Pair } from './rank.js';
import { syncEnds } from './sync.js';

const timesTag = 4;
const headStartMicros = 30;

async function main(): Promise<void> {
  const plan = JSON.parse(process.argv[2]) as OverlapPlan;
  const pair = await joinPair(plan.cpus);
  const rate = iterationsPerMicrosecond();
  for (const one of plan.cases) run(pair, one, rate);
  await pair.world.close();
}

function run(pair: Pair, { bytes, repetitions, computeMicros }: OverlapCase, rate: number): void {
  const { world, peer } = pair;
  const data = new Uint8Array(bytes).fill(1);
  const warm = Math.ceil(repetitions / 5) + 2;
  const times = new Float64Array(repetitions);
  for (let i = -warm; i < repetitions; i++) {
    syncEnds(pair);
    if (world.rank === 0) {
      const request = world.isend(data, { dest: peer });
      work(rate * (headStartMicros + computeMicros));
      request.wait();
    } else {
      work(rate * headStartMicros);
      const micros = timed(() => world.irecv(data, { source: peer, tag: 0 }).wait());
      if (i >= 0) times[i] = micros;
    }
  }
  if (world.rank === 1) {
    world.isend(times, { dest: peer, tag: timesTag }).wait();
    return;
  }
  world.irecv(times, { source: peer, tag: timesTag }).wait();
  printSamples({ bytes, micros: Array.from(times), driver: world.driver, copy: world.copy(peer) });
}

void main();
