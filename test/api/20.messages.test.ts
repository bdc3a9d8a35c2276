// Point-to-point messages: what arrives where, in which order, with which status.
import { strict as assert } from 'node:assert';
import { ANY_SOURCE, ANY_TAG, PROC_NULL, waitAll } from '../../lib/index.js';
import { matrix } from '../helpers/matrix.js';
import { assertAll, assertPattern, fill, pattern } from '../helpers/pattern.js';
import { type RankTestOptions, rankTest } from '../helpers/rank-test.js';

const KiB = 1024;
const EAGER = 4 * KiB;
const join = { eagerLimit: EAGER, ringBytes: 64 * KiB };
const SIZES = [0, 1, 3, 8, 63, 64, 65, 511, 512, 513, EAGER - 1, EAGER, EAGER + 1]
  .concat([16, 32, 64, 256, 1024].flatMap((n) => [n * KiB - 1, n * KiB, n * KiB + 1]))
  .concat([5 * 1024 * KiB + 3]);

/** What holds however the ranks were started. */
function messages(via: RankTestOptions['via']): void {
  rankTest(
    '1. a message of any size arrives whole, with source, tag and length in its status',
    { via, join },
    async (world) => {
      for (const [i, size] of SIZES.entries()) {
        if (world.rank === 0) {
          const status = await world.send(pattern(i, size), { dest: 1, tag: i });
          assert.deepEqual({ ...status }, { source: 0, tag: i, byteLength: size });
        } else {
          const into = new Uint8Array(size);
          const status = await world.recv(into, { source: 0, tag: i });
          assert.deepEqual({ ...status }, { source: 0, tag: i, byteLength: size });
          assertPattern(into, i);
        }
      }
    },
  );

  rankTest('2. received without a buffer, it comes as a Message with its data', { via, join }, async (world) => {
    for (const [i, size] of SIZES.entries()) {
      if (world.rank === 0) {
        await world.send(pattern(i, size), { dest: 1, tag: i });
      } else {
        const message = await world.recv({ source: 0, tag: i });
        assert.deepEqual([message.source, message.tag, message.byteLength], [0, i, size]);
        assert.equal(message.data.length, size);
        assertPattern(message.data, i);
      }
    }
  });

  rankTest('3. between buffers of the shared heap it arrives whole too', { via, join }, async (world) => {
    for (const [i, size] of SIZES.entries()) {
      const buffer = world.alloc(size);
      if (world.rank === 0) {
        await world.send(fill(buffer, i), { dest: 1 });
      } else {
        await world.recv(buffer);
        assertPattern(buffer, i);
      }
      world.free(buffer);
    }
  });

  rankTest(
    '4. messages of one sender that match the same receive are received in the order they were sent',
    { via, join },
    async (world) => {
      // Eager and rendezvous in turns: neither may overtake the other.
      const sizes = Array.from({ length: 200 }, (_, i) => (i % 3 === 0 ? 40 * KiB : i % 3 === 1 ? 16 : EAGER + 1));
      if (world.rank === 0) {
        waitAll(sizes.map((size, i) => world.isend(pattern(i, size), { dest: 1, tag: i })));
      } else {
        for (const [i, size] of sizes.entries()) {
          const message = await world.recv();
          assert.deepEqual([message.source, message.tag, message.byteLength], [0, i, size]);
          assertPattern(message.data, i);
        }
      }
    },
  );

  rankTest(
    '5. receives that match the same message get it in the order they were posted',
    { via, join },
    async (world) => {
      const count = 100;
      if (world.rank === 1) {
        const buffers = Array.from({ length: count }, () => new Uint8Array(EAGER * 2));
        const requests = buffers.map((into, i) =>
          world.irecv(into, i % 2 === 0 ? { source: 0, tag: 7 } : { tag: ANY_TAG }),
        );
        await world.send(new Uint8Array(0), { dest: 0 });
        await Promise.all(requests);
        for (const [i, into] of buffers.entries()) assertPattern(into.subarray(0, 100 + i), i);
      } else {
        await world.recv({ source: 1 });
        for (let i = 0; i < count; i += 1)
          await world.send(pattern(i, i % 5 === 0 ? EAGER * 2 : 100 + i), { dest: 1, tag: 7 });
      }
    },
  );

  rankTest('6. a receive takes the message with its tag, whatever came before', { via, join }, async (world) => {
    const tags = [0, 1, 77, 2 ** 31 - 1];
    if (world.rank === 0) {
      const sent = tags.map((tag, i) => world.isend(pattern(i, i % 2 === 0 ? 10 : 50_000), { dest: 1, tag }));
      await Promise.all(sent);
    } else {
      for (const tag of [...tags].reverse()) {
        const message = await world.recv({ source: 0, tag });
        assert.equal(message.tag, tag);
        assertPattern(message.data, tags.indexOf(tag));
      }
    }
  });

  rankTest(
    '7. ANY_SOURCE takes from everyone, an exact source only from it',
    { ranks: 4, via, join },
    async (world) => {
      if (world.rank === 0) {
        const third = await world.recv({ source: 3 });
        assert.equal(third.source, 3);
        const sources = [];
        for (let i = 0; i < 5; i += 1) {
          const message = await world.recv({ source: ANY_SOURCE });
          assertPattern(message.data, message.source);
          sources.push(message.source);
        }
        assert.deepEqual(sources.sort(), [1, 1, 2, 2, 3]);
      } else {
        for (const size of [100, 100_000]) await world.send(pattern(world.rank, size), { dest: 0 });
      }
    },
  );

  rankTest('8. a synchronous send is not done before its receive is posted', { via, join }, async (world) => {
    for (const size of [0, 10, 100_000]) {
      if (world.rank === 0) {
        const request = world.issend(pattern(1, size), { dest: 1, tag: 1 });
        // Sent after it and received before it: by then it has arrived, and is not matched.
        await world.send(new Uint8Array(1), { dest: 1, tag: 2 });
        await world.recv({ source: 1, tag: 3 });
        assert.equal(request.done, false);
        await world.send(new Uint8Array(1), { dest: 1, tag: 4 });
        assert.deepEqual({ ...(await request) }, { source: 0, tag: 1, byteLength: size });
      } else {
        await world.recv({ source: 0, tag: 2 });
        await world.send(new Uint8Array(1), { dest: 0, tag: 3 });
        await world.recv({ source: 0, tag: 4 });
        assertPattern((await world.recv({ source: 0, tag: 1 })).data, 1);
      }
    }
  });

  rankTest(
    '9. both ranks can send large messages to each other before either receives',
    { via, join },
    async (world) => {
      const peer = 1 - world.rank;
      const into = new Uint8Array(3_000_000);
      const sent = world.isend(pattern(world.rank, into.length), { dest: peer });
      await world.recv(into, { source: peer });
      await sent;
      assertPattern(into, peer);
    },
  );

  rankTest('10. a rank can send to itself, before or after it receives', { ranks: 1, via, join }, async (world) => {
    for (const size of [0, 1, EAGER, EAGER + 1, 1_000_000]) {
      const early = new Uint8Array(size);
      const posted = world.irecv(early, { source: 0, tag: 1 });
      await world.send(pattern(1, size), { dest: 0, tag: 1 });
      await posted;
      assertPattern(early, 1);

      const sent = world.isend(pattern(2, size), { dest: 0, tag: 2 });
      assertPattern((await world.recv({ tag: 2 })).data, 2);
      assert.deepEqual({ ...(await sent) }, { source: 0, tag: 2, byteLength: size });
    }
  });

  rankTest('11. what a receive does not fill stays as it was', { via, join }, async (world) => {
    for (const size of [0, 10, EAGER + 1, 300_000]) {
      if (world.rank === 0) {
        await world.send(pattern(size, size), { dest: 1 });
      } else {
        const whole = new Uint8Array(size + 200).fill(0xee);
        const status = await world.recv(whole.subarray(50, size + 100));
        assert.equal(status.byteLength, size);
        assertPattern(whole.subarray(50, size + 50), size);
        assertAll(whole.subarray(0, 50), 0xee);
        assertAll(whole.subarray(size + 50), 0xee);
      }
    }
  });
}

matrix(() => messages('name'));
describe('(started by uintr run)', () => messages('launcher'));

describe('PROC_NULL', () => {
  rankTest('12. as destination: the send is done at once', 1, async (world) => {
    assert.deepEqual(
      { ...(await world.send(new Uint8Array(100_000), { dest: PROC_NULL, tag: 3 })) },
      {
        source: 0,
        tag: 3,
        byteLength: 100_000,
      },
    );
    assert.equal(world.issend(new Uint8Array(3), { dest: PROC_NULL }).done, true);
  });

  rankTest(
    '13. as source: the receive is done at once, with no bytes, source PROC_NULL and ANY_TAG',
    1,
    async (world) => {
      const into = new Uint8Array(8).fill(1);
      const status = await world.recv(into, { source: PROC_NULL, tag: 5 });
      assert.deepEqual({ ...status }, { source: PROC_NULL, tag: ANY_TAG, byteLength: 0 });
      assertAll(into, 1);
      const message = await world.recv({ source: PROC_NULL });
      assert.equal(message.data.length, 0);
    },
  );
});
