// What the rank scripts share: joining, and the course of a measurement by blocking messages.
import { World } from '../../lib/index.js';
import { pinSelf } from '../lib/pin.js';
import { type Case, decodePlan, type Plan } from '../lib/plan.js';
import { type Follower, follow, type Leader, lead } from '../lib/turns.js';
import { copyCounter, kindCount, kindsOf } from './ways.js';

/** Orders come apart from data, whatever is in flight. */
const orderTag = 1;
const copiesTag = 5;

export interface Pair {
  world: World;
  peer: number;
}

/** Joins the world of two that the launcher made, on the processor that the plan has for this rank. */
export async function joinPair(cpus: [number, number] | undefined): Promise<Pair> {
  // Ranks pin themselves: the launcher leaves that to its user. Which rank this is, is known only after joining, and
  // what joining starts inherits nothing that matters here.
  const world = await World.join();
  pinSelf(cpus?.[world.rank]);
  return { world, peer: 1 - world.rank };
}

export interface Rank {
  leader(pair: Pair, one: Case): Leader['sample'];
  follower(pair: Pair, one: Case): Follower['sample'];
  perSample(one: Case): number;
}

/** Runs a measure of ours: `<variant> <plan>` on the command line. */
export async function runRank(ranks: Record<string, Rank>): Promise<void> {
  const [variant, orders] = process.argv.slice(2);
  const rank = ranks[variant];
  if (rank === undefined) throw new Error(`${variant}: not one of ${Object.keys(ranks).join(', ')}`);
  const plan: Plan = decodePlan(orders);
  const pair = await joinPair(plan.cpus);
  const { world, peer } = pair;
  const order = new Float64Array(1);
  const count = copyCounter(world);
  const theirs = new Float64Array(kindCount);
  if (world.rank === 0) {
    const tell = (samples: number) => {
      order[0] = samples;
      world.isend(order, { dest: peer, tag: orderTag }).wait();
      if (samples === 0) world.irecv(theirs, { source: peer, tag: copiesTag }).wait();
    };
    const endFor = (one: Case) => ({ tell, sample: rank.leader(pair, one) });
    await lead(plan, endFor, rank.perSample, () => ({
      driver: world.driver,
      copy: kindsOf(count(), theirs, world.copy(peer)),
    }));
  } else {
    const hear = () => {
      world.irecv(order, { source: peer, tag: orderTag }).wait();
      if (order[0] === 0) world.isend(count(), { dest: peer, tag: copiesTag }).wait();
      return order[0];
    };
    await follow(plan, (one) => ({ hear, sample: rank.follower(pair, one) }));
  }
  await world.close();
}
