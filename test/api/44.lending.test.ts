// Lent buffers: a message that is not copied, and that its sender has back when the receiver has released it.
import { strict as assert } from 'node:assert';
import type { Message, World } from '../../lib/index.js';
import { invalid } from '../helpers/errors.js';
import { LENGTH, loansOf, untilLent } from '../helpers/loans.js';
import { eachDriver, matrix, THREAD_COPIES } from '../helpers/matrix.js';
import { assertAll, assertPattern, fill } from '../helpers/pattern.js';
import { rankTest } from '../helpers/rank-test.js';
import { meet } from '../helpers/worlds.js';

const SIZES = [1, 1_000, 100_001, 16 * 2 ** 20];

async function talk(world: World): Promise<void> {
  const { lent: before } = world.stats();
  for (const [i, size] of SIZES.entries()) {
    if (world.rank === 0) {
      const block = fill(world.alloc(size + 10), i);
      const sent = world.isend(block, { dest: 1, lend: true });
      assert.deepEqual({ ...(await sent) }, { source: 0, tag: 0, byteLength: size + 10 });
      assertPattern(block, i); // it is one's own
      // Any part of a block.
      await world.send(fill(block.subarray(3, 3 + size), i + 100), { dest: 1, tag: 1, lend: true });
      world.free(block);
    } else {
      const message = await world.recv({ source: 0 });
      assert.deepEqual({ ...message, data: null }, { source: 0, tag: 0, byteLength: size + 10, data: null });
      assert.equal(message.lent, true);
      assertPattern(message.data, i);
      message.release();
      const part = await world.irecv({ tag: 1 });
      assert.equal(part.data.length, size);
      assert.equal(part.data.buffer.byteLength, size);
      assertPattern(part.data, i + 100);
      part.release();
    }
  }
  const { lent: out, borrowed, copied } = world.stats();
  assert.deepEqual([out - before, borrowed], world.rank === 0 ? [2 * SIZES.length, 0] : [0, 2 * SIZES.length]);
  for (const { asReceiver, asSender } of Object.values(copied)) assert.deepEqual([asReceiver, asSender], [0, 0]);
}

matrix(() => {
  rankTest(
    '1. a receive without a buffer reads the memory of its sender, who has it back when that is released',
    2,
    talk,
  );
});

matrix(
  () => {
    rankTest('2. threads', { processes: [[0, 1]] }, talk);
  },
  ['signal', 'uintr', 'poll'],
  THREAD_COPIES,
);

eachDriver(() => {
  rankTest(
    '3. one block is lent to several, and more than once, and is free when all have let go',
    3,
    async (world) => {
      if (world.rank === 0) {
        const block = fill(world.alloc(LENGTH), 1);
        const sends = [1, 2].flatMap((dest) =>
          Array.from({ length: 64 }, () => world.isend(block, { dest, lend: true })),
        );
        await world.recv({ source: 1, tag: 1 });
        // Rank 1 has let go of all; the other keeps one.
        await Promise.all(sends.slice(0, 64));
        assert.throws(() => world.free(block), invalid('view', 'lent'));
        await world.send(new Uint8Array(0), { dest: 2, tag: 1 });
        await Promise.all(sends);
        world.free(block);
      } else {
        const messages: Message[] = [];
        for (let i = 0; i < 64; i += 1) messages.push(await world.recv({ source: 0, tag: 0 }));
        for (const { data } of messages) assertPattern(data, 1);
        const keeps = world.rank === 2 ? 1 : 0;
        while (messages.length > keeps) messages.splice(Math.floor(messages.length / 3), 1)[0]!.release();
        if (world.rank === 1) return world.send(new Uint8Array(0), { dest: 0, tag: 1 });
        assertPattern(messages[0]!.data, 1);
        await world.recv({ source: 0, tag: 1 });
        messages[0]!.release();
      }
      return undefined;
    },
  );

  rankTest('4. to oneself', 1, async (world) => {
    const block = fill(world.alloc(LENGTH), 2);
    const sent = world.isend(block, { dest: 0, lend: true });
    const message = await world.recv();
    assertPattern(message.data, 2);
    assert.equal(sent.done, false);
    // What is lent can be lent on; the first has it back last.
    const on = world.isend(message.data, { dest: 0, lend: true });
    const second = await world.recv();
    assert.throws(() => message.release(), invalid('message', 'lent'));
    second.release();
    await on;
    message.release();
    await sent;
    world.free(block);
  });

  rankTest('5. while the receiver computes, and sits in wait()', 2, async (world) => {
    const block = world.alloc(LENGTH);
    if (world.rank === 0) {
      for (let i = 0; i < 50; i += 1) {
        fill(block, i);
        world.isend(block, { dest: 1, lend: true }).wait();
      }
    } else {
      for (let i = 0; i < 50; i += 1) {
        const message = world.irecv({ source: 0 }).wait();
        assertPattern(message.data, i);
        message.release();
      }
    }
  });
});

rankTest('6. a receive with a buffer copies', 2, async (world) => {
  for (const size of SIZES) {
    for (const first of [false, true]) {
      if (world.rank === 0) {
        if (first) await meet(world);
        const block = fill(world.alloc(size), size);
        await world.send(block, { dest: 1, tag: 1, lend: true });
        world.free(block);
      } else {
        const into = new Uint8Array(size);
        const received = first ? world.irecv(into, { tag: 1 }) : undefined;
        if (first) await meet(world);
        else await world.probe({ tag: 1 });
        assert.equal((await (received ?? world.recv(into, { tag: 1 }))).byteLength, size);
        assertPattern(into, size);
      }
    }
  }
  assert.equal(world.stats().lent + world.stats().borrowed, 0);
});

rankTest('7. inspect() says who has it', 2, async (world) => {
  const part = { comm: 'world', purpose: 'messages', peer: 1 - world.rank, tag: 5, byteLength: LENGTH, moved: 0 };
  if (world.rank === 0) {
    const block = world.alloc(LENGTH);
    const sent = world.isend(block, { dest: 1, tag: 5, lend: true });
    await untilLent(world);
    assert.deepEqual(loansOf(world), [{ kind: 'send', state: 'lent', ...part }]);
    await meet(world);
    await sent;
  } else {
    const message = await world.recv({ tag: 5 });
    assert.deepEqual(loansOf(world), [{ kind: 'receive', state: 'lent', ...part }]);
    await meet(world);
    message.release();
    assert.deepEqual(loansOf(world), []);
  }
});

rankTest('8. before it is received it can be withdrawn, afterwards not', 2, async (world) => {
  if (world.rank === 0) {
    const block = fill(world.alloc(LENGTH), 14);
    const abort = new AbortController();
    const withdrawn = world.isend(block, { dest: 1, tag: 9, lend: true, signal: abort.signal });
    abort.abort();
    await assert.rejects(withdrawn, (error) => error === abort.signal.reason);
    const late = new AbortController();
    const sent = world.isend(block, { dest: 1, lend: true, signal: late.signal });
    await untilLent(world);
    late.abort();
    assert.equal(sent.done, false);
    await meet(world);
    await sent;
  } else {
    const message = await world.recv({ source: 0, tag: 0 });
    await meet(world);
    assert.equal(world.iprobe({ tag: 9 }), null);
    assertPattern(message.data, 14);
    message.release();
  }
});

rankTest('9. to probes, streams, persistent sends and communicators', 3, async (world) => {
  // The ranks of a communicator are not the world's.
  const comm = await world.split(world.rank === 0 ? undefined : 0);
  if (comm === null) return;
  if (comm.rank === 0) {
    const block = world.alloc(LENGTH);
    const send = comm.sendInit(block, { dest: 1, lend: true });
    for (let i = 0; i < 6; i += 1) {
      fill(block, i);
      await send.start();
    }
  } else {
    const check = (message: Message, i: number): void => {
      assert.deepEqual([message.source, message.lent], [0, true]);
      assertPattern(message.data, i);
      message.release();
    };
    assert.equal((await comm.probe()).byteLength, LENGTH);
    check(await (await comm.mprobe()).recv(), 0);
    const into = new Uint8Array(LENGTH);
    await (await comm.mprobe()).recv(into);
    assertPattern(into, 1);
    let i = 2;
    for await (const message of comm.messages()) {
      check(message, i);
      i += 1;
      if (i === 6) break;
    }
  }
  await comm.free();
});

rankTest('10. nobody awaits a request, and the process stays until the buffer is back', 2, async (world) => {
  if (world.rank === 0) {
    const block = world.alloc(LENGTH);
    world.isend(block, { dest: 1, lend: true });
    await meet(world);
    block.fill(23); // the contract is the program's to keep; this shows that it is one memory
    await world.send(new Uint8Array(0), { dest: 1, tag: 1 });
  } else {
    const message = await world.recv({ source: 0, tag: 0 });
    await meet(world);
    await world.recv({ source: 0, tag: 1 });
    assertAll(message.data, 23);
    message.release();
  }
});
