// messages(): a stream of messages, received as they are asked for.
import { strict as assert } from 'node:assert';
import { PROC_NULL } from '../../lib/index.js';
import { coded, invalid, peerExited } from '../helpers/errors.js';
import { eachDriver } from '../helpers/matrix.js';
import { assertPattern, pattern } from '../helpers/pattern.js';
import { processTest, rankTest } from '../helpers/rank-test.js';
import { computeUntilWritten } from '../helpers/work.js';
import { meet } from '../helpers/worlds.js';

const SIZES = [0, 10, 40_000, 1_000_000];
const over = { done: true, value: undefined };

eachDriver(() => {
  rankTest('1. gives all that match, in order', 2, async (world) => {
    const count = 60;
    if (world.rank === 0) {
      await Promise.all(
        Array.from({ length: count }, (_, i) =>
          world.isend(pattern(i, SIZES[i % 4]!), { dest: 1, tag: i % 3 === 0 ? 1 : 2 }),
        ),
      );
    } else {
      for (const tag of [2, 1]) {
        const keys = Array.from({ length: count }, (_, i) => i).filter((i) => (i % 3 === 0 ? 1 : 2) === tag);
        for await (const message of world.messages({ source: 0, tag })) {
          const i = keys.shift()!;
          assert.deepEqual([message.source, message.tag, message.byteLength], [0, tag, SIZES[i % 4]]);
          assertPattern(message.data, i);
          if (keys.length === 0) break;
        }
      }
      assert.equal(world.iprobe(), null);
    }
  });

  rankTest('2. holds back senders that are ahead of the reader', 2, async (world) => {
    if (world.rank === 0) {
      const sends = Array.from({ length: 10 }, (_, i) => world.issend(pattern(i, SIZES[i % 4]!), { dest: 1, tag: 1 }));
      for (let read = 1; read <= 10; read += 1) {
        await world.recv({ source: 1, tag: 2 });
        const done = sends.filter((send) => send.done).length;
        assert.ok(done <= read + 1, `${done} are done where ${read} were read`);
        await world.send(new Uint8Array(0), { dest: 1, tag: 3 });
      }
      await Promise.all(sends);
    } else {
      let read = 0;
      for await (const { data } of world.messages({ tag: 1 })) {
        assertPattern(data, read);
        await world.send(new Uint8Array(0), { dest: 0, tag: 2 });
        await world.recv({ source: 0, tag: 3 });
        read += 1;
        if (read === 10) break;
      }
    }
  });

  rankTest('3. what was not read when the loop is left is there for others', 2, async (world) => {
    for (const size of SIZES) {
      if (world.rank === 0) {
        const sends = [0, 1, 2].map((i) => world.isend(pattern(i, size), { dest: 1, tag: 1 }));
        await meet(world);
        await Promise.all(sends);
      } else {
        await meet(world);
        for await (const { data } of world.messages({ tag: 1 })) {
          assertPattern(data, 0);
          break;
        }
        for (const i of [1, 2]) assertPattern((await world.recv({ tag: 1 })).data, i);
      }
    }
  });

  rankTest('4. fails with the end of the rank it needs, after what that rank has delivered', 2, async (world) => {
    if (world.rank === 0) {
      for (const size of SIZES) await world.send(pattern(size, size), { dest: 1 });
      return;
    }
    const read: number[] = [];
    const reading = async (): Promise<void> => {
      for await (const { byteLength, data } of world.messages({ source: 0 })) {
        assertPattern(data, byteLength);
        read.push(byteLength);
      }
    };
    await assert.rejects(reading(), peerExited(0, 'closed'));
    assert.deepEqual(read, SIZES);
  });
});

describe('messages', () => {
  rankTest('5. return() takes back what waits, and leaves the next message to others', 1, async (world) => {
    const stream = world.messages({ tag: 1 });
    const waiting = [stream.next(), stream.next()];
    assert.deepEqual(await stream.return!(), over);
    assert.deepEqual(await Promise.all(waiting), [over, over]);
    assert.deepEqual(await stream.next(), over);
    const one = world.recv({ tag: 1 });
    await world.send(pattern(1, 10), { dest: 0, tag: 1 });
    assertPattern((await one).data, 1);
  });

  rankTest('6. of what next() has been promised none is lost by return() or abort', 1, async (world) => {
    const controller = new AbortController();
    for (const size of SIZES) {
      const stream = world.messages({ tag: 1, signal: controller.signal });
      const sent = world.isend(pattern(1, size), { dest: 0, tag: 1 });
      const first = stream.next();
      await stream.return!();
      const { value } = await first;
      assertPattern(value!.data, 1);
      await sent;
    }
  });

  rankTest('7. aborted, it rejects with the reason, once, and is over', 1, async (world) => {
    const controller = new AbortController();
    const reason = new Error('enough');
    const stream = world.messages({ signal: controller.signal });
    const waiting = stream.next();
    controller.abort(reason);
    await assert.rejects(waiting, (error) => error === reason);
    assert.deepEqual(await stream.next(), over);
    await world.send(new Uint8Array(3), { dest: 0 });
    const late = world.messages({ signal: controller.signal });
    await assert.rejects(late.next(), (error) => error === reason);
    assert.equal((await world.recv()).byteLength, 3);
  });

  rankTest('8. from PROC_NULL is over at once', 1, async (world) => {
    for await (const _ of world.messages({ source: PROC_NULL })) assert.fail('a message from nobody');
  });

  rankTest('9. refuses bad arguments at once', 1, async (world) => {
    assert.throws(() => world.messages({ source: 1 }), invalid('source', '1'));
    assert.throws(() => world.messages({ tag: -7 }), invalid('tag', '-7'));
    assert.throws(() => world.messages({ sauce: 1 } as object), invalid('sauce'));
    assert.throws(() => world.messages({ signal: 1 as unknown as AbortSignal }), invalid('signal', '1'));
  });

  processTest('10. fails with the own close()', 1, async (t) => {
    const world = await t.join();
    const waiting = world.messages().next();
    const failed = assert.rejects(waiting, coded('ERR_UINTR_CLOSED'));
    await world.close();
    await failed;
    assert.throws(() => world.messages(), coded('ERR_UINTR_CLOSED'));
  });

  rankTest('11. what next() has asked for moves while JavaScript computes', 2, async (world) => {
    const size = 4_000_000;
    if (world.rank === 0) {
      await world.recv({ source: 1 });
      // Done only when the other's handler has matched it; then this tells the other to stop computing.
      await world.send(new Uint8Array(size), { dest: 1, tag: 1 });
      await world.send(new Uint8Array(100_000).fill(1), { dest: 1, tag: 2 });
    } else {
      const into = new Uint8Array(100_000);
      const received = world.irecv(into, { source: 0, tag: 2 });
      const message = world.messages({ tag: 1 }).next();
      await world.send(new Uint8Array(0), { dest: 0 });
      computeUntilWritten(into);
      assert.equal((await message).value!.byteLength, size);
      await received;
    }
  });
});
