// Services: serve and request.
import { strict as assert } from 'node:assert';
import { once } from 'node:events';
import { coded, invalid, peerExited } from '../helpers/errors.js';
import { eachDriver } from '../helpers/matrix.js';
import { assertPattern, pattern } from '../helpers/pattern.js';
import { processTest, rankTest } from '../helpers/rank-test.js';
import { meet } from '../helpers/worlds.js';

const LARGE = 300_000;
const SERVICE = 5;

/** A promise and what resolves it. */
function resolvers<T>(): { promise: Promise<T>; resolve: (value: T) => void } {
  let resolve!: (value: T) => void;
  const promise = new Promise<T>((resolves) => {
    resolve = resolves;
  });
  return { promise, resolve };
}

function gate(): { opened: Promise<void>; open: () => void } {
  const { promise, resolve } = resolvers<void>();
  return { opened: promise, open: () => resolve() };
}

eachDriver(() => {
  rankTest('1. many ranks ask one: each has its own answers, and is handled in order', 4, async (world) => {
    const each = 40;
    const size = (i: number): number => (i % 3) * 60_000;
    if (world.rank === 0) {
      const next = [0, 0, 0, 0];
      let left = 3 * each;
      const { opened, open } = gate();
      const server = world.serve<{ i: number; data: Uint8Array }>(SERVICE, async ({ i, data }, from) => {
        assert.equal(i, next[from]);
        next[from]! += 1;
        assertPattern(data, from + i);
        if (i % 2 === 0) await Promise.resolve();
        left -= 1;
        if (left === 0) open();
        return { i, from, data: pattern(100 + from + i, size(i)) };
      });
      await opened;
      await server.close();
    } else {
      const answers = Array.from({ length: each }, (_, i) =>
        world.request<object, { i: number; from: number; data: Uint8Array }>(0, SERVICE, {
          i,
          data: pattern(world.rank + i, size(i)),
        }),
      );
      for (const [n, { i, from, data }] of (await Promise.all(answers)).entries()) {
        assert.deepEqual({ i, from }, { i: n, from: world.rank });
        assert.equal(data.length, size(n));
        assertPattern(data, 100 + from + i);
      }
    }
  });

  rankTest('2. maxInFlight are handled at a time, and the others wait with their senders', 2, async (world) => {
    if (world.rank === 0) {
      const gates: (() => void)[] = [];
      let most = 0;
      const server = world.serve(
        SERVICE,
        async () => {
          const { opened, open } = gate();
          gates.push(open);
          most = Math.max(most, server.inFlight);
          await opened;
        },
        { maxInFlight: 3 },
      );
      await meet(world);
      while (server.inFlight < 3) await new Promise((resolve) => setImmediate(resolve));
      assert.equal(server.inFlight, 3);
      assert.equal(world.inspect().unexpectedRendezvous, 7);
      for (let handled = 0; handled < 10; ) {
        const open = gates.shift();
        if (open === undefined) {
          await new Promise((resolve) => setImmediate(resolve));
          continue;
        }
        handled += 1;
        open();
      }
      await server.close();
      assert.equal(most, 3);
    } else {
      const answers = Array.from({ length: 10 }, (_, i) => world.request(0, SERVICE, i));
      await meet(world);
      await Promise.all(answers);
    }
  });

  rankTest('3. given up before it was received, a request never comes', 2, async (world) => {
    if (world.rank === 0) {
      await meet(world);
      const seen: unknown[] = [];
      const server = world.serve(SERVICE, (request) => seen.push(request));
      await meet(world);
      await server.close();
      assert.deepEqual(seen, ['wanted']);
    } else {
      const controller = new AbortController();
      const asked = [
        world.request(0, SERVICE, { data: pattern(1, LARGE) }, { signal: controller.signal }),
        world.request(0, SERVICE, 'small', { signal: controller.signal }),
      ];
      const late = world.request(0, SERVICE, 'late', { timeoutMs: 1 });
      await assert.rejects(late, coded('ERR_UINTR_TIMEOUT', '1 ms', 'tag 5', 'rank 0'));
      controller.abort('changed my mind');
      await Promise.all(asked.map((one) => assert.rejects(one, (reason) => reason === 'changed my mind')));
      const early = AbortSignal.abort('early');
      await assert.rejects(world.request(0, SERVICE, 1, { signal: early }), (reason) => reason === 'early');
      assert.deepEqual(world.inspect().requests, []);
      await meet(world);
      await world.request(0, SERVICE, 'wanted');
      await meet(world);
    }
  });

  rankTest("4. given up while it is handled, a request aborts the handler's signal", 2, async (world) => {
    if (world.rank === 0) {
      const server = world.serve(SERVICE, async (data: Uint8Array | string, _from, signal) => {
        if (data === 'next') return data;
        await world.send(new Uint8Array(0), { dest: 1 });
        if (!signal.aborted) await once(signal, 'abort');
        assert.equal((signal.reason as Error).name, 'AbortError');
        return data;
      });
      await meet(world);
      await server.close();
    } else {
      for (const data of ['small', pattern(1, LARGE)]) {
        const controller = new AbortController();
        const asked = world.request(0, SERVICE, data, { signal: controller.signal });
        await world.recv({ source: 0, tag: 0 });
        controller.abort('enough');
        await assert.rejects(asked, (reason) => reason === 'enough');
        assert.equal(await world.request(0, SERVICE, 'next'), 'next');
      }
      assert.deepEqual(world.inspect().requests, []);
      await meet(world);
    }
  });

  for (const end of ['killed', 'exited', 'closed'] as const) {
    const ends = end === 'killed' ? 'SIGKILL' : end === 'exited' ? 3 : 0;
    processTest(`5. a server that is gone (${end}) fails what it was asked`, { exits: [0, ends] }, async (t) => {
      const world = await t.join();
      if (t.rank === 1) {
        const { promise, resolve } = resolvers<AbortSignal>();
        world.serve(SERVICE, (_request, _from, signal) => {
          resolve(signal);
          return new Promise(() => {});
        });
        const signal = await promise;
        await world.recv({ source: 0 });
        if (end === 'killed') process.kill(process.pid, 'SIGKILL');
        if (end === 'exited') process.exit(3);
        await world.close();
        coded('ERR_UINTR_CLOSED')(signal.reason);
        return;
      }
      const asked = [1, 2, pattern(1, LARGE)].map((value) =>
        assert.rejects(world.request(1, SERVICE, value), peerExited(1, end)),
      );
      await world.send(new Uint8Array(0), { dest: 1 });
      await Promise.all(asked);
      await assert.rejects(world.request(1, SERVICE, 4), peerExited(1, end));
      await world.close();
    });

    processTest(
      `6. a client that is gone (${end}) aborts what is handled for it, and nothing else`,
      { ranks: 3, exits: [0, ends, 0] },
      async (t) => {
        const world = await t.join();
        if (t.rank === 0) {
          const { promise, resolve } = resolvers<AbortSignal>();
          const server = world.serve(
            SERVICE,
            async (what, _from, signal) => {
              if (what === 'ask') return 'answer';
              resolve(signal);
              await world.send(new Uint8Array(0), { dest: 1 });
              return once(signal, 'abort');
            },
            { maxInFlight: 2 },
          );
          const signal = await promise;
          if (!signal.aborted) await once(signal, 'abort');
          peerExited(1, end)(signal.reason);
          await world.send(new Uint8Array(0), { dest: 2 });
          await world.recv({ source: 2, tag: 1 });
          await server.close();
        } else if (t.rank === 1) {
          const asked = world.request(0, SERVICE, 'wait');
          await world.recv({ source: 0 });
          if (end === 'killed') process.kill(process.pid, 'SIGKILL');
          if (end === 'exited') process.exit(3);
          await Promise.all([world.close(), assert.rejects(asked, coded('ERR_UINTR_CLOSED'))]);
          return;
        } else {
          assert.equal(await world.request(0, SERVICE, 'ask'), 'answer');
          await world.recv({ source: 0 });
          assert.equal(await world.request(0, SERVICE, 'ask'), 'answer');
          await world.send(new Uint8Array(0), { dest: 0, tag: 1 });
        }
        await world.close();
      },
    );
  }

  rankTest(
    '7. close() finishes what is handled and refuses the rest, until the tag is served again',
    2,
    async (world) => {
      if (world.rank === 0) {
        const { opened, open } = gate();
        const { opened: began, open: begin } = gate();
        const server = world.serve(SERVICE, async (request) => {
          begin();
          await opened;
          return request;
        });
        await began;
        const closing = server.close();
        assert.equal(server.close(), closing);
        let closed = false;
        void closing.then(() => {
          closed = true;
        });
        await meet(world);
        assert.equal(closed, false);
        assert.equal(server.inFlight, 1);
        open();
        await closing;
        await meet(world);
        const again = world.serve(SERVICE, () => 'again');
        await meet(world);
        await meet(world);
        await again.close();
      } else {
        const refused = coded('ERR_UINTR_CLOSED', 'tag 5 of rank 0');
        const first = world.request(0, SERVICE, 'first');
        const queued = assert.rejects(world.request(0, SERVICE, pattern(1, LARGE)), refused);
        await queued;
        await assert.rejects(world.request(0, SERVICE, 'later'), refused);
        await meet(world);
        assert.equal(await first, 'first');
        await assert.rejects(world.request(0, SERVICE, 'much later'), refused);
        await meet(world);
        await meet(world);
        assert.equal(await world.request(0, SERVICE, 1), 'again');
        await meet(world);
      }
    },
  );
});

class OwnError extends TypeError {
  override readonly name = 'OwnError';
  readonly code = 'E_OWN';
}

describe('a service', () => {
  rankTest("10. gives the handler's error to who asked", 2, async (world) => {
    if (world.rank === 0) {
      const server = world.serve(SERVICE, (what: string): unknown => {
        switch (what) {
          case 'own':
            throw new OwnError('not so');
          case 'async':
            return Promise.reject(new RangeError('later'));
          case 'string':
            throw 'a string';
          case 'nothing':
            throw undefined;
          case 'unprintable':
            throw Object.create(null);
          case 'trap':
            throw Object.defineProperty(new Error(), 'message', { get: () => assert.fail() });
          case 'number':
            throw Object.assign(new Error('n'), { code: 7, extra: () => 1 });
          default:
            return () => 'cannot be cloned';
        }
      });
      await meet(world);
      await server.close();
      return;
    }
    const failure = (what: string): Promise<Error & { code?: unknown }> =>
      world.request(0, SERVICE, what).then(
        () => assert.fail(),
        (error) => error,
      );
    const own = await failure('own');
    assert.ok(own instanceof Error);
    assert.deepEqual([own.name, own.message, own.code], ['OwnError', 'not so', 'E_OWN']);
    assert.match(own.stack!, /OwnError: not so\n.*services\.test/);
    const later = await failure('async');
    assert.deepEqual([later.name, later.message, 'code' in later], ['RangeError', 'later', false]);
    assert.equal((await failure('string')).message, 'a string');
    assert.equal((await failure('nothing')).message, 'undefined');
    assert.match((await failure('unprintable')).message, /cannot be shown/);
    assert.match((await failure('trap')).message, /cannot be shown/);
    assert.equal((await failure('number')).code, 7);
    coded('ERR_UINTR_INVALID_ARGUMENT', 'cloned')(await failure('function'));
    await meet(world);
  });

  rankTest('11. may be the own one, and may ask others, itself too', 2, async (world) => {
    const peer = 1 - world.rank;
    const server = world.serve(
      SERVICE,
      async (depth: number, from): Promise<unknown> => [
        from,
        depth === 0 ? [] : await world.request(depth % 2 === 0 ? world.rank : peer, SERVICE, depth - 1),
      ],
      { maxInFlight: Number.POSITIVE_INFINITY },
    );
    const rank = world.rank;
    assert.deepEqual(await world.request(rank, SERVICE, 0), [rank, []]);
    assert.deepEqual(await world.request(rank, SERVICE, 2), [rank, [rank, [peer === rank ? rank : rank, []]]]);
    const many = Array.from({ length: 500 }, () => world.request(rank, SERVICE, 1));
    for (const answer of await Promise.all(many)) assert.deepEqual(answer, [rank, [rank, []]]);
    await meet(world);
    await server.close();
  });

  rankTest('12. never meets messages and objects of the program', 2, async (world) => {
    const peer = 1 - world.rank;
    const message = world.irecv({ tag: SERVICE });
    const object = world.irecvObject({ tag: SERVICE });
    const server = world.serve(SERVICE, (value) => value);
    assert.equal(await world.request(peer, SERVICE, 'asked'), 'asked');
    assert.equal(message.done, false);
    assert.equal(object.done, false);
    await meet(world);
    await world.send(new Uint8Array(3), { dest: peer, tag: SERVICE });
    await world.sendObject('object', { dest: peer, tag: SERVICE });
    assert.equal((await message).byteLength, 3);
    assert.equal((await object).value, 'object');
    await meet(world);
    await server.close();
  });

  rankTest('13. waits until somebody serves its tag', 2, async (world) => {
    if (world.rank === 0) {
      await meet(world);
      const server = world.serve(SERVICE, (x: number) => x + 1);
      await meet(world);
      await server.close();
    } else {
      const asked = world.request(0, SERVICE, 1);
      await meet(world);
      assert.equal(await asked, 2);
      await meet(world);
    }
  });

  rankTest('14. has its arguments checked', 1, async (world) => {
    const handler = (): void => {};
    for (const tag of [-1, 2 ** 31, 1.5, '1', undefined]) {
      assert.throws(() => world.serve(tag as number, handler), invalid('tag', `${tag}`));
      await assert.rejects(world.request(0, tag as number, 1), invalid('tag', `${tag}`));
    }
    assert.throws(() => world.serve(1, 'x' as never), invalid('handler', "'x'"));
    for (const maxInFlight of [0, 1.5, '2', Number.NaN, -1, null]) {
      const bad = { maxInFlight: maxInFlight as number };
      assert.throws(() => world.serve(1, handler, bad), invalid('maxInFlight', `${maxInFlight}`));
    }
    assert.throws(() => world.serve(1, handler, { max: 3 } as never), invalid('max'));
    for (const dest of [-1, 1, -2, '0', undefined]) {
      await assert.rejects(world.request(dest as number, 1, 1), invalid('dest', `${dest}`));
    }
    await assert.rejects(
      world.request(0, 1, () => {}),
      invalid('value'),
    );
    await assert.rejects(world.request(0, 1, 1, { timeoutMs: -1 }), invalid('timeoutMs', '-1'));
    await assert.rejects(world.request(0, 1, 1, { signal: 1 as never }), invalid('signal', '1'));
    await assert.rejects(world.request(0, 1, 1, { timeout: 1 } as never), invalid('timeout'));
    const server = world.serve(1, handler);
    assert.equal(server.tag, 1);
    assert.throws(() => world.serve(1, handler), invalid('tag', '1'));
    await server.close();
    await world.serve(1, handler)[Symbol.asyncDispose]();
    assert.deepEqual(
      world.inspect().requests.map(({ kind, state }) => `${kind} ${state}`),
      ['receive posted', 'receive posted'],
    );
    await world.close();
    assert.throws(() => world.serve(1, handler), coded('ERR_UINTR_CLOSED'));
    await assert.rejects(world.request(0, 1, 1), coded('ERR_UINTR_CLOSED'));
  });

  rankTest('15. answers when requests are scarce', { join: { maxRequests: 32 } }, async (world) => {
    if (world.rank === 0) {
      const server = world.serve(SERVICE, (count: number) =>
        Array.from({ length: count }, (_, i) => pattern(i, 70_000)),
      );
      await meet(world);
      await server.close();
    } else {
      for (const [i, data] of (await world.request<number, Uint8Array[]>(0, SERVICE, 10)).entries()) {
        assertPattern(data, i);
      }
      await assert.rejects(world.request(0, SERVICE, 100), coded('ERR_UINTR_NO_MEMORY', 'maxRequests'));
      assert.equal((await world.request<number, unknown[]>(0, SERVICE, 0)).length, 0);
      await meet(world);
    }
  });

  processTest('16. keeps its process alive while another rank is left, and no longer', 2, async (t) => {
    const world = await t.join();
    if (t.rank === 1) {
      world.serve(SERVICE, (value) => value);
      return;
    }
    // Between any two of them it has nothing else to wait for.
    for (let i = 0; i < 100; i += 1) assert.equal(await world.request(1, SERVICE, i), i);
    await world.close();
  });

  processTest('17. keeps nothing alive after unref()', 2, async (t) => {
    const world = await t.join();
    if (t.rank === 1) {
      world.serve(SERVICE, (value) => value).unref();
      return;
    }
    world
      .serve(SERVICE, (value) => value)
      .unref()
      .ref();
    const gone = once(world, 'peer-exit');
    assert.deepEqual({ ...((await gone)[0] as object) }, { rank: 1, cause: 'exited' });
    await world.close();
  });
});
