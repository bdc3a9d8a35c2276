// Workers as ranks: each serves, the front asks.
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { World } from 'uintr';
import { type AnswerTo, type Job, work } from './jobs.js';
import { Dispatch, type Pool } from './pool.js';

const WORK = 1;

export async function startRanks(workers: number): Promise<Pool> {
  const place = { name: `service-${process.pid}`, size: workers + 1 };
  const ranks = Array.from({ length: workers }, (_, i) => i + 1);
  const children = ranks.map((rank) => fork(__filename, [JSON.stringify({ ...place, rank })]));
  const world = await World.join({ ...place, rank: 0 });
  const dispatch = new Dispatch(ranks);
  return {
    run: <J extends Job>(job: J) => dispatch.run((rank) => world.request<J, AnswerTo<J>>(rank, WORK, job)),
    async close() {
      const ended = children.map((child) => child.exitCode ?? once(child, 'exit'));
      await world.close();
      await Promise.all(ended);
    },
  };
}

async function main(): Promise<void> {
  const world = await World.join(JSON.parse(process.argv[2]!));
  process.disconnect();
  // Servers keep their processes alive as long as anybody could ask, which the other workers could.
  world.on('peer-exit', ({ rank }) => {
    if (rank === 0) void world.close();
  });
  // While one is worked on the next can travel.
  world.serve(WORK, work, { maxInFlight: 2 });
}

if (require.main === module) void main();
