// Rank 0 in a worker thread.
import { parentPort, workerData } from 'node:worker_threads';
import { type JoinOptions, World } from '../../lib/index.js';
import { computeUnderFire, undisturbed } from './ranks.js';

async function main({ join, messages }: { join: JoinOptions; messages: number }): Promise<void> {
  const expected = await undisturbed();
  const world = await World.join(join);
  const handled = await computeUnderFire(world, expected, messages, (note) => parentPort!.postMessage({ note }));
  await world.close();
  parentPort!.postMessage({ handled });
}

void main(workerData as Parameters<typeof main>[0]);
