// From which length on one algorithm of a collective operation is faster than another: both on the same ranks in turn,
// chosen by the threshold between them. `npx uintr run -n 4 dist/bench/ranks/collectives.js [threshold…]`
import { forgetPlans } from '../../lib/collectives/plans.js';
import { THRESHOLDS } from '../../lib/collectives/thresholds.js';
import { type Request, World } from '../../lib/index.js';
import { summarize } from '../lib/stats.js';

type Name = keyof typeof THRESHOLDS;

const KiB = 1024;
const REPETITIONS = 40;
const bytes = (length: number): Uint8Array => new Uint8Array(length);
const f64 = (length: number): Float64Array => new Float64Array(length / 8);

/** Of this many bytes, with all ranks' alike; whole numbers. */
const part = (world: World, length: number): number => Math.floor(length / world.size / 8) * 8;

const allgather = (world: World, length: number): Request<unknown> =>
  world.iallgather(bytes(part(world, length)), bytes(part(world, length) * world.size));

/** What is started where the threshold has that value, for lengths around it; `also` lets both algorithms be chosen. */
const CASES: Record<string, { start: (world: World, length: number) => Request<unknown>; also?: Name; from: number }> =
  {
    bcastLong: { start: (world, length) => world.ibcast(bytes(length), 0), also: 'bcastLongRanks', from: 16 * KiB },
    treeBlockLong: { start: (world, length) => world.igather(bytes(length), bytes(length * world.size), 0), from: 16 },
    allgatherDoublingLong: { start: allgather, from: 8 * KiB },
    allgatherBruckLong: { start: allgather, from: 8 * KiB },
    alltoallMedium: {
      start: (world, length) => world.ialltoall(bytes(length * world.size), bytes(length * world.size)),
      also: 'alltoallBruckRanks',
      from: 16,
    },
    alltoallLong: {
      start: (world, length) => world.ialltoall(bytes(length * world.size), bytes(length * world.size)),
      from: 4 * KiB,
    },
    allreduceLong: { start: (world, length) => world.iallreduce(f64(length), f64(length), 'sum'), from: 2 * KiB },
    allreduceRing: { start: (world, length) => world.iallreduce(f64(length), f64(length), 'sum'), from: 16 * KiB },
    reduceScatterLong: {
      start: (world, length) =>
        world.ireduceScatter(f64(part(world, length) * world.size), f64(part(world, length)), 'sum'),
      from: 2 * KiB,
    },
  };

/** Microseconds, of the slowest rank. */
async function time(world: World, start: () => Request<unknown>): Promise<number> {
  await world.barrier();
  const begin = process.hrtime.bigint();
  start().wait();
  const own = Float64Array.of(Number(process.hrtime.bigint() - begin) / 1000);
  return (await world.allreduce(own, new Float64Array(1), 'max'))[0]!;
}

async function main(): Promise<void> {
  const world = await World.join();
  const names = process.argv.length > 2 ? process.argv.slice(2) : Object.keys(CASES);
  for (const name of names as Name[]) {
    const { start, also, from } = CASES[name]!;
    const [given, alsoGiven] = [THRESHOLDS[name], also && THRESHOLDS[also]];
    for (let length = from; length <= from * 1024; length *= 4) {
      // Every other one, so that whatever else the machine does meets both.
      const times: Record<'below' | 'above', number[]> = { below: [], above: [] };
      for (let i = 0; i < REPETITIONS; i += 1) {
        for (const which of ['below', 'above'] as const) {
          if (also !== undefined) THRESHOLDS[also] = 2;
          THRESHOLDS[name] = which === 'below' ? Number.POSITIVE_INFINITY : 0;
          forgetPlans();
          const micros = await time(world, () => start(world, length));
          THRESHOLDS[name] = given;
          if (also !== undefined) THRESHOLDS[also] = alsoGiven!;
          if (i >= REPETITIONS / 4) times[which].push(micros);
        }
      }
      if (world.rank !== 0) continue;
      const [below, above] = [summarize(times.below), summarize(times.above)];
      const shown = (one: { median: number; min: number }) =>
        `${one.median.toFixed(0)} µs (best ${one.min.toFixed(0)})`;
      console.log(`${name} of ${length}: below it ${shown(below)}, above it ${shown(above)}`);
    }
  }
  await world.close();
}

void main();
