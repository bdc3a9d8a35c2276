// MadMPI's overlap: the computation lasts until a time, whatever is taken from it meanwhile, so this measures progress
// alone. Rank 0 keeps the time, from posting until an empty answer to the message. bench/peers/mpi/madmpi.c is the same.
import type { Request } from '../../lib/index.js';
import { printMadmpi, type Scenario } from '../lib/peer-lines.js';
import { decodePlan, type Plan, samplesIn } from '../lib/plan.js';
import { median } from '../lib/stats.js';
import { work } from '../lib/work.js';
import { joinPair, type Pair } from './rank.js';

const dataTag = 0;
const orderTag = 1;
const answerTag = 2;
const nothing = new Uint8Array(0);

/** Who sends, who computes; both send where both compute. */
const scenarios: Scenario[] = ['sender', 'receiver', 'both'];

class Ends {
  readonly #pair: Pair;
  readonly #out: Uint8Array;
  readonly #into: Uint8Array;
  readonly #scenario: Scenario;

  constructor(pair: Pair, bytes: number, scenario: Scenario) {
    this.#pair = pair;
    this.#out = new Uint8Array(bytes).fill(1);
    this.#into = new Uint8Array(bytes).fill(1);
    this.#scenario = scenario;
  }

  /** Microseconds from posting to the answer. */
  lead(micros: number): number {
    const { world, peer } = this.#pair;
    const start = performance.now();
    this.#move(this.#scenario === 'receiver' ? 0 : micros);
    world.irecv(nothing, { source: peer, tag: answerTag }).wait();
    return (performance.now() - start) * 1000;
  }

  follow(micros: number): void {
    const { world, peer } = this.#pair;
    this.#move(this.#scenario === 'sender' ? 0 : micros);
    world.isend(nothing, { dest: peer, tag: answerTag }).wait();
  }

  #move(micros: number): void {
    const { world, peer } = this.#pair;
    const [sends, receives] =
      this.#scenario === 'both' ? [true, true] : [this.#pair.world.rank === 0, this.#pair.world.rank === 1];
    const requests: Request<unknown>[] = [];
    if (receives) requests.push(world.irecv(this.#into, { source: peer, tag: dataTag }));
    if (sends) requests.push(world.isend(this.#out, { dest: peer, tag: dataTag }));
    if (micros > 0) computeUntil(performance.now() + micros / 1000);
    for (const request of requests) request.wait();
  }
}

function computeUntil(end: number): void {
  while (performance.now() < end) work(64);
}

async function main(): Promise<void> {
  const plan = decodePlan(process.argv[2]);
  const pair = await joinPair(plan.cpus);
  for (const { bytes } of plan.cases) for (const scenario of scenarios) run(pair, plan, bytes, scenario);
  await pair.world.close();
}

function run(pair: Pair, plan: Plan, bytes: number, scenario: Scenario): void {
  const { world, peer } = pair;
  const order = new Float64Array(3);
  if (world.rank === 1) {
    for (;;) {
      world.irecv(order, { source: peer, tag: orderTag }).wait();
      const [count, micros, length] = order;
      if (count === 0) return;
      const ends = new Ends(pair, length, scenario);
      for (let i = 0; i < count; i++) ends.follow(micros);
    }
  }
  const take = (count: number, micros: number, length: number): number[] => {
    order.set([count, micros, length]);
    world.isend(order, { dest: peer, tag: orderTag }).wait();
    const ends = new Ends(pair, length, scenario);
    const taken = Array.from({ length: count }, () => ends.lead(micros));
    // The first ones touch the buffers, and what the compiler has not seen.
    return taken.slice(Math.floor(count / 5));
  };
  const lat0 = median(take(100, 0, 0)) / 2;
  const probe = median(take(5, 0, bytes));
  // Without computation, and then with as much again.
  const count = samplesIn(plan.budgetMicros / 3, probe, plan.minSamples, plan.maxSamples);
  const latref = Math.max(median(take(count, 0, bytes)) - lat0, 0.001);
  const rtt = take(count, latref, bytes);
  take(0, 0, 0);
  printMadmpi({ scenario, bytes, lat0, latref, compute: latref, rtt, driver: world.driver, copy: world.copy(peer) });
}

void main();
