// sendInit and recvInit: operations that are prepared once and started often.
import { strict as assert } from 'node:assert';
import { type Bytes, PersistentRequest, PROC_NULL, waitAll } from '../../lib/index.js';
import { cancelled, coded, invalid } from '../helpers/errors.js';
import { matrix } from '../helpers/matrix.js';
import { assertPattern, fill } from '../helpers/pattern.js';
import { rankTest } from '../helpers/rank-test.js';

const SIZES = [0, 100, 100_000, 1_500_000];

matrix(() => {
  rankTest('1. each start moves what the buffer then holds', 2, async (world) => {
    const peer = 1 - world.rank;
    const pairs = SIZES.map((size, tag) => {
      const [out, into] = [new Uint8Array(size), new Uint8Array(size)];
      return {
        out,
        into,
        send: world.sendInit(out, { dest: peer, tag }),
        receive: world.recvInit(into, { source: peer, tag }),
      };
    });
    for (let round = 0; round < 10; round += 1) {
      for (const [tag, { out }] of pairs.entries()) fill(out, round * 10 + tag + world.rank * 1_000);
      const requests = pairs.flatMap(({ send, receive }) => [receive.start(), send.start()]);
      if (round % 2 === 0) await Promise.all(requests);
      else waitAll(requests);
      for (const [tag, { into }] of pairs.entries()) assertPattern(into, round * 10 + tag + peer * 1_000);
      assert.deepEqual({ ...requests[0]!.test() }, { source: peer, tag: 0, byteLength: 0 });
    }
  });
}, ['signal']);

describe('a persistent request', () => {
  rankTest(
    '2. cannot be started while it is active, and can as soon as it is over, however it ended',
    1,
    async (world) => {
      const receive = world.recvInit(new Uint8Array(10), { source: 0, tag: 1 });
      assert.ok(receive instanceof PersistentRequest);
      const first = receive.start();
      assert.throws(() => receive.start(), invalid('request', 'PersistentRequest'));
      assert.equal(first.cancel(), true);
      await assert.rejects(async () => first, cancelled);
      const second = receive.start();
      await world.send(new Uint8Array(11), { dest: 0, tag: 1 });
      await assert.rejects(async () => second, coded('ERR_UINTR_TRUNCATED'));
      const third = receive.start();
      await world.send(new Uint8Array(9), { dest: 0, tag: 1 });
      assert.equal((await third).byteLength, 9);
      // Nobody has asked the fourth whether it is over.
      void receive.start();
      await world.send(new Uint8Array(8), { dest: 0, tag: 1 });
      const fifth = receive.start();
      assert.equal(fifth.cancel(), true);
    },
  );

  rankTest('3. keeps the arguments it was made with', 1, async (world) => {
    const options = { dest: 0, tag: 5 };
    const send = world.sendInit(Uint8Array.of(1, 2, 3), options);
    options.tag = 6;
    await send.start();
    assert.equal((await world.recv()).tag, 5);
  });

  rankTest('4. to or from PROC_NULL is over at once', 1, async (world) => {
    const send = world.sendInit(new Uint8Array(5), { dest: PROC_NULL });
    const receive = world.recvInit(new Uint8Array(5), { source: PROC_NULL });
    for (let i = 0; i < 3; i += 1) {
      assert.equal((await send.start()).byteLength, 5);
      assert.equal((await receive.start()).source, PROC_NULL);
    }
  });

  rankTest('5. has its arguments checked when it is made', 1, async (world) => {
    const data = new Uint8Array(3);
    assert.throws(() => world.sendInit(data, { dest: 1 }), invalid('dest', '1'));
    assert.throws(() => world.sendInit(data, { dest: 0, tag: -1 }), invalid('tag', '-1'));
    assert.throws(() => world.sendInit('text' as unknown as Bytes, { dest: 0 }), invalid('data', 'text'));
    assert.throws(() => world.sendInit(data, { dest: 0, when: 1 } as { dest: number }), invalid('when'));
    assert.throws(() => world.recvInit(data, { source: 1 }), invalid('source', '1'));
    assert.throws(() => world.recvInit({ source: 0 } as unknown as Bytes), invalid('into'));
    const controller = new AbortController();
    const receive = world.recvInit(data, { signal: controller.signal });
    const request = receive.start();
    controller.abort('enough');
    await assert.rejects(
      async () => request,
      (error) => error === 'enough',
    );
    await world.close();
    assert.throws(() => receive.start(), coded('ERR_UINTR_CLOSED'));
    assert.throws(() => world.recvInit(data), coded('ERR_UINTR_CLOSED'));
    assert.throws(() => world.sendInit(data, { dest: 0 }), coded('ERR_UINTR_CLOSED'));
  });
});
