// What a rank spends that waits for a message: rank 0 waits, rank 1 sends once the time is over. bench/peers/mpi/idle.c
// does the same.
import { printIdle } from '../lib/peer-lines.js';
import type { IdlePlan } from '../peers/idle.js';
import { joinPair, type Pair } from './rank.js';
import { syncEnds } from './sync.js';

async function waitFor({ world, peer }: Pair, how: string): Promise<void> {
  const request = world.irecv(new Uint8Array(1), { source: peer });
  if (how === 'wait') request.wait();
  else await request;
}

async function main(): Promise<void> {
  const how = process.argv[2];
  const plan = JSON.parse(process.argv[3]) as IdlePlan;
  const pair = await joinPair(plan.cpus);
  const { world, peer } = pair;
  syncEnds(pair);
  if (world.rank === 1) {
    await new Promise((resolve) => setTimeout(resolve, plan.milliseconds));
    await world.send(new Uint8Array(1), { dest: peer });
  } else {
    const [start, spent] = [performance.now(), process.cpuUsage()];
    await waitFor(pair, how);
    const { user, system } = process.cpuUsage(spent);
    printIdle({ waited: (performance.now() - start) * 1000, spent: user + system, driver: world.driver });
  }
  await world.close();
}

void main();
