// Values as messages: isendObject, irecvObject, sendObject, recvObject.
import { strict as assert } from 'node:assert';
import { Buffer } from 'node:buffer';
import { MessageChannel } from 'node:worker_threads';
import { ANY_SOURCE, ANY_TAG, PROC_NULL, type World, waitAll } from '../../lib/index.js';
import { cancelled, coded, invalid, peerExited } from '../helpers/errors.js';
import { eachDriver, matrix } from '../helpers/matrix.js';
import { assertPattern, pattern } from '../helpers/pattern.js';
import { processTest, rankTest } from '../helpers/rank-test.js';
import { meet, nextPeerExit } from '../helpers/worlds.js';

const LARGE = 300_000;

/** One with parts of its own, and the check for it. */
const large = (key: number, byteLength = LARGE): object => ({ key, data: pattern(key, byteLength) });
function assertLarge(value: unknown, key: number, byteLength = LARGE): void {
  const { key: found, data } = value as { key: number; data: Uint8Array };
  assert.equal(found, key);
  assert.equal(data.byteLength, byteLength);
  assertPattern(data, key);
}

/** What a value is after it has gone from rank 0 to rank 0. */
async function echo<T>(world: World, value: T): Promise<T> {
  const received = world.irecvObject<T>({ source: world.rank, tag: 77 });
  await world.sendObject(value, { dest: world.rank, tag: 77 });
  return (await received).value;
}

matrix(() => {
  rankTest('1. small and large objects arrive whole and in order, whichever end is first', 2, async (world) => {
    const peer = 1 - world.rank;
    const objects = Array.from({ length: 24 }, (_, i) => [large(i, 10 + (i % 4) * 70_000), 'x'.repeat(i * 3_000), i]);
    if (world.rank === 0) await meet(world);
    const sends = objects.map((value) => world.isendObject(value, { dest: peer, tag: 3 }));
    if (world.rank === 1) await meet(world);
    for (const i of objects.keys()) {
      const { value, source, tag, byteLength } = await world.recvObject<[object, string, number]>();
      assert.deepEqual({ source, tag }, { source: peer, tag: 3 });
      assertLarge(value[0], i, 10 + (i % 4) * 70_000);
      assert.equal(value[1], 'x'.repeat(i * 3_000));
      assert.equal(value[2], i);
      assert.equal(byteLength, sends[i]!.wait().byteLength);
    }
  });

  rankTest('2. wait() alone completes an object with large parts', 2, (world) => {
    const peer = 1 - world.rank;
    const received = world.irecvObject({ source: peer });
    const sent = world.isendObject(large(world.rank), { dest: peer });
    const [status, object] = waitAll([sent, received]);
    assert.deepEqual({ ...status, byteLength: 0 }, { source: world.rank, tag: 0, byteLength: 0 });
    assertLarge(object.value, peer);
    const again = world.irecvObject({ source: peer });
    const sentAgain = world.isendObject(large(7), { dest: peer });
    while (!again.done || !sentAgain.done);
    assertLarge(again.test()!.value, 7);
  });
});

eachDriver(() => {
  rankTest('3. objects and messages of bytes never meet', 2, async (world) => {
    const peer = 1 - world.rank;
    const object = world.irecvObject();
    const bytes = world.irecv({ tag: 0 });
    // A small and a large one each, which find no receive but the wrong one.
    const sent = [world.isendObject(1, { dest: peer }), world.isendObject(large(1), { dest: peer })];
    await meet(world);
    assert.equal(bytes.done, false);
    assert.equal(world.iprobe({ tag: 0 }), null);
    assert.equal((await object).value, 1);
    assertLarge((await world.recvObject()).value, 1);
    await meet(world);
    const last = world.irecvObject();
    sent.push(world.isend(pattern(2, LARGE), { dest: peer }));
    assertPattern((await bytes).data, 2);
    assert.equal(last.cancel(), true);
    await Promise.all(sent);
    await meet(world);
  });

  rankTest('4. many ranks send objects with parts to one, which takes them by wildcard', 4, async (world) => {
    const each = 20;
    if (world.rank === 0) {
      const next = [0, 0, 0, 0];
      const receives = Array.from({ length: 3 * each }, () => world.irecvObject({ source: ANY_SOURCE, tag: ANY_TAG }));
      for (const { value, source, tag } of await Promise.all(receives)) {
        assert.equal(tag, next[source]);
        next[source]! += 1;
        assertLarge(value, source * 100 + tag, 100_000);
      }
      assert.deepEqual(next, [0, each, each, each]);
    } else {
      const sends = Array.from({ length: each }, (_, i) =>
        world.isendObject(large(world.rank * 100 + i, 100_000), { dest: 0, tag: i }),
      );
      await Promise.all(sends);
    }
  });

  rankTest('5. buffers of 100 MiB travel from and into their own memory', { timeoutMs: 90_000 }, async (world) => {
    const size = 100 * 2 ** 20;
    if (world.rank === 0) {
      const bare = pattern(1, size).buffer;
      const view = pattern(2, size);
      await world.sendObject({ deep: { er: [{ bare }] }, view }, { dest: 1 });
      // Nothing like that is in the heap of V8 or in a clone of Node's.
      assert.equal(bare.byteLength + view.byteLength, 2 * size);
    } else {
      const { value, byteLength } = await world.recvObject<{
        deep: { er: { bare: ArrayBuffer }[] };
        view: Uint8Array;
      }>();
      assertPattern(value.deep.er[0]!.bare, 1);
      assertPattern(value.view, 2);
      assert.ok(byteLength >= 2 * size && byteLength < 2 * size + 1_000);
    }
  });

  for (const end of ['killed', 'exited', 'closed'] as const) {
    const exits = [0, end === 'killed' ? 'SIGKILL' : end === 'exited' ? 3 : 0] as const;
    processTest(
      `6. a rank that ends (${end}) fails the objects that go to it and come from it`,
      { exits },
      async (t) => {
        const world = await t.join();
        if (t.rank === 1) {
          await world.recv({ source: 0 });
          if (end === 'killed') process.kill(process.pid, 'SIGKILL');
          if (end === 'exited') process.exit(3);
          await world.close();
          return;
        }
        const sent = world.isendObject(large(1), { dest: 1 });
        const received = world.irecvObject({ source: 1 });
        await world.send(new Uint8Array(0), { dest: 1 });
        await assert.rejects(async () => sent, peerExited(1, end));
        await assert.rejects(async () => received, peerExited(1, end));
        await assert.rejects(world.sendObject(large(2), { dest: 1 }), peerExited(1, end));
        await world.close();
      },
    );
  }

  rankTest('7. aborted before it is matched, an object is as if it had never been sent', 2, async (world) => {
    if (world.rank === 0) {
      const controller = new AbortController();
      const sent = world.isendObject(large(1), { dest: 1, signal: controller.signal });
      await meet(world);
      controller.abort('changed my mind');
      await assert.rejects(
        async () => sent,
        (reason) => reason === 'changed my mind',
      );
      assert.equal(world.inspect().slotsUsed, 0);
      await meet(world);
      await world.sendObject(large(2), { dest: 1 });
    } else {
      await meet(world);
      await meet(world);
      assertLarge((await world.recvObject()).value, 2);
    }
  });
});

const VIEWS: (new (buffer: ArrayBuffer, offset: number, length: number) => ArrayBufferView)[] = [
  Int8Array,
  Uint8Array,
  Uint8ClampedArray,
  Int16Array,
  Uint16Array,
  Int32Array,
  Uint32Array,
  Float32Array,
  Float64Array,
  BigInt64Array,
  BigUint64Array,
  DataView,
];

class Point {
  readonly x = 1;
  get y(): number {
    return 2;
  }
}

describe('an object', () => {
  rankTest('10. may be anything that V8 clones', 1, async (world) => {
    const values: unknown[] = [
      undefined,
      null,
      true,
      -0,
      Number.NaN,
      2 ** 53,
      -(2n ** 100n),
      '',
      'latin é',
      'zwei 語 😀',
      new Date(7),
      /a+/giu,
      Object.assign(new Array(3), { 1: 'holes' }),
      { a: { b: [{}] } },
      new Map<unknown, unknown>([
        [{ k: 1 }, new Map()],
        [1, new Set([1, 'a'])],
      ]),
      new Set([new Date(3)]),
      Object(5),
      Object('s'),
      new RangeError('too much', { cause: 'me' }),
    ];
    for (const value of values) assert.deepStrictEqual(await echo(world, value), value);
    assert.deepStrictEqual(await echo(world, values), values);
    assert.deepStrictEqual(await echo(world, new Point()), { x: 1 });
    const date = Object.assign(new Date(1), { x: 1 });
    assert.equal((await echo(world, date)).getTime(), 1);
  });

  rankTest('11. keeps cycles and identity', 1, async (world) => {
    const value: Record<string, unknown> = { list: [] };
    const one = { data: new Uint8Array(LARGE) };
    Object.assign(value, { self: value, one, two: one, three: one.data });
    const back = await echo(world, value);
    assert.equal(back['self'], back);
    assert.equal(back['one'], back['two']);
    assert.equal(back['three'], (back['one'] as typeof one).data);
  });

  for (const size of [0, 1_024, LARGE]) {
    rankTest(`12. keeps type, offset and shared buffer of views (of ${size} bytes)`, 1, async (world) => {
      const buffer = pattern(5, size + 64).buffer;
      const views = VIEWS.map((View, i) => new View(buffer, (i % 4) * 8, View === DataView ? 5 : 2));
      const whole = new Uint8Array(buffer);
      const shapes: { buffer: ArrayBuffer; views: ArrayBufferView[]; whole: Uint8Array }[] = [
        { buffer, views, whole },
        { views, whole, buffer },
        { whole, buffer, views },
      ];
      for (const value of shapes) {
        const back = await echo(world, value);
        assert.deepStrictEqual(back, value);
        assertPattern(back.buffer, 5);
        for (const [i, view] of back.views.entries()) {
          assert.equal(view.constructor, VIEWS[i]);
          assert.equal(view.byteOffset, (i % 4) * 8);
          assert.equal(view.buffer, back.buffer);
        }
      }
    });
  }

  rankTest('13. may have ArrayBuffers anywhere, also where no view leads to them', 1, async (world) => {
    const at = (key: number): ArrayBuffer => pattern(key, LARGE).buffer;
    const far = Array.from({ length: 500 }, (_, i) => ({ i }));
    const value = {
      map: new Map([[at(1), at(2)]]),
      set: new Set([at(3)]),
      far: [far, [[[[{ deep: at(4) }]]]]],
      twice: at(5),
      text: 'B'.repeat(100_000),
    };
    for (const buffer of [at(9), value]) {
      const again = (await echo(world, { root: buffer })).root;
      assert.deepStrictEqual(again, buffer);
    }
    assertPattern(await echo(world, at(6)), 6);
    const { byteLength } = await Promise.all([
      world.recvObject({ source: 0 }),
      world.sendObject(value, { dest: 0 }),
    ]).then(([object]) => object);
    assert.ok(byteLength < 5 * LARGE + 120_000, `${byteLength} bytes`);
  });

  rankTest('14. has Buffers as Buffers, without the memory around them', 1, async (world) => {
    const value = {
      small: Buffer.from('pooled'),
      slice: Buffer.from(pattern(1, LARGE).buffer, 8, 16),
      large: Buffer.from(pattern(2, LARGE)),
      empty: Buffer.alloc(0),
    };
    const back = await echo(world, value);
    assert.deepStrictEqual(back, value);
    for (const one of Object.values(back)) assert.ok(Buffer.isBuffer(one));
    const { byteLength } = await Promise.all([
      world.recvObject({ source: 0 }),
      world.sendObject(value.slice, { dest: 0 }),
    ]).then(([object]) => object);
    assert.ok(byteLength < 100, `${byteLength} bytes`);
  });

  rankTest('15. that cannot be cloned is a bad argument, at once', 1, async (world) => {
    const detached = new ArrayBuffer(8);
    structuredClone(detached, { transfer: [detached] });
    const { port1, port2 } = new MessageChannel();
    const bad: [unknown, RegExp][] = [
      [() => 1, /=> 1/],
      [{ deep: [Symbol('s')] }, /Symbol\(s\)/],
      [new WeakMap(), /WeakMap/],
      [Promise.resolve(), /Promise/],
      [new Proxy({}, {}), /cloned/],
      [port1, /cloned/],
      [detached, /detached/],
      [new SharedArrayBuffer(8), /SharedArrayBuffer/],
      [{ view: new Uint8Array(new SharedArrayBuffer(LARGE)) }, /SharedArrayBuffer/],
      [
        Buffer.from(new SharedArrayBuffer(LARGE)).fill(1).subarray(0, 0) && new DataView(new SharedArrayBuffer(1)),
        /SharedA/,
      ],
    ];
    for (const [value, what] of bad) {
      const refused = coded('ERR_UINTR_INVALID_ARGUMENT', "'value'", what);
      assert.throws(() => world.isendObject(value, { dest: 0 }), refused);
      assert.throws(() => world.isendObject(value, { dest: PROC_NULL }), refused);
      await assert.rejects(world.sendObject(value, { dest: 0 }), refused);
    }
    port1.close();
    port2.close();
    const error = new Error('from the getter');
    const throwing = {
      get x(): never {
        throw error;
      },
    };
    assert.throws(() => world.isendObject(throwing, { dest: 0 }), error);
    assert.equal(world.inspect().slotsUsed, 0);
  });

  rankTest('16. takes the arguments of a message', 2, async (world) => {
    for (const dest of [2, -1, 1.5, '0', undefined]) {
      assert.throws(() => world.isendObject(1, { dest: dest as number }), invalid('dest'));
    }
    assert.throws(() => world.isendObject(1, { dest: 0, tag: -1 }), invalid('tag'));
    assert.throws(() => world.isendObject(1, { dest: 0, into: 3 } as never), invalid('into'));
    assert.throws(() => world.irecvObject({ source: 2 }), invalid('source', '2'));
    assert.throws(() => world.irecvObject({ signal: 1 as never }), invalid('signal', '1'));
    await assert.rejects(world.recvObject({ tag: 2 ** 31 }), invalid('tag'));
    assert.deepEqual(await world.recvObject({ source: PROC_NULL }), {
      value: undefined,
      source: PROC_NULL,
      tag: ANY_TAG,
      byteLength: 0,
    });
    const status = await world.sendObject([large(1)], { dest: PROC_NULL, tag: 4 });
    assert.equal(status.source, world.rank);
    assert.equal(status.tag, 4);
    assert.ok(status.byteLength > LARGE);
  });

  rankTest('17. can be cancelled and aborted before it comes, and not after', 2, async (world) => {
    const request = world.irecvObject({ source: 1 - world.rank });
    assert.equal(request.cancel(), true);
    assert.equal(request.done, true);
    assert.throws(() => request.wait(), cancelled);
    const controller = new AbortController();
    const aborted = world.irecvObject({ signal: controller.signal });
    controller.abort('no');
    await assert.rejects(
      async () => aborted,
      (reason) => reason === 'no',
    );
    await assert.rejects(world.recvObject({ signal: AbortSignal.abort('early') }), (reason) => reason === 'early');
    assert.equal(world.inspect().slotsUsed, 0);
    await meet(world);
    const good = world.irecvObject();
    const sent = world.isendObject(large(3), { dest: 1 - world.rank });
    assertLarge((await good).value, 3);
    assert.equal(good.cancel(), false);
    await sent;
    assert.equal(sent.cancel(), false);
  });

  rankTest('18. of more buffers than there are requests', { join: { maxRequests: 64 } }, async (world) => {
    const peer = 1 - world.rank;
    const many = (count: number): Uint8Array[] => Array.from({ length: count }, (_, i) => pattern(i, 70_000));
    assert.throws(() => world.isendObject(many(100), { dest: peer }), coded('ERR_UINTR_NO_MEMORY', 'maxRequests'));
    assert.equal(world.inspect().slotsUsed, 0);
    if (world.rank === 0) {
      await world.sendObject(many(40), { dest: 1 });
    } else {
      // They leave room for one receive.
      const others: unknown[] = [];
      const object = world.irecvObject<Uint8Array[]>({ source: 0 });
      assert.throws(() => {
        for (;;) others.push(world.irecvObject({ source: 0, tag: 9 }));
      }, coded('ERR_UINTR_NO_MEMORY'));
      const { value } = await object;
      assert.equal(value.length, 40);
      for (const [i, data] of value.entries()) assertPattern(data, i);
    }
  });

  rankTest('19. that is closed in the middle fails, and no memory is touched afterwards', 2, async (world) => {
    if (world.rank === 0) {
      const sent = Array.from({ length: 30 }, (_, i) => world.isendObject(large(i, 3_000_000), { dest: 1 }));
      let failures = 0;
      for (const one of sent) {
        await one.then(undefined, (error) => {
          failures += 1;
          peerExited(1, 'closed')(error);
        });
      }
      assert.ok(failures > 0);
    } else {
      const received = Array.from({ length: 20 }, () => world.irecvObject());
      assertLarge((await received[0]!).value, 0, 3_000_000);
      const outcomes = Promise.allSettled(received);
      await world.close();
      for (const [i, outcome] of (await outcomes).entries()) {
        if (outcome.status === 'fulfilled') assertLarge(outcome.value.value, i, 3_000_000);
        else coded('ERR_UINTR_CLOSED')(outcome.reason);
      }
    }
  });

  rankTest('20. sent before close() is received after it', 2, async (world) => {
    if (world.rank === 0) {
      void world.isendObject(large(1), { dest: 1 });
      await Promise.all([world.close(), assert.rejects(world.sendObject(1, { dest: 1 }), coded('ERR_UINTR_CLOSED'))]);
    } else {
      assertLarge((await world.recvObject({ source: 0 })).value, 1);
    }
  });

  rankTest('21. may lie in the shared heap, which cannot be freed while it is sent', 2, async (world) => {
    const peer = 1 - world.rank;
    const view = world.alloc(LARGE);
    view.set(pattern(1, LARGE));
    const sent = world.isendObject({ view }, { dest: peer });
    assert.throws(() => world.free(view), invalid('view', 'Uint8Array'));
    await meet(world);
    const { value } = await world.recvObject<{ view: Uint8Array }>();
    assertPattern(value.view, 1);
    await sent;
    world.free(view);
  });

  rankTest('22. fails to arrive without harm where its sender gives up its world', 2, async (world) => {
    if (world.rank === 0) {
      const sent = world.isendObject([large(1), large(2)], { dest: 1 });
      const failed = assert.rejects(async () => sent, coded('ERR_UINTR_TIMEOUT'));
      await world.close({ timeoutMs: 0 });
      await failed;
    } else {
      // Never received, so it cannot have been delivered.
      await nextPeerExit(world);
      assert.equal(world.iprobe(), null);
      await assert.rejects(world.recvObject({ source: 0 }), peerExited(0, 'closed'));
    }
  });
});
