// waitAll, waitAny, testAny, testSome: several requests at once.
import { strict as assert } from 'node:assert';
import { Request, testAny, testSome, waitAll, waitAny } from '../../lib/index.js';
import { cancelled, coded } from '../helpers/errors.js';
import { eachDriver } from '../helpers/matrix.js';
import { assertPattern, pattern } from '../helpers/pattern.js';
import { rankTest } from '../helpers/rank-test.js';

const COUNT = 40;
const sizeOf = (i: number): number => (i % 4 === 0 ? 60_000 : 10 * i);

eachDriver(() => {
  rankTest('1. waitAll completes all, and returns their values in order', 2, (world) => {
    const peer = 1 - world.rank;
    const buffers = Array.from({ length: COUNT }, (_, i) => new Uint8Array(sizeOf(i)));
    const receives = buffers.map((into, tag) => world.irecv(into, { source: peer, tag }));
    const sends = buffers.map((into, i) => world.isend(pattern(i, into.length), { dest: peer, tag: i }));
    assert.deepEqual(
      waitAll(receives).map(({ tag }) => tag),
      buffers.map((_, i) => i),
    );
    waitAll(sends);
    for (const [i, into] of buffers.entries()) assertPattern(into, i);
  });

  rankTest('2. waitAny returns each request once, and undefined when all were collected', 2, async (world) => {
    const peer = 1 - world.rank;
    const receives = Array.from({ length: COUNT }, (_, tag) => world.irecv({ source: peer, tag }));
    const sends = receives.map((_, i) => world.isend(pattern(i, sizeOf(i)), { dest: peer, tag: i }));
    const seen = new Set<number>();
    for (let any = waitAny(receives); any !== undefined; any = waitAny(receives)) {
      assert.ok(!seen.has(any.index));
      seen.add(any.index);
      assert.equal(any.value.tag, any.index);
      assertPattern(any.value.data, any.index);
    }
    assert.equal(seen.size, COUNT);
    await Promise.all(sends);
  });

  rankTest('3. testAny returns one that is done or undefined, and each once', 2, async (world) => {
    const peer = 1 - world.rank;
    const receives = Array.from({ length: COUNT }, (_, tag) => world.irecv({ source: peer, tag }));
    assert.equal(testAny(receives.slice(0, 0)), undefined);
    const sends = receives.map((_, i) => world.isend(pattern(i, sizeOf(i)), { dest: peer, tag: i }));
    const seen = new Set<number>();
    while (seen.size < COUNT) {
      const any = testAny(receives);
      if (any === undefined) continue;
      assert.ok(!seen.has(any.index));
      seen.add(any.index);
      assertPattern(any.value.data, any.index);
    }
    assert.equal(testAny(receives), undefined);
    await Promise.all(sends);
  });

  rankTest('4. testSome returns all that are done, and each once', 2, async (world) => {
    const peer = 1 - world.rank;
    const receives = Array.from({ length: COUNT }, (_, tag) => world.irecv({ source: peer, tag }));
    const sends = receives.map((_, i) => world.isend(pattern(i, sizeOf(i)), { dest: peer, tag: i }));
    const seen = new Set<number>();
    while (seen.size < COUNT) {
      for (const { index, value } of testSome(receives)) {
        assert.ok(!seen.has(index));
        seen.add(index);
        assertPattern(value.data, index);
      }
    }
    assert.deepEqual(testSome(receives), []);
    await Promise.all(sends);
  });
});

describe('a set of requests', () => {
  rankTest('5. may be empty', 1, () => {
    assert.deepEqual(waitAll([]), []);
    assert.equal(waitAny([]), undefined);
    assert.equal(testAny([]), undefined);
    assert.deepEqual(testSome([]), []);
  });

  rankTest('6. can be asked by the static methods of Request as well', 1, async (world) => {
    const receives = [1, 2, 3, 4].map((tag) => world.irecv(new Uint8Array(4), { tag }));
    for (const tag of [1, 2, 3, 4]) await world.send(new Uint8Array(tag), { dest: 0, tag });
    assert.equal(Request.testAny(receives)?.index, 0);
    assert.equal(Request.waitAny(receives)?.index, 1);
    assert.deepEqual(
      Request.testSome(receives).map(({ index }) => index),
      [2, 3],
    );
    assert.deepEqual(
      Request.waitAll(receives).map(({ byteLength }) => byteLength),
      [1, 2, 3, 4],
    );
  });

  rankTest('7. skips a request that was collected by await, wait, test or waitAll', 1, async (world) => {
    const receives = [0, 1, 2, 3, 4].map((tag) => world.irecv(new Uint8Array(4), { tag }));
    for (const tag of [0, 1, 2, 3, 4]) await world.send(new Uint8Array(1), { dest: 0, tag });
    await receives[0];
    receives[1]!.wait();
    receives[2]!.test();
    waitAll([receives[3]!]);
    assert.equal(waitAny(receives)?.index, 4);
    assert.equal(waitAny(receives), undefined);
  });

  rankTest('8. does not count done as collecting', 1, async (world) => {
    const request = world.irecv(new Uint8Array(4));
    await world.send(new Uint8Array(1), { dest: 0 });
    while (!request.done);
    assert.equal(waitAny([request])?.index, 0);
  });

  rankTest(
    '9. of which one fails: waitAll completes all, then throws the first error, with all outcomes',
    1,
    async (world) => {
      const [first, lost, short, last] = [
        world.irecv(new Uint8Array(4), { tag: 1 }),
        world.irecv(new Uint8Array(4), { tag: 2 }),
        world.irecv(new Uint8Array(4), { tag: 3 }),
        world.irecv(new Uint8Array(4), { tag: 4 }),
      ];
      lost.cancel();
      for (const tag of [1, 3, 4]) await world.send(new Uint8Array(tag * 2), { dest: 0, tag });
      // 6 and 8 bytes do not fit: of the three failures, that of `lost` is the first.
      try {
        waitAll([first, lost, short, last]);
        assert.fail('waitAll returned');
      } catch (error) {
        cancelled(error);
        assert.equal((error as { results?: unknown[] }).results?.length, 4);
      }
      for (const request of [first, lost, short, last]) assert.equal(request.done, true);
      assert.equal((await first).byteLength, 2);
      await assert.rejects(async () => last, coded('ERR_UINTR_TRUNCATED'));
    },
  );

  rankTest('10. of which one fails: waitAny, testAny and testSome throw its error', 1, (world) => {
    for (const ask of [waitAny, testAny, testSome] as const) {
      const [open, lost] = [world.irecv(new Uint8Array(4)), world.irecv(new Uint8Array(4))];
      lost.cancel();
      assert.throws(() => ask([open, lost]), cancelled);
      assert.equal(open.cancel(), true);
    }
  });

  rankTest('11. stays active when its timeout runs out', 1, async (world) => {
    const receives = [1, 2].map((tag) => world.irecv(new Uint8Array(4), { tag }));
    await world.send(new Uint8Array(1), { dest: 0, tag: 2 });
    assert.throws(() => waitAll(receives, 5), coded('ERR_UINTR_TIMEOUT'));
    assert.equal(receives[0]!.done, false);
    assert.equal(waitAny(receives, 5)?.index, 1);
    assert.throws(() => waitAny(receives, 5), coded('ERR_UINTR_TIMEOUT'));
    await world.send(new Uint8Array(1), { dest: 0, tag: 1 });
    assert.equal(waitAny(receives, 5_000)?.index, 0);
  });

  rankTest('12. may mix sends and receives, of all sizes, with several ranks', { ranks: 4 }, (world) => {
    const others = [0, 1, 2, 3].filter((rank) => rank !== world.rank);
    const buffers = others.map(() => new Uint8Array(400_000));
    const requests = others.flatMap((peer, i) => [
      world.irecv(buffers[i]!, { source: peer }),
      world.isend(pattern(world.rank * 4 + peer, 100_000 * peer), { dest: peer }),
    ]);
    waitAll(requests);
    for (const [i, peer] of others.entries()) {
      assertPattern(buffers[i]!.subarray(0, 100_000 * world.rank), peer * 4 + world.rank);
    }
  });
});
