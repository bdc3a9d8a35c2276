// Messages move while JavaScript computes: what the package is for. None of these ranks calls into the package or
// returns to its event loop until the message is there.
import { strict as assert } from 'node:assert';
import { readFile } from 'node:fs';
import type { Setting } from '../helpers/matrix.js';
import { matrix } from '../helpers/matrix.js';
import { assertPattern, pattern } from '../helpers/pattern.js';
import { rankTest } from '../helpers/rank-test.js';
import { computeUntilWritten } from '../helpers/work.js';
import { meet } from '../helpers/worlds.js';

const SIZE = 4 * 2 ** 20;

/** The phases of the event loop from which a rank may compute. */
const PHASES: Record<string, (then: () => void) => void> = {
  'in the main program': (then) => then(),
  'in a callback of file I/O': (then) => readFile(__filename, then),
  'in setImmediate': (then) => setImmediate(then),
  'in a timer': (then) => setTimeout(then, 1),
  'in a microtask': (then) => queueMicrotask(then),
  'in process.nextTick': (then) => process.nextTick(then),
};

/** Runs `work` in that phase. */
function inPhase<T>(phase: string, work: () => T): Promise<T> {
  return new Promise((resolve, reject) => {
    PHASES[phase]!(() => {
      try {
        resolve(work());
      } catch (error) {
        reject(error);
      }
    });
  });
}

matrix(
  ({ copy }: Setting) => {
    for (const phase of Object.keys(PHASES)) {
      for (const how of ['waits', 'awaits'] as const) {
        rankTest(
          `1. a receiver that computes ${phase} gets a large message from a sender that ${how}`,
          2,
          async (world, t) => {
            if (world.rank === 0) {
              await meet(world);
              const request = world.isend(pattern(1, SIZE), { dest: 1, tag: 1 });
              if (how === 'waits') request.wait();
              else await request;
            } else {
              const into = copy === 'heap' ? world.alloc(SIZE) : new Uint8Array(SIZE);
              const request = world.irecv(into, { source: 0, tag: 1 });
              await meet(world);
              t.note('computing until it has come');
              await inPhase(phase, () => computeUntilWritten(into));
              await request;
              assertPattern(into, 1);
            }
          },
        );
      }
    }

    rankTest(
      '2. a sender that computes gets its message to a receiver that waits, and sees the answer come',
      2,
      async (world, t) => {
        if (world.rank === 0) {
          const answer = new Uint8Array(SIZE);
          const received = world.irecv(answer, { source: 1, tag: 1 });
          await meet(world);
          const sent = world.isend(pattern(1, SIZE), { dest: 1, tag: 1 });
          t.note('computing until the answer has come');
          computeUntilWritten(answer);
          await Promise.all([sent, received]);
          assertPattern(answer, 2);
        } else {
          const into = new Uint8Array(SIZE);
          const received = world.irecv(into, { source: 0, tag: 1 });
          await meet(world);
          received.wait();
          assertPattern(into, 1);
          world.isend(pattern(2, SIZE), { dest: 0, tag: 1 }).wait();
        }
      },
    );

    rankTest('3. two ranks that both compute get large messages from each other', 2, async (world, t) => {
      const peer = 1 - world.rank;
      for (let i = 0; i < 5; i += 1) {
        const into = new Uint8Array(SIZE);
        const received = world.irecv(into, { source: peer, tag: 1 });
        await meet(world);
        const sent = world.isend(pattern(i, SIZE), { dest: peer, tag: 1 });
        t.note(`round ${i}: computing until it has come`);
        computeUntilWritten(into);
        await Promise.all([sent, received]);
        assertPattern(into, i);
      }
    });

    rankTest(
      '4. several messages arrive during one computation, from several ranks',
      { ranks: 4 },
      async (world, t) => {
        const size = 500 * 4_096;
        if (world.rank === 0) {
          const buffers = [1, 2, 3].map(() => new Uint8Array(size));
          const received = buffers.map((into, i) => world.irecv(into, { source: i + 1 }));
          for (const dest of [1, 2, 3]) await world.send(new Uint8Array(0), { dest });
          t.note('computing until all have come');
          for (const into of buffers) computeUntilWritten(into);
          await Promise.all(received);
          for (const [i, into] of buffers.entries()) assertPattern(into, i + 1);
        } else {
          await world.recv({ source: 0 });
          await world.send(pattern(world.rank, size), { dest: 0 });
        }
      },
    );

    rankTest('5. a receiver that computes in many short pieces gets it as well', 2, async (world, t) => {
      if (world.rank === 0) {
        await meet(world);
        await world.send(pattern(1, SIZE), { dest: 1, tag: 1 });
      } else {
        const into = new Uint8Array(SIZE);
        const request = world.irecv(into, { source: 0, tag: 1 });
        await meet(world);
        t.note('computing page by page');
        for (let at = 0; at < SIZE; at += SIZE / 16) {
          await inPhase('in setImmediate', () => computeUntilWritten(into.subarray(at, at + SIZE / 16)));
        }
        await request;
        assertPattern(into, 1);
      }
    });
  },
  ['signal'],
);

describe('statistics', () => {
  rankTest('6. show that it was interrupts which moved it', { env: { UINTR_DRIVER: 'signal' } }, async (world) => {
    const into = new Uint8Array(SIZE);
    if (world.rank === 0) {
      await meet(world);
      world.isend(pattern(1, SIZE), { dest: 1, tag: 1 }).wait();
    } else {
      const request = world.irecv(into, { source: 0, tag: 1 });
      await meet(world);
      computeUntilWritten(into);
      await request;
      assert.ok(world.stats().interrupts.handled > 0);
    }
  });
});
