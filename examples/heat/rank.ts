// One rank: it has some rows of the plate and, on either side, a copy of the row that its neighbour has there, the halo,
// which it receives anew in every step. Started by main.ts, or: npx uintr run -n 4 rank.js <columns> <rows> <steps>
import { PROC_NULL, World, waitAll } from 'uintr';
import { median } from '../../bench/lib/stats.js';
import { timed } from '../../bench/lib/work.js';
import { type Size, serial, share, slab, step } from './plate.js';
import type { Result, Times } from './result.js';

const UPWARD = 0;
const DOWNWARD = 1;
const GATHER = 2;
const READY = 3;
const repetitions = 3;

const milliseconds = (what: () => unknown) => timed(what) / 1000;

interface Run {
  /** The own rows, in the end. */
  rows: Float64Array;
  all: number;
  waiting: number;
}

function run(world: World, size: Size, steps: number, overlap: boolean): Run {
  const { columns } = size;
  const { first, rows } = share(world.rank, world.size, size.rows);
  // Beyond the plate's edge is nobody: what is sent there is gone, and the halo there stays as it is.
  const above = world.rank > 0 ? world.rank - 1 : PROC_NULL;
  const below = world.rank < world.size - 1 ? world.rank + 1 : PROC_NULL;
  let now: Float64Array = slab(first, { columns, rows });
  let next: Float64Array = now.slice();
  const row = (number: number) => now.subarray(number * columns, (number + 1) * columns);
  let waiting = 0;

  const advance = (): void => {
    const halos = [
      world.irecv(row(0), { source: above, tag: DOWNWARD }),
      world.irecv(row(rows + 1), { source: below, tag: UPWARD }),
      world.isend(row(1), { dest: above, tag: UPWARD }),
      world.isend(row(rows), { dest: below, tag: DOWNWARD }),
    ];
    // Reads the rows that are being sent, which is allowed, and not the halos, which are being written.
    if (overlap) step(now, next, columns, 2, rows - 1);
    waiting += milliseconds(() => waitAll(halos));
    if (!overlap) step(now, next, columns, 1, rows);
    else {
      step(now, next, columns, 1, 1);
      if (rows > 1) step(now, next, columns, rows, rows);
    }
    [now, next] = [next, now];
  };

  together(world);
  const all = milliseconds(() => {
    for (let i = 0; i < steps; i++) advance();
    together(world);
  });
  return { rows: now.subarray(columns, (rows + 1) * columns), all, waiting };
}

/** Nobody leaves before everybody has come. */
function together(world: World): void {
  const nothing = new Uint8Array(0);
  const others = Array.from({ length: world.size }, (_, rank) => rank).filter((rank) => rank !== world.rank);
  waitAll(
    others.flatMap((rank) => [
      world.irecv(new Uint8Array(0), { source: rank, tag: READY }),
      world.isend(nothing, { dest: rank, tag: READY }),
    ]),
  );
}

/** On rank 0 what all ranks have, in their order. */
function gather(world: World, own: Float64Array, lengthOf: (rank: number) => number): Float64Array | undefined {
  if (world.rank !== 0) {
    world.isend(own, { dest: 0, tag: GATHER }).wait();
    return undefined;
  }
  const lengths = Array.from({ length: world.size }, (_, rank) => lengthOf(rank));
  const all = new Float64Array(lengths.reduce((sum, length) => sum + length));
  all.set(own);
  let at = own.length;
  for (let source = 1; source < world.size; source++) {
    world.irecv(all.subarray(at, at + lengths[source]), { source, tag: GATHER }).wait();
    at += lengths[source];
  }
  return all;
}

const sameBits = (a: Float64Array, b: Float64Array) =>
  Buffer.from(a.buffer, a.byteOffset, a.byteLength).equals(Buffer.from(b.buffer, b.byteOffset, b.byteLength));

/** Rank 0 gives the result, the others nothing. */
function measure(world: World, size: Size, steps: number): Result | undefined {
  const { rank, size: ranks, driver } = world;
  run(world, size, Math.min(steps, 10), true); // the compiler's turn
  const times: Record<'overlapped' | 'waited', Times[]> = { overlapped: [], waited: [] };
  const plates: Float64Array[] = [];
  for (let i = 0; i < repetitions; i++) {
    for (const way of ['overlapped', 'waited'] as const) {
      const { rows, all, waiting } = run(world, size, steps, way === 'overlapped');
      const plate = gather(world, rows, (other) => share(other, ranks, size.rows).rows * size.columns);
      const waits = gather(world, Float64Array.of(waiting), () => 1);
      if (plate) plates.push(plate);
      if (waits) times[way].push({ all, waiting: waits.reduce((sum, wait) => sum + wait) / ranks });
    }
  }
  if (rank !== 0) return undefined;
  const medians = (runs: Times[]): Times => ({
    all: median(runs.map(({ all }) => all)),
    waiting: median(runs.map(({ waiting }) => waiting)),
  });
  let expected: Float64Array = new Float64Array(0);
  const alone = milliseconds(() => {
    expected = serial(size, steps);
  });
  const correct = plates.every((plate) => sameBits(plate, expected));
  const about = { driver, ranks, ...size, steps };
  return { ...about, serial: alone, overlapped: medians(times.overlapped), waited: medians(times.waited), correct };
}

async function main(): Promise<void> {
  const [columns, rows, steps] = process.argv.slice(2).map(Number);
  const world = await World.join();
  if (!(columns >= 3 && rows >= world.size && steps >= 1)) {
    throw new RangeError(`at least 3 columns, a row per rank and a step are needed, not ${process.argv.slice(2)}`);
  }
  const result = measure(world, { columns, rows }, steps);
  if (result) {
    console.log(JSON.stringify(result));
    if (!result.correct) process.exitCode = 1;
  }
  await world.close();
}

void main();
