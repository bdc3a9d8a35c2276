// Rank 0 computes and compares; rank 1 interrupts it, by messages that only its handler can match.
import { strict as assert } from 'node:assert';
import type { World } from '../../lib/index.js';
import { assertAll, assertPattern, pattern } from '../helpers/pattern.js';
import { compute } from '../helpers/work.js';
import { computations } from './computations.js';

const GO = 1;
const STORM = 2;
// Eager by its size, single chunks, and some that are copied in several.
const SIZES = [100, 3_000, 40_000, 200, 9_000, 300_000];
const LAST = 7;

const size = (i: number): number => SIZES[i % SIZES.length]!;

/** What the computations give without interrupts; to be called before there is a world. */
export async function undisturbed(): Promise<Record<string, string>> {
  const results: Record<string, string> = {};
  for (const [name, run] of Object.entries(computations())) results[name] = await run();
  return results;
}

/** Computes each under `messages` interrupts at least; returns how many handlers ran. */
export async function computeUnderFire(
  world: World,
  expected: Record<string, string>,
  messages: number,
  note: (what: string) => void,
): Promise<number> {
  const first = world.stats().interrupts.handled;
  for (const [name, run] of Object.entries(computations())) {
    note(`computing ${name}`);
    const buffers = Array.from({ length: messages }, (_, i) => new Uint8Array(size(i)));
    const last = new Uint8Array(64);
    const requests = [...buffers, last].map((into) => world.irecv(into, { source: 1, tag: STORM }));
    const before = world.stats().interrupts.handled;
    const go = world.isend(Int32Array.of(messages), { dest: 1, tag: GO });
    do assert.equal(await run(), expected[name], name);
    while (Atomics.load(last, last.length - 1) === 0);
    const handled = world.stats().interrupts.handled - before;
    // One message may have come while this rank was still inside isend.
    assert.ok(handled >= messages, `${handled} handlers ran while it computed ${name}`);
    note(`receiving what came meanwhile`);
    await Promise.all([go, ...requests]);
    for (const [i, into] of buffers.entries()) assertPattern(into, i);
    assertAll(last, LAST);
  }
  await world.send(Int32Array.of(0), { dest: 1, tag: GO });
  return world.stats().interrupts.handled - first;
}

/** One message after the other, each only when the one before has been matched: no two share an interrupt. */
export async function fire(world: World): Promise<void> {
  const go = new Int32Array(1);
  for (;;) {
    await world.recv(go, { source: 0, tag: GO });
    if (go[0] === 0) return;
    for (let i = 0; i <= go[0]!; i += 1) {
      const data = i === go[0] ? new Uint8Array(64).fill(LAST) : pattern(i, size(i));
      const request = world.issend(data, { dest: 0, tag: STORM });
      // A sender that waits copies for the other; one that computes leaves half of it to the other's handler.
      if (i % 2 === 0) request.wait();
      else while (!request.done) compute(5);
    }
  }
}
