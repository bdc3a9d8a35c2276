// What keeps a process alive, and what does not.
import { strict as assert } from 'node:assert';
import { eachDriver } from '../helpers/matrix.js';
import { assertPattern, pattern } from '../helpers/pattern.js';
import { processTest, type Tools } from '../helpers/rank-test.js';

/** The process is to end by itself, and when it does, this has to be true. */
function whenExiting(check: () => void): void {
  process.on('exit', () => check());
}

/** A while in which a process that is not kept alive would end. There is no event for "it did not end". */
const aWhile = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 100));

/** Ranks of different lives: the first process is the one under test. */
const byRank = (zero: (t: Tools) => unknown, one: (t: Tools) => unknown) => (t: Tools) =>
  t.rank === 0 ? zero(t) : one(t);

eachDriver(() => {
  processTest('1. a joined world does not keep the process alive', 2, async (t) => {
    const world = await t.join();
    // Both have joined when this is done; then both end without close.
    await Promise.all([world.send(new Uint8Array(1), { dest: 1 - t.rank }), world.recv()]);
  });

  processTest('2. a receive that nobody awaits does not keep the process alive', { ranks: 1 }, async (t) => {
    const world = await t.join();
    world.irecv(new Uint8Array(100));
    world.irecv();
  });

  processTest(
    '3. an active send keeps the process alive until it is received',
    2,
    byRank(
      async (t) => {
        const world = await t.join();
        world.isend(pattern(1, 400_000), { dest: 1, tag: 1 });
        world.issend(pattern(2, 10), { dest: 1, tag: 2 });
        await world.send(new Uint8Array(0), { dest: 1, tag: 3 });
      },
      async (t) => {
        const world = await t.join();
        await world.recv({ source: 0, tag: 3 });
        await aWhile();
        assertPattern((await world.recv({ source: 0, tag: 1 })).data, 1);
        assertPattern((await world.recv({ source: 0, tag: 2 })).data, 2);
      },
    ),
  );

  processTest(
    '4. an awaited receive keeps the process alive',
    2,
    byRank(
      async (t) => {
        const world = await t.join();
        let received = false;
        whenExiting(() => assert.equal(received, true));
        const into = new Uint8Array(200_000);
        void world.irecv(into, { source: 1 }).then(() => {
          assertPattern(into, 3);
          received = true;
        });
        await world.send(new Uint8Array(0), { dest: 1 });
      },
      async (t) => {
        const world = await t.join();
        await world.recv({ source: 0 });
        await aWhile();
        await world.send(pattern(3, 200_000), { dest: 0 });
      },
    ),
  );

  processTest(
    '5. a receive of which a promise was made before is awaited',
    2,
    byRank(
      async (t) => {
        const world = await t.join();
        let settled = 0;
        whenExiting(() => assert.equal(settled, 2));
        void world.recv({ source: 1 }).then(() => {
          settled += 1;
        });
        void Promise.all([world.irecv({ source: 1 })]).then(() => {
          settled += 1;
        });
        await world.send(new Uint8Array(0), { dest: 1 });
      },
      async (t) => {
        const world = await t.join();
        await world.recv({ source: 0 });
        await aWhile();
        for (let i = 0; i < 2; i += 1) await world.send(new Uint8Array(1), { dest: 0 });
      },
    ),
  );

  processTest('6. ref() keeps the process alive until unref()', 1, async (t) => {
    const world = await t.join();
    let fired = false;
    whenExiting(() => assert.equal(fired, true));
    world.ref();
    setTimeout(() => {
      fired = true;
      world.unref();
    }, 50).unref();
  });

  processTest(
    '7. ref() does not count: one unref() undoes it, and both may be called again',
    { ranks: 1 },
    async (t) => {
      const world = await t.join();
      world.ref();
      world.ref();
      world.unref();
      world.unref();
      world.ref();
      world.unref();
    },
  );

  processTest(
    '8. process.exit() with everything under way ends the process, with its code',
    { exits: [7, 0] },
    byRank(
      async (t) => {
        const world = await t.join();
        for (let i = 0; i < 50; i += 1) world.isend(new Uint8Array(i * 5_000), { dest: 1, tag: 1 });
        void world.recv({ source: 1, tag: 5 });
        await world.send(new Uint8Array(1), { dest: 1, tag: 2 });
        process.exit(7);
      },
      async (t) => {
        const world = await t.join();
        await world.recv({ source: 0, tag: 2 });
        await assert.rejects(world.recv({ source: 0, tag: 5 }));
      },
    ),
  );

  processTest('9. an uncaught exception ends the process as ever', { ranks: 1, exits: [1] }, async (t) => {
    const world = await t.join();
    world.irecv(new Uint8Array(100));
    setImmediate(() => {
      throw new Error('as the test wants it');
    });
  });

  processTest('10. a closed world keeps nothing alive, whatever was under way', 2, async (t) => {
    const world = await t.join();
    const peer = 1 - t.rank;
    world.ref();
    for (let i = 0; i < 20; i += 1) {
      world.irecv(new Uint8Array(10), { source: peer, tag: 1 }).catch(() => {});
      world.isend(new Uint8Array(100_000), { dest: peer, tag: 2 }).catch(() => {});
    }
    await world.close();
  });

  // What was awaited last is mostly delivered when the loop has polled for it, just before it sleeps.
  processTest('11. a process ends after its last message, where the loop polls for it', 2, async (t) => {
    const world = await t.join({ spinMicroseconds: 20_000 });
    const peer = 1 - t.rank;
    const [out, into] = [new Uint8Array(8), new Uint8Array(8)];
    for (let i = 0; i < 200; i += 1) {
      await Promise.all([world.recv(into, { source: peer }), world.send(out, { dest: peer })]);
    }
  });
});
