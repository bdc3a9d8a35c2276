// Limits are backpressure: whatever is queued, what matches gets through.
import { strict as assert } from 'node:assert';
import { type Request, type Status, type World, waitAll } from '../../lib/index.js';
import { coded } from '../helpers/errors.js';
import { matrix } from '../helpers/matrix.js';
import { assertPattern, pattern } from '../helpers/pattern.js';
import { rankTest } from '../helpers/rank-test.js';
import { meet } from '../helpers/worlds.js';

/** Many times what a ring and a pool of the sizes below take. */
const FLOOD = 1_000;
const small = { eagerLimit: 1_024, ringBytes: 16 * 1_024, unexpectedBytes: 64 * 1_024 };
const sizeOf = (i: number): number => [0, 8, 500, 1_000, 1_024, 1_025, 3_000][i % 7]!;

const flood = (world: World, dest: number, tag: number, count = FLOOD): Request<Status>[] =>
  Array.from({ length: count }, (_, i) => world.isend(pattern(i, sizeOf(i)), { dest, tag }));

async function drain(world: World, source: number, tag: number, count = FLOOD): Promise<void> {
  for (let i = 0; i < count; i += 1) {
    const into = new Uint8Array(3_000);
    const { byteLength } = await world.recv(into, { source, tag });
    assert.equal(byteLength, sizeOf(i));
    assertPattern(into.subarray(0, byteLength), i);
  }
}

matrix(() => {
  rankTest('1. two ranks that flood each other on one tag can talk on another', { join: small }, async (world) => {
    const peer = 1 - world.rank;
    const sends = flood(world, peer, 1);
    for (let i = 0; i < 50; i += 1) {
      const into = new Uint8Array(i * 2_000);
      const received = world.irecv(into, { source: peer, tag: 2 });
      const sent = world.isend(pattern(i, into.length), { dest: peer, tag: 2 });
      if (i % 2 === 0) await Promise.all([received, sent]);
      else waitAll([received, sent]);
      assertPattern(into, i);
    }
    await drain(world, peer, 1);
    await Promise.all(sends);
  });

  rankTest(
    '2. a flood that nobody expects waits with its sender, and arrives in order',
    { join: small },
    async (world) => {
      if (world.rank === 0) {
        const sends = flood(world, 1, 1, 5 * FLOOD);
        await meet(world);
        waitAll(sends);
      } else {
        await meet(world);
        await drain(world, 0, 1, 5 * FLOOD);
      }
    },
  );

  rankTest('3. thousands of receives may be posted before anything comes', { join: small }, async (world) => {
    const peer = 1 - world.rank;
    const buffers = Array.from({ length: 3 * FLOOD }, (_, i) => new Uint8Array(sizeOf(i)));
    const receives = buffers.map((into) => world.irecv(into, { source: peer, tag: 1 }));
    await meet(world);
    const sends = flood(world, peer, 1, 3 * FLOOD);
    await Promise.all([...receives, ...sends]);
    for (const [i, into] of buffers.entries()) assertPattern(into, i);
  });

  rankTest('4. many ranks may flood one', { ranks: 4, join: small }, async (world) => {
    if (world.rank === 0) {
      for (const source of [3, 1, 2]) await drain(world, source, 1, 500);
    } else {
      await Promise.all(flood(world, 0, 1, 500));
    }
  });

  rankTest(
    '5. a ring of large messages goes round while every rank sends first',
    { ranks: 4, join: small },
    async (world) => {
      const size = 300_000;
      const [next, previous] = [(world.rank + 1) % 4, (world.rank + 3) % 4];
      const into = new Uint8Array(size);
      for (let i = 0; i < 10; i += 1) {
        const sent = world.isend(pattern(world.rank + i, size), { dest: next });
        world.irecv(into, { source: previous }).wait();
        sent.wait();
        assertPattern(into, previous + i);
      }
    },
  );
});

describe('maxRequests', () => {
  rankTest(
    '6. exceeded is ERR_UINTR_NO_MEMORY, and what is under way goes on',
    { join: { maxRequests: 64 } },
    async (world) => {
      const peer = 1 - world.rank;
      const posted: { into: Uint8Array; request: Request<Status> }[] = [];
      const tooMany = async (): Promise<never> => {
        for (;;) {
          const into = new Uint8Array(10);
          const request = world.irecv(into, { source: peer, tag: posted.length });
          // A request that failed is done; one that was posted is not.
          if (request.done) await request;
          posted.push({ into, request });
          assert.ok(posted.length <= 64);
        }
      };
      await assert.rejects(tooMany(), coded('ERR_UINTR_NO_MEMORY'));
      assert.ok(posted.length >= 32);
      for (const { request } of posted.splice(32)) assert.equal(request.cancel(), true);
      await meet(world);
      for (const [i] of posted.entries()) await world.send(pattern(i, 10), { dest: peer, tag: i });
      for (const [i, { into, request }] of posted.entries()) {
        await request;
        assertPattern(into, i);
      }
    },
  );

  rankTest('7. counts what is under way, not what has been', { join: { maxRequests: 64 } }, async (world) => {
    const peer = 1 - world.rank;
    for (let i = 0; i < 2_000; i += 1) {
      const [status] = await Promise.all([
        world.recv(new Uint8Array(2_000), { source: peer }),
        world.send(new Uint8Array(i), { dest: peer }),
      ]);
      assert.equal(status.byteLength, i);
    }
  });
});

describe('a receive that is too short', () => {
  rankTest('8. fails with ERR_UINTR_TRUNCATED; the sender and all that follows are unharmed', 2, async (world) => {
    for (const size of [100, 5_000, 100_000, 3_000_000]) {
      for (const room of [0, 1, size >> 1, size - 1]) {
        if (world.rank === 0) {
          const sent = world.issend(pattern(1, size), { dest: 1 });
          assert.equal((await sent).byteLength, size);
          await world.send(pattern(2, size), { dest: 1 });
        } else {
          const whole = new Uint8Array(size + 64).fill(0xaa);
          await assert.rejects(world.recv(whole.subarray(0, room)), coded('ERR_UINTR_TRUNCATED'));
          assert.ok(whole.subarray(room).every((byte) => byte === 0xaa));
          const into = new Uint8Array(size);
          await world.recv(into);
          assertPattern(into, 2);
        }
      }
    }
  });
});
