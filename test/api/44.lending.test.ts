// Lent buffers: a message that is not copied, and that its sender has back when the receiver has released it.
import { strict as assert } from 'node:assert';
import type { Message, World } from '../../lib/index.js';
import { coded, invalid, peerExited } from '../helpers/errors.js';
import { again, die, LIFE, returned } from '../helpers/lives.js';
import { eachDriver, matrix, THREAD_COPIES } from '../helpers/matrix.js';
import { assertAll, assertPattern, fill } from '../helpers/pattern.js';
import { processTest, rankTest } from '../helpers/rank-test.js';
import { collectGarbage, meet } from '../helpers/worlds.js';

const SIZES = [1, 1_000, 100_001, 16 * 2 ** 20];
const KEPT = 200_000;
const closed = coded('ERR_UINTR_CLOSED');

const inFlight = (world: World) => world.inspect().requests.filter(({ state }) => state === 'lent');

/** Passes time until the request is lent. */
async function lent(world: World, count = 1): Promise<void> {
  while (inFlight(world).length < count) await new Promise((resolve) => setImmediate(resolve));
}

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
        const block = fill(world.alloc(KEPT), 1);
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
    const block = fill(world.alloc(KEPT), 2);
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
    const block = world.alloc(KEPT);
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

rankTest('7. only memory of this world can be lent, and nothing but bytes', 2, async (world) => {
  const dest = 1 - world.rank;
  const elsewhere = new Uint8Array(100);
  for (const bad of [elsewhere, new SharedArrayBuffer(8), Buffer.alloc(KEPT)]) {
    assert.throws(() => world.isend(bad, { dest, lend: true }), invalid('data', 'alloc()'));
    await assert.rejects(world.send(bad, { dest, lend: true }), invalid('data', 'alloc()'));
    const persistent = world.sendInit(bad, { dest, lend: true });
    assert.throws(() => persistent.start(), invalid('data', 'alloc()'));
  }
  const block = world.alloc(100);
  for (const bad of [1, 'yes', null]) {
    assert.throws(() => world.isend(block, { dest, lend: bad as unknown as boolean }), invalid('lend', `${bad}`));
    assert.throws(() => world.sendInit(block, { dest, lend: bad as unknown as boolean }), invalid('lend', `${bad}`));
  }
  assert.throws(() => world.isendObject({}, { dest, lend: true } as never), invalid('lend'));
  assert.throws(() => world.irecv({ lend: true } as never), invalid('lend'));
  assert.equal(world.inspect().requests.length, 0);
  // Of what is empty there is nothing to lend.
  const received = world.irecv({ source: dest });
  await world.send(elsewhere.subarray(0, 0), { dest, lend: true });
  const message = await received;
  assert.deepEqual([message.byteLength, message.lent], [0, false]);
  message.release();
});

rankTest('8. while it is lent it is not freed, and nothing is received into it; it can be sent', 2, async (world) => {
  if (world.rank === 0) {
    const block = fill(world.alloc(KEPT), 8);
    const sent = world.isend(block.subarray(1_000, 2_000), { dest: 1, lend: true });
    for (const into of [block, block.subarray(0, 1_001), block.subarray(1_999), block.subarray(1_500, 1_600)]) {
      assert.throws(() => world.irecv(into, { source: 1 }), invalid('into', 'lent'));
      await assert.rejects(world.recv(into, { source: 1 }), invalid('into', 'lent'));
      await assert.rejects(world.sendrecv(block, into, { dest: 1, source: 1 }), invalid('into', 'lent'));
      assert.throws(() => world.recvInit(into, { source: 1 }).start(), invalid('into', 'lent'));
    }
    assert.throws(() => world.free(block), invalid('view', 'lent'));
    // Nor do collective operations write there; they may read.
    assert.throws(() => world.iallreduce(new Uint8Array(KEPT), block, 'sum'), invalid('into', 'lent'));
    await assert.rejects(world.bcast(block, 1), invalid('into', 'lent'));
    await world.bcast(block, 0);
    // Beside it, and of it.
    const beside = world.irecv(block.subarray(2_000, 3_000), { source: 1, tag: 1 });
    await world.send(block.subarray(1_000, 2_000), { dest: 1, tag: 1 });
    await beside;
    assert.equal(sent.done, false);
    await world.send(new Uint8Array(0), { dest: 1, tag: 2 });
    await sent;
    world.irecv(block, { source: 1 }).cancel();
    world.free(block);
  } else {
    const message = await world.recv({ source: 0, tag: 0 });
    assert.throws(() => world.ibcast(message.data, 0), invalid('into', 'lent'));
    await world.bcast(new Uint8Array(KEPT), 0);
    const copy = await world.recv({ source: 0, tag: 1 });
    assert.deepEqual(copy.data, message.data);
    assert.equal(copy.lent, false);
    // Read only: also for what others send. Reading is sending.
    assert.throws(() => world.irecv(message.data, { source: 0 }), invalid('into', 'lent'));
    const sent = world.isend(message.data, { dest: 0, tag: 1 });
    await world.recv({ source: 0, tag: 2 });
    await sent;
    message.release();
    copy.release();
    assert.deepEqual([message.data.length, copy.data.length], [0, 0]);
  }
});

rankTest('9. a view that is in flight is not released', 2, async (world) => {
  if (world.rank === 0) {
    const block = fill(world.alloc(KEPT), 9);
    const sent = world.isend(block, { dest: 1, lend: true });
    await world.recv({ source: 1, tag: 1 });
    const into = new Uint8Array(KEPT);
    await world.recv(into, { source: 1, tag: 2 });
    assertPattern(into, 9);
    await sent;
  } else {
    const message = await world.recv({ source: 0 });
    const on = world.issend(message.data, { dest: 0, tag: 2 });
    assert.throws(() => message.release(), invalid('message', 'no request uses'));
    assert.throws(() => world.free(message.data), invalid('view', 'no request uses'));
    await world.send(new Uint8Array(0), { dest: 0, tag: 1 });
    await on;
    message.release();
  }
});

rankTest(
  '10. it is released once, by release(), using or free(), and its view is empty from then on',
  2,
  async (world) => {
    if (world.rank === 0) {
      const block = world.alloc(KEPT);
      for (const tag of [1, 2, 3]) {
        await world.send(fill(block, tag), { dest: 1, tag, lend: true });
        fill(block, 99); // the next to read it would see this
      }
      await meet(world);
    } else {
      const first = await world.recv({ tag: 1 });
      const { data } = first;
      const bytes = data.buffer;
      for (let i = 0; i < 3; i += 1) first.release();
      assert.deepEqual([data.length, bytes.byteLength, data[0]], [0, 0, undefined]);
      assert.throws(() => world.free(data), invalid('view'));
      let seen: Message;
      {
        using second = await world.recv({ tag: 2 });
        assertPattern(second.data, 2);
        seen = second;
      }
      assert.equal(seen.data.length, 0);
      const third = await world.recv({ tag: 3 });
      world.free(third.data);
      third.release();
      assert.equal(third.data.length, 0);
      assert.equal(world.inspect().slotsUsed, 0);
      await meet(world);
    }
  },
);

rankTest(
  '11. a view that nobody refers to is released by garbage collection, and its sender is told',
  { nodeOptions: ['--expose-gc'] },
  async (world) => {
    const rounds = 20;
    if (world.rank === 0) {
      const block = world.alloc(KEPT);
      for (let i = 0; i < rounds; i += 1) await world.send(fill(block, i), { dest: 1, lend: true });
    } else {
      for (let i = 0; i < rounds; i += 1) {
        await (async () => assertPattern((await world.recv({ source: 0 })).data, i))();
        while (inFlight(world).length > 0) await collectGarbage();
      }
    }
  },
);

rankTest(
  '12. a block that its owner forgets stays while it is lent',
  { join: { heapBytes: 8 * 2 ** 20 }, nodeOptions: ['--expose-gc'] },
  async (world) => {
    if (world.rank === 0) {
      world.isend(fill(world.alloc(2 ** 20), 12), { dest: 1, lend: true });
      await lent(world);
      for (let i = 0; i < 20; i += 1) {
        world.alloc(2 ** 20).fill(i);
        await collectGarbage();
      }
      await meet(world);
      // Only now has it come back.
      await world.recv({ source: 1 });
      await collectGarbage();
      assert.equal(world.alloc(7 * 2 ** 20).length, 7 * 2 ** 20);
    } else {
      const message = await world.recv({ source: 0 });
      await meet(world);
      assertPattern(message.data, 12);
      message.release();
      await world.send(new Uint8Array(0), { dest: 0 });
    }
  },
);

rankTest('13. inspect() says who has it', 2, async (world) => {
  const part = { comm: 'world', purpose: 'messages', peer: 1 - world.rank, tag: 5, byteLength: KEPT, moved: 0 };
  if (world.rank === 0) {
    const block = world.alloc(KEPT);
    const sent = world.isend(block, { dest: 1, tag: 5, lend: true });
    await lent(world);
    assert.deepEqual(inFlight(world), [{ kind: 'send', state: 'lent', ...part }]);
    await meet(world);
    await sent;
  } else {
    const message = await world.recv({ tag: 5 });
    assert.deepEqual(inFlight(world), [{ kind: 'receive', state: 'lent', ...part }]);
    await meet(world);
    message.release();
    assert.deepEqual(inFlight(world), []);
  }
});

rankTest('14. before it is received it can be withdrawn, afterwards not', 2, async (world) => {
  if (world.rank === 0) {
    const block = fill(world.alloc(KEPT), 14);
    const abort = new AbortController();
    const withdrawn = world.isend(block, { dest: 1, tag: 9, lend: true, signal: abort.signal });
    abort.abort();
    await assert.rejects(withdrawn, (error) => error === abort.signal.reason);
    const late = new AbortController();
    const sent = world.isend(block, { dest: 1, lend: true, signal: late.signal });
    await lent(world);
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

rankTest('15. to probes, streams, persistent sends and communicators', 3, async (world) => {
  // The ranks of a communicator are not the world's.
  const comm = await world.split(world.rank === 0 ? undefined : 0);
  if (comm === null) return;
  if (comm.rank === 0) {
    const block = world.alloc(KEPT);
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
    assert.equal((await comm.probe()).byteLength, KEPT);
    check(await (await comm.mprobe()).recv(), 0);
    const into = new Uint8Array(KEPT);
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

const ENDS: Record<
  string,
  { end: (world: World) => unknown; exit: number | NodeJS.Signals; cause: 'exited' | 'killed' }
> = {
  killed: { end: () => process.kill(process.pid, 'SIGKILL'), exit: 'SIGKILL', cause: 'killed' },
  'process.exit()': { end: () => process.exit(3), exit: 3, cause: 'exited' },
};

const NO_CLOSE: (typeof ENDS)[string] = { end: () => {}, exit: 0, cause: 'exited' };

eachDriver(() => {
  for (const [how, { end, exit, cause }] of Object.entries({ ...ENDS, 'the end of its script': NO_CLOSE })) {
    processTest(
      `16. a receiver that ends by ${how} has it no more, and its sender is told`,
      { exits: [0, exit] },
      async (t) => {
        const world = await t.join();
        if (t.rank === 0) {
          const block = fill(world.alloc(KEPT), 16);
          await assert.rejects(world.send(block, { dest: 1, lend: true }), peerExited(1, cause));
          world.free(block);
          await world.close();
        } else {
          const message = await world.recv({ source: 0 });
          assertPattern(message.data, 16);
          end(world);
          await message;
        }
      },
    );
  }

  for (const [how, { end, exit, cause }] of Object.entries(ENDS)) {
    processTest(`17. of a sender that ends by ${how} the view stays`, { exits: [exit, 0] }, async (t) => {
      const world = await t.join();
      if (t.rank === 0) {
        world.isend(fill(world.alloc(KEPT), 17), { dest: 1, lend: true });
        await world.recv({ source: 1 });
        end(world);
        await world.recv({ source: 1 });
      } else {
        const message = await world.recv({ source: 0 });
        await world.send(new Uint8Array(0), { dest: 0 });
        await assert.rejects(world.recv({ source: 0 }), peerExited(0, cause));
        assertPattern(message.data, 17);
        message.release();
        assert.equal(message.data.length, 0);
        assert.equal(world.inspect().slotsUsed, 0);
        await world.close();
      }
    });
  }

  processTest(
    '18. a worker that ends without close() gives it back with an error',
    { processes: [[0, 1]], ended: [1] },
    async (t) => {
      const world = await t.join();
      if (t.rank === 0) {
        const block = fill(world.alloc(KEPT), 18);
        const sent = world.isend(block, { dest: 1, lend: true });
        await lent(world);
        await t.terminate(1);
        await assert.rejects(sent, peerExited(1, 'exited'));
        world.free(block);
        await world.close();
      } else {
        const message = await world.recv({ source: 0 });
        await world.recv({ source: 0, tag: 99 });
        assertPattern(message.data, 18);
      }
    },
  );

  processTest('19. a receiver that closes gives all back, and its views are empty', 2, async (t) => {
    const world = await t.join();
    if (t.rank === 0) {
      const block = fill(world.alloc(KEPT), 19);
      // The first is released by close(), the second lies unread.
      await world.send(block, { dest: 1, lend: true });
      await assert.rejects(world.send(block, { dest: 1, lend: true }), peerExited(1, 'closed'));
      await world.close();
    } else {
      const message = await world.recv({ source: 0 });
      assertPattern(message.data, 19);
      await world.close();
      assert.equal(message.data.length, 0);
      message.release();
    }
  });

  processTest('20. a receiver that closes sends on first what it has borrowed', 2, async (t) => {
    const world = await t.join();
    if (t.rank === 0) {
      const sent = world.isend(fill(world.alloc(KEPT), 20), { dest: 1, lend: true });
      await lent(world);
      const status = await world.probe({ source: 1 });
      assert.equal(sent.done, false);
      const into = new Uint8Array(status.byteLength);
      await world.recv(into, { source: 1 });
      assertPattern(into, 20);
      await sent;
    } else {
      const message = await world.recv({ source: 0 });
      const on = world.issend(message.data, { dest: 0 });
      await world.close();
      await on;
      assert.equal(message.data.length, 0);
    }
    await world.close();
  });

  processTest('21. a sender that closes waits until it is received and no longer, and the view stays', 2, async (t) => {
    const world = await t.join();
    if (t.rank === 0) {
      const block = fill(world.alloc(KEPT), 21);
      const first = world.isend(block, { dest: 1, lend: true });
      await lent(world);
      const second = world.isend(block, { dest: 1, tag: 1, lend: true });
      const closing = world.close();
      await assert.rejects(first, closed);
      await assert.rejects(second, closed);
      await closing;
    } else {
      const first = await world.recv({ source: 0, tag: 0 });
      const second = await world.recv({ source: 0, tag: 1 });
      await assert.rejects(world.recv({ source: 0 }), peerExited(0, 'closed'));
      for (const message of [first, second]) {
        assertPattern(message.data, 21);
        message.release();
      }
      assert.equal(world.inspect().slotsUsed, 0);
      await world.close();
    }
  });

  rankTest(
    '22. a view outlives its sender, whose next life knows nothing of it',
    { join: { rejoin: true }, exits: [0, 'SIGKILL', 0], during: again(1) },
    async (world) => {
      if (world.rank === 1) {
        const block = fill(world.alloc(KEPT), LIFE);
        const sent = world.isend(block, { dest: 0, lend: true });
        if (LIFE === 0) {
          await world.recv({ source: 0 });
          die();
        }
        await lent(world);
        await meet(world);
        assert.equal(sent.done, false); // although what had its number in the life before was released
        await world.send(new Uint8Array(0), { dest: 0, tag: 1 });
        await sent;
        return;
      }
      const old = await world.recv({ source: 1 });
      await world.send(new Uint8Array(0), { dest: 1 });
      await returned(world, 1, 1);
      const now = await world.recv({ source: 1 });
      assertPattern(old.data, 0);
      assertPattern(now.data, 1);
      old.release();
      assert.equal(old.data.length, 0);
      await meet(world);
      await world.recv({ source: 1, tag: 1 });
      assertPattern(now.data, 1);
      now.release();
    },
  );
});

rankTest('23. nobody awaits a request, and the process stays until the buffer is back', 2, async (world) => {
  if (world.rank === 0) {
    const block = world.alloc(KEPT);
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
