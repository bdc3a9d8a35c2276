// The shared heap under pressure: messages that nobody refers to any more make room for those that come.
import { strict as assert } from 'node:assert';
import { type Request, type Status, type World, waitAll, waitAny } from '../../lib/index.js';
import { coded } from '../helpers/errors.js';
import { eachDriver } from '../helpers/matrix.js';
import { assertPattern, pattern } from '../helpers/pattern.js';
import { rankTest } from '../helpers/rank-test.js';
import { compute } from '../helpers/work.js';

const MiB = 2 ** 20;
const join = { heapBytes: 8 * MiB };

eachDriver(() => {
  rankTest(
    '1. any amount can be received without a buffer, by a program that does not collect',
    { join },
    async (world) => {
      for (let i = 0; i < 40; i += 1) {
        if (world.rank === 0) await world.send(pattern(i, MiB), { dest: 1 });
        else assertPattern((await world.recv({ source: 0 })).data, i);
      }
    },
  );

  rankTest('2. also by one that never returns to its event loop, if it frees what it has read', { join }, (world) => {
    for (let i = 0; i < 40; i += 1) {
      if (world.rank === 0) {
        world.isend(pattern(i, MiB), { dest: 1 }).wait();
      } else {
        const { data } = world.irecv({ source: 0 }).wait();
        assertPattern(data, i);
        world.free(data);
        assert.equal(data.length, 0);
      }
    }
  });

  rankTest('3. a receive waits for room, and goes on when there is some', { join }, async (world) => {
    if (world.rank === 0) {
      for (let i = 0; i < 12; i += 1) world.isend(pattern(i, MiB), { dest: 1, tag: i });
      await world.recv({ source: 1 });
    } else {
      const requests = Array.from({ length: 12 }, (_, tag) => world.irecv({ source: 0, tag }));
      for (const [i, request] of requests.entries()) {
        const { data } = await request;
        assertPattern(data, i);
        world.free(data);
      }
      await world.send(new Uint8Array(0), { dest: 0 });
    }
  });

  rankTest('4. or that merely forgets what it has read, large or small', { join }, (world) => {
    for (let i = 0; i < 40; i += 1) {
      for (const size of [MiB, 700]) {
        if (world.rank === 0) {
          world.isend(pattern(i, size), { dest: 1 }).wait();
        } else {
          const request = world.irecv({ source: 0 });
          // Either way of never coming to the event loop.
          while (i % 2 === 1 && !request.done) compute(100);
          assertPattern(request.wait().data, i);
        }
      }
    }
  });

  rankTest('10. also where a message comes while the loop polls before it sleeps', { join }, async (world) => {
    // The answer to what was just sent: it is there within the time for which a brisk loop polls.
    const message = pattern(0, MiB);
    const question = new Uint8Array(1);
    for (let i = 0; i < 200; i += 1) {
      if (world.rank === 0) {
        world.irecv(question, { source: 1 }).wait();
        await world.send(message, { dest: 1 });
      } else {
        const [{ data }] = await Promise.all([world.recv({ source: 0 }), world.send(question, { dest: 0 })]);
        assert.equal(data.length, MiB);
      }
    }
  });

  describe('a blocking wait that only this program could end, by giving up memory,', () => {
    const noMemory = coded('ERR_UINTR_NO_MEMORY');

    /** Takes all of the heap; it stays taken while the result is referred to. */
    const fillHeap = (world: World): Uint8Array[] => {
      const held: Uint8Array[] = [];
      assert.throws(() => {
        for (;;) held.push(world.alloc(MiB));
      }, noMemory);
      return held;
    };

    /** Both ways of a message: by rendezvous, and in the ring. */
    const SIZES = [MiB, 700, MiB, 700];
    const post = (world: World): Request<Status>[] =>
      SIZES.map((size, i) => world.isend(pattern(i, size), { dest: 1, tag: i }));
    const receiveAll = (world: World): void => {
      for (const [tag, size] of SIZES.entries()) {
        const into = new Uint8Array(size);
        assert.deepEqual(world.irecv(into, { source: 0 }).wait(), { source: 0, tag, byteLength: size });
        assertPattern(into, tag);
      }
    };

    rankTest('5. fails, and the messages stay, in their order, for the next receives', { join }, (world) => {
      if (world.rank === 0) return void waitAll(post(world));
      const held = fillHeap(world);
      for (let i = 0; i < 3; i += 1) {
        const request = world.irecv({ source: 0 });
        assert.throws(() => request.wait(), noMemory);
        assert.throws(() => request.wait(), noMemory);
      }
      receiveAll(world);
      assert.ok(held.length > 0);
    });

    rankTest('6. fails, and its message goes to a receive with a buffer that is posted already', { join }, (world) => {
      if (world.rank === 0) return void waitAll(post(world));
      const held = fillHeap(world);
      const stalls = world.irecv({ source: 0, tag: 0 });
      const into = new Uint8Array(MiB);
      const posted = world.irecv(into, { source: 0, tag: 0 });
      assert.throws(() => stalls.wait(), noMemory);
      assert.equal(posted.wait().byteLength, MiB);
      assertPattern(into, 0);
      for (const tag of [1, 2, 3]) world.irecv(new Uint8Array(MiB), { source: 0, tag }).wait();
      assert.ok(held.length > 0);
    });

    rankTest('7. succeeds once memory was freed', { join }, (world) => {
      if (world.rank === 0) return void waitAll(post(world));
      const held = fillHeap(world);
      assert.throws(() => world.irecv({ source: 0 }).wait(), noMemory);
      for (const view of held) world.free(view);
      for (const tag of SIZES.keys()) assertPattern(world.irecv({ source: 0 }).wait().data, tag);
    });

    rankTest('8. of several fails those that it is for: waitAll() all, waitAny() one', { join }, async (world) => {
      if (world.rank === 0) return void (await Promise.all(post(world)));
      const held = fillHeap(world);
      const requests = [0, 1, 2].map((tag) => world.irecv({ source: 0, tag }));
      assert.throws(() => waitAny(requests.slice(1)), noMemory);
      const small = world.irecv(new Uint8Array(700), { source: 0, tag: 3 });
      assert.throws(
        () => waitAll([small, ...requests]),
        (error: Error & { results?: PromiseSettledResult<unknown>[] }) => {
          assert.deepEqual(
            error.results!.map(({ status }) => status),
            ['fulfilled', 'rejected', 'rejected', 'rejected'],
          );
          return noMemory(error);
        },
      );
      const into = [MiB, 700, MiB].map((size) => new Uint8Array(size));
      await Promise.all(into.map((data, tag) => world.recv(data, { source: 0, tag })));
      for (const [tag, data] of into.entries()) assertPattern(data, tag);
      assert.ok(held.length > 0);
    });

    rankTest('9. leaves a receive alone that is awaited, or waited for with the time over', { join }, async (world) => {
      if (world.rank === 0) {
        const requests = post(world);
        await world.send(pattern(9, MiB), { dest: 1, tag: 9 });
        return void (await Promise.all(requests));
      }
      const held = fillHeap(world);
      const awaited = world.irecv({ source: 0, tag: 0 });
      assert.throws(() => world.irecv({ source: 1 }).wait(200), coded('ERR_UINTR_TIMEOUT'));
      assert.equal(awaited.done, false);
      assert.equal(world.irecv(new Uint8Array(MiB), { source: 0, tag: 9 }).wait().tag, 9);
      assert.equal(awaited.done, false);
      for (const view of held) world.free(view);
      assertPattern((await awaited).data, 0);
      for (const tag of [1, 2, 3]) assertPattern((await world.recv({ source: 0, tag })).data, tag);
    });
  });
});
