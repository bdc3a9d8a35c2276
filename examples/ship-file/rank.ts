// Two ranks. Rank 0 has a large file, the Node executable that runs it, and sends it whenever rank 1 asks. Rank 1 takes
// it while it does nothing else, computes while it takes nothing, and then does both at once.
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { World, waitAll } from 'uintr';
import { median } from '../../bench/lib/stats.js';
import { iterationsPerMicrosecond, timed, work } from '../../bench/lib/work.js';
import { cut } from './chunks.js';
import type { Result } from './result.js';

const DATA = 0;
const ASK = 1;
const HEADER = 2;
const repetitions = 5;

const sha256 = (data: Uint8Array) => createHash('sha256').update(data).digest();

/** Rank 0: says what it has, then sends it as often as it is asked to. */
function ship(world: World): void {
  const file = readFileSync(process.execPath);
  world.isend(Float64Array.of(file.length), { dest: 1, tag: HEADER }).wait();
  world.isend(sha256(file), { dest: 1, tag: HEADER }).wait();
  const again = new Uint8Array(1);
  for (;;) {
    world.irecv(again, { source: 1, tag: ASK }).wait();
    if (again[0] === 0) return;
    waitAll(cut(file).map((chunk) => world.isend(chunk, { dest: 1, tag: DATA })));
  }
}

/** Rank 1. */
function take(world: World): Result {
  const length = new Float64Array(1);
  const expected = Buffer.alloc(32);
  world.irecv(length, { source: 0, tag: HEADER }).wait();
  world.irecv(expected, { source: 0, tag: HEADER }).wait();
  const file = new Uint8Array(length[0]);
  const chunks = cut(file);
  let correct = true;

  /** Milliseconds of one transfer, with so much computation in it. */
  const receive = (iterations: number): number => {
    file.fill(0);
    world.isend(Uint8Array.of(1), { dest: 0, tag: ASK }).wait();
    const micros = timed(() => {
      // The same order as the sends: messages of one sender and tag do not overtake each other.
      const requests = chunks.map((chunk) => world.irecv(chunk, { source: 0, tag: DATA }));
      // Nothing is asked, polled or awaited in here; the file arrives all the same.
      work(iterations);
      waitAll(requests);
    });
    correct &&= expected.equals(sha256(file));
    return micros / 1000;
  };
  const times = (what: () => number) => median(Array.from({ length: repetitions }, what));

  receive(0); // The first one meets memory that was never touched.
  const transfer = times(() => receive(0));
  const iterations = Math.round(2 * transfer * 1000 * iterationsPerMicrosecond());
  const computation = times(() => timed(() => work(iterations)) / 1000);
  const before = world.stats().interrupts.handled;
  const together = times(() => receive(iterations));
  const interrupts = (world.stats().interrupts.handled - before) / repetitions;
  world.isend(Uint8Array.of(0), { dest: 0, tag: ASK }).wait();

  const { driver } = world;
  const about = { driver, copy: world.copy(0), bytes: file.length, messages: chunks.length };
  return { ...about, computation, transfer, together, interrupts, correct };
}

async function main(): Promise<void> {
  const world = await World.join();
  if (world.rank === 0) ship(world);
  else {
    const result = take(world);
    console.log(JSON.stringify(result));
    if (!result.correct) process.exitCode = 1;
  }
  await world.close();
}

void main();
