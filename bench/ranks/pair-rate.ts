// What a short message between two ranks costs, whatever else there is: ranks that are silent, and receives that are
// posted for other messages.
import { Request, type World } from '../../lib/index.js';
import { samplesIn } from '../lib/plan.js';
import type { ScalePlan } from '../lib/scale-plan.js';
import { median } from '../lib/stats.js';
import { timed } from '../lib/work.js';

const window = 64;
const messageTag = 1;
const replyTag = 2;
const firstOtherTag = 3;

/** On rank 0, microseconds a message; rank 1 answers each window, and the others wait for something else. */
export function pairRate(world: World, plan: ScalePlan): number[] {
  const peer = 1 - world.rank;
  const word = new Uint8Array(8);
  const words = Array.from({ length: window }, () => new Uint8Array(8));
  const lead = () => {
    Request.waitAll(words.map((one) => world.isend(one, { dest: peer, tag: messageTag })));
    world.irecv(word, { source: peer, tag: replyTag }).wait();
  };
  const follow = () => {
    Request.waitAll(words.map((one) => world.irecv(one, { source: peer, tag: messageTag })));
    world.isend(word, { dest: peer, tag: replyTag }).wait();
  };
  const once = world.rank === 0 ? lead : follow;
  const take = (count: number) => Array.from({ length: count }, () => timed(once));
  const warm = median(take(20));
  const count = Float64Array.of(samplesIn(plan.budgetMicros, warm, plan.minSamples, plan.maxSamples));
  if (world.rank === 0) world.isend(count, { dest: peer, tag: replyTag }).wait();
  else world.irecv(count, { source: peer, tag: replyTag }).wait();
  return take(count[0]).map((micros) => micros / window);
}

/** The same while the receiver has `receives` more posted, for messages of the same rank that never come. */
export function pairRateBeside(world: World, plan: ScalePlan, receives: number): number[] {
  const others =
    world.rank === 0
      ? []
      : Array.from({ length: receives }, (_, i) =>
          world.irecv(new Uint8Array(8), { source: 0, tag: firstOtherTag + i }),
        );
  const times = pairRate(world, plan);
  for (const other of others) other.cancel();
  return times;
}
