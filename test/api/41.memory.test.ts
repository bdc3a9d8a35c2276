// alloc and free: memory of the shared heap.
import { strict as assert } from 'node:assert';
import { support } from '../../lib/index.js';
import { coded, invalid } from '../helpers/errors.js';
import { assertAll, assertPattern, fill, pattern } from '../helpers/pattern.js';
import { rankTest } from '../helpers/rank-test.js';
import { collectGarbage, meet } from '../helpers/worlds.js';

describe('alloc()', () => {
  rankTest('1. gives zeroed memory of that length, in an ArrayBuffer of its own', 1, (world) => {
    for (const size of [0, 1, 7, 64, 4_096, 100_000, 3_000_001]) {
      for (let round = 0; round < 3; round += 1) {
        const view = world.alloc(size);
        assert.equal(view.length, size);
        assert.equal(view.byteOffset, 0);
        assert.equal(view.buffer.byteLength, size);
        assertAll(view, 0);
        view.fill(0xff);
        world.free(view);
      }
    }
  });

  rankTest('2. gives memory that does not overlap', 1, (world) => {
    const views = Array.from({ length: 200 }, (_, i) => fill(world.alloc(i * 37), i));
    for (const [i, view] of views.entries()) assertPattern(view, i);
    for (const view of views.filter((_, i) => i % 2 === 0)) world.free(view);
    const more = Array.from({ length: 200 }, (_, i) => fill(world.alloc(i * 19), 1_000 + i));
    for (const [i, view] of views.entries()) if (i % 2 === 1) assertPattern(view, i);
    for (const [i, view] of more.entries()) assertPattern(view, 1_000 + i);
  });

  rankTest(
    '3. of more than the heap is ERR_UINTR_NO_MEMORY, and harms nothing',
    { ranks: 1, join: { heapBytes: 8 * 2 ** 20 } },
    (world) => {
      assert.throws(() => world.alloc(64 * 2 ** 20), coded('ERR_UINTR_NO_MEMORY'));
      const views: Uint8Array[] = [];
      assert.throws(() => {
        for (;;) views.push(world.alloc(2 ** 20));
      }, coded('ERR_UINTR_NO_MEMORY'));
      assert.ok(views.length >= 4);
      for (const view of views) world.free(view);
      assert.equal(world.alloc(2 ** 20).length, 2 ** 20);
    },
  );

  rankTest('4. refuses what is not a length', 1, (world) => {
    for (const bad of [-1, 1.5, Number.NaN, Number.POSITIVE_INFINITY, '8', undefined]) {
      assert.throws(() => world.alloc(bad as number), invalid('byteLength', `${bad}`));
    }
  });

  rankTest(
    '5. gives back what is collected',
    { ranks: 1, join: { heapBytes: 8 * 2 ** 20 }, nodeOptions: ['--expose-gc'] },
    async (world) => {
      for (let i = 0; i < 100; i += 1) {
        assert.equal(world.alloc(2 ** 20).length, 2 ** 20);
        if (i % 3 !== 2) continue;
        await collectGarbage();
      }
    },
  );

  rankTest(
    '6. in a loop that never comes to the event loop, too, where Node lets it be seen that nobody has the memory',
    { ranks: 1, join: { heapBytes: 8 * 2 ** 20 } },
    (world) => {
      const allocate = (): void => {
        for (let i = 0; i < 100; i += 1) assert.equal(world.alloc(2 ** 20).length, 2 ** 20);
      };
      if (support().holdsBackingStores) allocate();
      else assert.throws(allocate, coded('ERR_UINTR_NO_MEMORY'));
    },
  );
});

describe('free()', () => {
  rankTest('7. detaches the view', 1, (world) => {
    const view = world.alloc(100);
    world.free(view);
    assert.equal(view.length, 0);
    assert.equal(view.buffer.byteLength, 0);
  });

  rankTest('8. throws while the memory is in flight, and not after', 2, async (world) => {
    const peer = 1 - world.rank;
    for (const size of [100, 200_000]) {
      const into = world.alloc(size);
      const from = fill(world.alloc(size), world.rank);
      const received = world.irecv(into, { source: peer, tag: 1 });
      assert.throws(() => world.free(into), coded('ERR_UINTR_INVALID_ARGUMENT'));
      const sent = world.issend(from, { dest: peer, tag: 2 });
      assert.throws(() => world.free(from), coded('ERR_UINTR_INVALID_ARGUMENT'));
      assert.equal(received.cancel(), true);
      // Only now may the other receive it.
      await meet(world);
      const got = await world.recv({ source: peer, tag: 2 });
      assertPattern(got.data, peer);
      await sent;
      world.free(into);
      world.free(from);
    }
  });

  rankTest('9. takes the data of a Message, of any length, and what alloc(0) gave', 1, async (world) => {
    for (const size of [0, 10, 100_000]) {
      const sent = world.isend(new Uint8Array(size), { dest: 0 });
      const { data } = await world.recv();
      await sent;
      world.free(data);
      assert.equal(data.length, 0);
    }
    world.free(world.alloc(0));
  });

  rankTest('10. refuses what alloc did not give, and what is free already', 1, (world) => {
    const view = world.alloc(64);
    for (const bad of [new Uint8Array(64), Buffer.alloc(64), 'x', undefined, {}]) {
      assert.throws(() => world.free(bad as Uint8Array), invalid('view'));
    }
    world.free(view);
    assert.throws(() => world.free(view), invalid('view'));
  });
});

describe('memory of the shared heap', () => {
  rankTest('11. stays readable after close', 2, async (world) => {
    const view = fill(world.alloc(300_000), 5);
    const peer = 1 - world.rank;
    const sent = world.isend(pattern(world.rank, 150_000), { dest: peer });
    const { data } = await world.recv({ source: peer });
    await sent;
    await world.close();
    assertPattern(view, 5);
    assertPattern(data, peer);
  });

  rankTest(
    '12. of a received Message is its own, and stays while it is referred to',
    { nodeOptions: ['--expose-gc'] },
    async (world) => {
      const peer = 1 - world.rank;
      const kept: { data: Uint8Array; key: number }[] = [];
      for (let i = 0; i < 60; i += 1) {
        const size = i % 2 === 0 ? 500 : 90_000;
        const [, message] = await Promise.all([
          world.send(pattern(i * 2 + world.rank, size), { dest: peer }),
          world.recv({ source: peer }),
        ]);
        if (i % 3 === 0) kept.push({ data: message.data, key: i * 2 + peer });
        if (i % 10 === 0) await collectGarbage();
      }
      for (const { data, key } of kept) assertPattern(data, key);
      kept[0]!.data.fill(1);
      for (const { data, key } of kept.slice(1)) assertPattern(data, key);
    },
  );

  rankTest(
    '13. of received messages is given back when they are collected',
    { join: { heapBytes: 8 * 2 ** 20 }, nodeOptions: ['--expose-gc'] },
    async (world) => {
      const peer = 1 - world.rank;
      const size = 2 ** 20;
      for (let i = 0; i < 40; i += 1) {
        const [, message] = await Promise.all([
          world.send(pattern(i, size), { dest: peer }),
          world.recv({ source: peer }),
        ]);
        assertPattern(message.data, i);
        await collectGarbage();
      }
    },
  );
});
