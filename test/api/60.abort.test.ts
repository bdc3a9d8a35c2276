// signal: an AbortSignal for a send or a receive.
import { strict as assert } from 'node:assert';
import { getEventListeners } from 'node:events';
import { invalid } from '../helpers/errors.js';
import { eachDriver } from '../helpers/matrix.js';
import { assertAll, assertPattern, pattern } from '../helpers/pattern.js';
import { rankTest } from '../helpers/rank-test.js';
import { meet } from '../helpers/worlds.js';

const LARGE = 400_000;

/** For assert.rejects: exactly this reason. */
const exactly = (reason: unknown) => (error: unknown) => {
  assert.equal(error, reason);
  return true;
};

eachDriver(() => {
  rankTest('1. aborted before a receive is matched: it is cancelled, and rejects with the reason', 2, async (world) => {
    if (world.rank === 0) {
      for (const reason of [new Error('my own'), 'a string', 0]) {
        const controller = new AbortController();
        const into = new Uint8Array(LARGE);
        const request = world.irecv(into, { source: 1, tag: 1, signal: controller.signal });
        const without = world.irecv({ source: 1, tag: 1, signal: controller.signal });
        const promise = world.recv(into, { source: 1, tag: 1, signal: controller.signal });
        controller.abort(reason);
        await assert.rejects(async () => request, exactly(reason));
        await assert.rejects(async () => without, exactly(reason));
        await assert.rejects(promise, exactly(reason));
        assert.equal(request.done, true);
        assertAll(into, 0);
      }
      await meet(world);
      assertPattern((await world.recv({ source: 1, tag: 1 })).data, 2);
    } else {
      await meet(world);
      await world.send(pattern(2, LARGE), { dest: 0, tag: 1 });
    }
  });

  rankTest('2. aborted after a receive is matched: it has no effect', 2, async (world) => {
    for (const size of [10, LARGE]) {
      if (world.rank === 0) {
        const controller = new AbortController();
        const into = new Uint8Array(size);
        const request = world.irecv(into, { source: 1, tag: 1, signal: controller.signal });
        await meet(world);
        controller.abort();
        assert.equal((await request).byteLength, size);
        assertPattern(into, 1);
      } else {
        const sent = world.isend(pattern(1, size), { dest: 0, tag: 1 });
        await meet(world);
        await sent;
      }
    }
  });

  rankTest(
    '3. aborted before a large or synchronous send is matched: it is withdrawn, as if it had never been sent',
    2,
    async (world) => {
      if (world.rank === 0) {
        const controller = new AbortController();
        const reason = new Error('changed my mind');
        const first = world.isend(pattern(1, LARGE), { dest: 1, tag: 1, signal: controller.signal });
        const second = world.issend(pattern(2, 10), { dest: 1, tag: 1, signal: controller.signal });
        await meet(world);
        controller.abort(reason);
        await assert.rejects(async () => first, exactly(reason));
        await assert.rejects(async () => second, exactly(reason));
        await meet(world);
        await world.send(pattern(3, LARGE), { dest: 1, tag: 1 });
      } else {
        await meet(world);
        await meet(world);
        assertPattern((await world.recv({ source: 0, tag: 1 })).data, 3);
      }
    },
  );

  rankTest('4. aborted after a send is matched: it has no effect', 2, async (world) => {
    for (const size of [10, LARGE]) {
      if (world.rank === 0) {
        const controller = new AbortController();
        await meet(world);
        const request = world.issend(pattern(1, size), { dest: 1, tag: 1, signal: controller.signal });
        await request;
        controller.abort();
        assert.equal((await request).byteLength, size);
      } else {
        const into = new Uint8Array(size);
        const received = world.irecv(into, { source: 0, tag: 1 });
        await meet(world);
        await received;
        assertPattern(into, 1);
      }
    }
  });

  rankTest('5. aborted while the other end matches: either both have the message or neither', 2, async (world) => {
    for (let round = 0; round < 200; round += 1) {
      const size = round % 2 === 0 ? 20_000 : LARGE;
      if (world.rank === 0) {
        const controller = new AbortController();
        const request = world.issend(pattern(round, size), { dest: 1, tag: 1, signal: controller.signal });
        if (round % 3 === 0) await Promise.resolve();
        else await new Promise((resolve) => setImmediate(resolve));
        controller.abort('late or early');
        const delivered = await request.then(
          () => 1,
          () => 0,
        );
        await world.send(Uint8Array.of(delivered), { dest: 1, tag: 2 });
      } else {
        const into = new Uint8Array(size);
        const received = world.irecv(into, { source: 0, tag: 1 });
        const flag = new Uint8Array(1);
        await world.recv(flag, { source: 0, tag: 2 });
        assert.equal(received.cancel(), flag[0] === 0);
        if (flag[0] === 1) {
          await received;
          assertPattern(into, round);
        }
      }
      // Or the next message might meet the receive of this round.
      await meet(world);
    }
  });
});

describe('an AbortSignal', () => {
  rankTest('6. that is aborted already: nothing is sent or received', 2, async (world) => {
    const peer = 1 - world.rank;
    const reason = { why: 'before it began' };
    const signal = AbortSignal.abort(reason);
    const data = new Uint8Array(10);
    const requests = [
      world.isend(data, { dest: peer, signal }),
      world.issend(data, { dest: peer, signal }),
      world.irecv(data, { source: peer, signal }),
      world.irecv({ source: peer, signal }),
    ];
    for (const request of requests) {
      assert.equal(request.done, true);
      await assert.rejects(async () => request, exactly(reason));
      assert.throws(() => request.wait(), exactly(reason));
    }
    await assert.rejects(world.send(data, { dest: peer, signal }), exactly(reason));
    await assert.rejects(world.recv(data, { source: peer, signal }), exactly(reason));
    await meet(world);
    assert.equal(world.iprobe(), null);
  });

  rankTest('7. without a reason of its own gives an AbortError', 1, async (world) => {
    const controller = new AbortController();
    const request = world.irecv(new Uint8Array(1), { signal: controller.signal });
    controller.abort();
    await assert.rejects(async () => request, { name: 'AbortError' });
  });

  rankTest('8. of AbortSignal.timeout works as well', 1, async (world) => {
    const request = world.irecv(new Uint8Array(1), { signal: AbortSignal.timeout(5) });
    await assert.rejects(async () => request, { name: 'TimeoutError' });
  });

  rankTest('9. holds no listener once its requests are done', 1, async (world) => {
    const { signal } = new AbortController();
    for (let i = 0; i < 20; i += 1) {
      const request = world.irecv(new Uint8Array(10), { signal });
      await world.send(new Uint8Array(10), { dest: 0, signal });
      await request;
    }
    assert.equal(getEventListeners(signal, 'abort').length, 0);
  });

  rankTest('10. can be used for many requests', 1, async (world) => {
    const controller = new AbortController();
    const warned: unknown[] = [];
    process.on('warning', (warning) => warned.push(warning));
    const requests = Array.from({ length: 50 }, () => world.irecv(new Uint8Array(1), { signal: controller.signal }));
    controller.abort('all');
    for (const request of requests) await assert.rejects(async () => request, exactly('all'));
    await new Promise((resolve) => setImmediate(resolve));
    assert.deepEqual(warned, []);
  });

  rankTest('11. has to be one', 1, (world) => {
    for (const signal of [{}, 'x', 5, null]) {
      const bad = { dest: 0, source: 0, signal: signal as unknown as AbortSignal };
      assert.throws(() => world.irecv(new Uint8Array(1), { source: 0, signal: bad.signal }), invalid('signal'));
      assert.throws(() => world.isend(new Uint8Array(1), { dest: 0, signal: bad.signal }), invalid('signal'));
    }
  });
});
