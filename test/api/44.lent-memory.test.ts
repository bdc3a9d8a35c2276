// Lent buffers: what may be done with the memory meanwhile, at both ends, and how it is let go of.
import { strict as assert } from 'node:assert';
import type { Message } from '../../lib/index.js';
import { invalid } from '../helpers/errors.js';
import { LENGTH, loansOf, untilLent } from '../helpers/loans.js';
import { assertPattern, fill } from '../helpers/pattern.js';
import { rankTest } from '../helpers/rank-test.js';
import { collectGarbage, meet } from '../helpers/worlds.js';

rankTest('1. only memory of this world can be lent, and nothing but bytes', 2, async (world) => {
  const dest = 1 - world.rank;
  const elsewhere = new Uint8Array(100);
  for (const bad of [elsewhere, new SharedArrayBuffer(8), Buffer.alloc(LENGTH)]) {
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

rankTest('2. while it is lent it is not freed, and nothing is received into it; it can be sent', 2, async (world) => {
  if (world.rank === 0) {
    const block = fill(world.alloc(LENGTH), 8);
    const sent = world.isend(block.subarray(1_000, 2_000), { dest: 1, lend: true });
    for (const into of [block, block.subarray(0, 1_001), block.subarray(1_999), block.subarray(1_500, 1_600)]) {
      assert.throws(() => world.irecv(into, { source: 1 }), invalid('into', 'lent'));
      await assert.rejects(world.recv(into, { source: 1 }), invalid('into', 'lent'));
      await assert.rejects(world.sendrecv(block, into, { dest: 1, source: 1 }), invalid('into', 'lent'));
      assert.throws(() => world.recvInit(into, { source: 1 }).start(), invalid('into', 'lent'));
    }
    assert.throws(() => world.free(block), invalid('view', 'lent'));
    // Nor do collective operations write there; they may read.
    assert.throws(() => world.iallreduce(new Uint8Array(LENGTH), block, 'sum'), invalid('into', 'lent'));
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
    await world.bcast(new Uint8Array(LENGTH), 0);
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

rankTest('3. a view that is in flight is not released', 2, async (world) => {
  if (world.rank === 0) {
    const block = fill(world.alloc(LENGTH), 9);
    const sent = world.isend(block, { dest: 1, lend: true });
    await world.recv({ source: 1, tag: 1 });
    const into = new Uint8Array(LENGTH);
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
  '4. it is released once, by release(), using or free(), and its view is empty from then on',
  2,
  async (world) => {
    if (world.rank === 0) {
      const block = world.alloc(LENGTH);
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
  '5. a view that nobody refers to is released by garbage collection, and its sender is told',
  { nodeOptions: ['--expose-gc'] },
  async (world) => {
    const rounds = 20;
    if (world.rank === 0) {
      const block = world.alloc(LENGTH);
      for (let i = 0; i < rounds; i += 1) await world.send(fill(block, i), { dest: 1, lend: true });
    } else {
      for (let i = 0; i < rounds; i += 1) {
        await (async () => assertPattern((await world.recv({ source: 0 })).data, i))();
        while (loansOf(world).length > 0) await collectGarbage();
      }
    }
  },
);

rankTest(
  '6. a block that its owner forgets stays while it is lent',
  { join: { heapBytes: 8 * 2 ** 20 }, nodeOptions: ['--expose-gc'] },
  async (world) => {
    if (world.rank === 0) {
      world.isend(fill(world.alloc(2 ** 20), 12), { dest: 1, lend: true });
      await untilLent(world);
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
