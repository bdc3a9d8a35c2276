// Request: one operation that is under way, and every way to see it end.
import { strict as assert } from 'node:assert';
import { Request, type World } from '../../lib/index.js';
import { cancelled, coded, invalid } from '../helpers/errors.js';
import { eachDriver } from '../helpers/matrix.js';
import { assertAll, assertPattern, pattern } from '../helpers/pattern.js';
import { rankTest } from '../helpers/rank-test.js';

const SIZES = [1, 300_000];

/** Each rank sends to the other, and receives by `receive`. */
async function exchange(world: World, receive: (request: Request<object>, into: Uint8Array) => unknown): Promise<void> {
  const peer = 1 - world.rank;
  for (const size of SIZES) {
    const into = new Uint8Array(size);
    const request = world.irecv(into, { source: peer });
    const sent = world.isend(pattern(peer, size), { dest: peer });
    await receive(request, into);
    assertPattern(into, world.rank);
    await sent;
  }
}

eachDriver(() => {
  rankTest('1. await gives its status', 2, (world) =>
    exchange(world, async (request, into) => {
      assert.deepEqual({ ...(await request) }, { source: 1 - world.rank, tag: 0, byteLength: into.length });
    }),
  );

  rankTest('2. wait() blocks until it is done, and returns its status', 2, (world) =>
    exchange(world, (request, into) => {
      assert.deepEqual({ ...request.wait() }, { source: 1 - world.rank, tag: 0, byteLength: into.length });
    }),
  );

  rankTest('3. test() never blocks, progresses, and returns undefined until it is done', 2, (world) =>
    exchange(world, (request, into) => {
      let status = request.test();
      while (status === undefined) status = request.test();
      assert.deepEqual({ ...status }, { source: 1 - world.rank, tag: 0, byteLength: into.length });
    }),
  );

  rankTest('4. done progresses, so a loop on it ends', 2, (world) =>
    exchange(world, (request) => {
      let rounds = 0;
      while (!request.done) rounds += 1;
      assert.equal(request.done, true);
      assert.ok(rounds >= 0);
    }),
  );

  rankTest('5. progress() progresses, so a receive ends in a loop of nothing else', 2, (world) =>
    exchange(world, async (request) => {
      let settled = false;
      request.then(() => {
        settled = true;
      });
      while (!settled) {
        world.progress();
        await Promise.resolve();
      }
    }),
  );
});

describe('a request', () => {
  rankTest('6. gives the same value however often and in whatever way it is asked', 2, async (world) => {
    const peer = 1 - world.rank;
    const sent = world.isend(new Uint8Array(5), { dest: peer });
    const request = world.irecv({ source: peer });
    const message = await request;
    assert.equal(await request, message);
    assert.equal(request.test(), message);
    assert.equal(request.wait(), message);
    assert.equal(request.done, true);
    await sent;
  });

  rankTest('7. is a thenable with then, catch and finally, and no other promise until asked', 1, async (world) => {
    const request = world.irecv(new Uint8Array(1), { tag: 1 });
    assert.ok(request instanceof Request);
    assert.ok(!(request instanceof Promise));
    const seen: string[] = [];
    const chained = request.then((status) => seen.push(`then ${status.byteLength}`));
    const last = request.finally(() => seen.push('finally'));
    const caught = request.catch(() => seen.push('never'));
    await world.send(new Uint8Array(1), { dest: 0, tag: 1 });
    await Promise.all([chained, last, caught]);
    assert.deepEqual(seen, ['then 1', 'finally']);
  });

  rankTest('8. works in Promise.all, Promise.race and Promise.allSettled', 1, async (world) => {
    const receive = (tag: number) => world.irecv(new Uint8Array(4), { tag });
    const [first, second, third] = [receive(1), receive(2), receive(3)];
    for (const tag of [3, 2, 1]) await world.send(new Uint8Array(tag), { dest: 0, tag });
    assert.deepEqual(
      (await Promise.all([first, second])).map(({ byteLength }) => byteLength),
      [1, 2],
    );
    assert.equal((await Promise.race([third])).tag, 3);
    const lost = receive(4);
    lost.cancel();
    const settled = await Promise.allSettled([third, lost]);
    assert.deepEqual(
      settled.map(({ status }) => status),
      ['fulfilled', 'rejected'],
    );
  });

  rankTest('9. whose failure nobody looks at is silent', 1, async (world) => {
    process.on('unhandledRejection', (reason) => {
      throw new Error('a request reported itself', { cause: reason });
    });
    for (let i = 0; i < 3; i += 1) assert.equal(world.irecv(new Uint8Array(1)).cancel(), true);
    // Unhandled rejections are reported after the microtasks.
    await new Promise((resolve) => setImmediate(resolve));
  });

  rankTest('10. whose failure is passed on by then() is not silent', 1, async (world) => {
    const reported = new Promise((resolve) => process.once('unhandledRejection', resolve));
    const request = world.irecv(new Uint8Array(1));
    request.then(() => {});
    request.cancel();
    cancelled(await reported);
  });

  rankTest('11. throws its error from wait() and test(), and rejects with it', 1, async (world) => {
    const request = world.irecv(new Uint8Array(1));
    request.cancel();
    assert.throws(() => request.wait(), cancelled);
    assert.throws(() => request.test(), cancelled);
    await assert.rejects(async () => request, cancelled);
    await assert.rejects(request.then(), cancelled);
    assert.equal(request.done, true);
  });

  rankTest('12. stays active when wait(timeout) runs out, and can be waited for again', 2, async (world) => {
    if (world.rank === 0) {
      const into = new Uint8Array(200_000);
      const request = world.irecv(into, { source: 1 });
      for (const timeout of [0, 1, 10]) assert.throws(() => request.wait(timeout), coded('ERR_UINTR_TIMEOUT'));
      assert.equal(request.test(), undefined);
      await world.send(new Uint8Array(1), { dest: 1 });
      assert.equal(request.wait(30_000).byteLength, into.length);
      assertPattern(into, 1);
    } else {
      await world.recv({ source: 0 });
      await world.send(pattern(1, 200_000), { dest: 0 });
    }
  });

  rankTest('13. refuses a timeout that is no number of milliseconds', 1, async (world) => {
    const request = world.irecv(new Uint8Array(1));
    for (const bad of [-1, Number.NaN, '5', {}]) {
      assert.throws(
        () => request.wait(bad as number),
        invalid('timeoutMs', typeof bad === 'object' ? undefined : `${bad}`),
      );
    }
    assert.equal(request.cancel(), true);
  });

  rankTest('14. of any kind can be waited for by a rank whose peer answers from its event loop', 2, async (world) => {
    if (world.rank === 0) {
      for (let i = 0; i < 200; i += 1) {
        world.isend(new Uint8Array(i % 2 === 0 ? 8 : 50_000), { dest: 1 }).wait();
        assert.equal(world.irecv({ source: 1 }).wait().byteLength, 4);
      }
    } else {
      for (let i = 0; i < 200; i += 1) {
        await world.recv({ source: 0 });
        await world.send(new Uint8Array(4), { dest: 0 });
      }
    }
  });
});

describe('cancel()', () => {
  rankTest(
    '15. takes back a receive that is not matched: it rejects with an AbortError, its buffer is free',
    2,
    async (world) => {
      if (world.rank === 0) {
        const into = new Uint8Array(1_000);
        const request = world.irecv(into, { source: 1 });
        assert.equal(request.cancel(), true);
        await assert.rejects(async () => request, cancelled);
        assert.equal(request.cancel(), false);
        await world.send(new Uint8Array(1), { dest: 1 });
        // What would have matched goes to the next receive.
        assertPattern((await world.recv({ source: 1 })).data, 3);
        assertAll(into, 0);
      } else {
        await world.recv({ source: 0 });
        await world.send(pattern(3, 1_000), { dest: 0 });
      }
    },
  );

  rankTest('16. does nothing to a receive that is matched, and says so', 2, async (world) => {
    for (const size of SIZES) {
      if (world.rank === 0) {
        const into = new Uint8Array(size);
        const request = world.irecv(into, { source: 1, tag: 1 });
        // Received after the other had been sent: by then the other is matched.
        await world.recv({ source: 1, tag: 2 });
        assert.equal(request.cancel(), false);
        await request;
        assert.equal(request.cancel(), false);
        assertPattern(into, 1);
      } else {
        const sent = world.isend(pattern(1, size), { dest: 0, tag: 1 });
        await world.send(new Uint8Array(0), { dest: 0, tag: 2 });
        await sent;
      }
    }
  });

  rankTest('17. of a receive leaves those before and after it in their order', 1, async (world) => {
    const requests = Array.from({ length: 9 }, () => world.irecv(new Uint8Array(8)));
    for (const i of [0, 4, 5, 8]) assert.equal(requests[i]!.cancel(), true);
    for (const size of [1, 2, 3, 4, 5]) await world.send(new Uint8Array(size), { dest: 0 });
    const left = [1, 2, 3, 6, 7].map((i) => requests[i]!);
    assert.deepEqual(
      (await Promise.all(left)).map(({ byteLength }) => byteLength),
      [1, 2, 3, 4, 5],
    );
  });

  rankTest('18. is not for sends', 2, async (world) => {
    if (world.rank === 0) {
      const request = world.issend(new Uint8Array(10), { dest: 1, tag: 1 });
      assert.equal(request.cancel(), false);
      await world.send(new Uint8Array(1), { dest: 1, tag: 2 });
      await request;
    } else {
      await world.recv({ source: 0, tag: 2 });
      await world.recv({ source: 0, tag: 1 });
    }
  });

  rankTest(
    '19. frees the request: a receive may be posted and cancelled any number of times',
    { join: { maxRequests: 64 } },
    async (world) => {
      // No message has these tags: the other rank may be done with this and send before this rank begins.
      for (let i = 1; i <= 5_000; i += 1) assert.equal(world.irecv(new Uint8Array(16), { tag: i }).cancel(), true);
      const peer = 1 - world.rank;
      await Promise.all([world.send(new Uint8Array(1), { dest: peer }), world.recv({ source: peer })]);
    },
  );
});
