// What memory that is used again shows: never what another message, or another world, has left in it.
import { strict as assert } from 'node:assert';
import type { World } from '../../lib/index.js';
import { rankTest } from '../helpers/rank-test.js';
import { meet } from '../helpers/worlds.js';

const SECRET = 0x5e;
const LENGTHS = [1, 100, 5000, 70_000, 1_000_001];
/** One block at a time, so that the next of its size is the same memory. */
const few = { join: { heapBytes: 2 ** 21 } };

/** Fills the blocks of the heap that messages and alloc() take. */
function soil(world: World, byteLength: number): void {
  const view = world.alloc(byteLength);
  view.fill(SECRET);
  world.free(view);
}

describe('memory of the heap', () => {
  rankTest('1. is zeroed for alloc(), whatever lay there', { ...few, ranks: 1 }, (world) => {
    for (const byteLength of LENGTHS) {
      soil(world, byteLength);
      const view = world.alloc(byteLength);
      assert.ok(view.every((byte) => byte === 0));
      assert.equal(view.buffer.byteLength, byteLength);
      world.free(view);
    }
  });

  rankTest('2. shows a receive without a buffer its message and not a byte more', few, async (world) => {
    for (const [tag, byteLength] of LENGTHS.entries()) {
      soil(world, byteLength);
      await meet(world);
      if (world.rank === 0) {
        await world.send(new Uint8Array(byteLength).fill(1), { dest: 1, tag });
      } else {
        const { data } = await world.recv({ source: 0, tag });
        assert.deepEqual([data.byteOffset, data.byteLength, data.buffer.byteLength], [0, byteLength, byteLength]);
        assert.ok(data.every((byte) => byte === 1));
      }
    }
  });

  rankTest('3. is another one for another world', { ...few, ranks: 1 }, async (_world, t) => {
    const name = `${t.joinOptions.name}-next`;
    for (let round = 0; round < 3; round += 1) {
      const world = await t.join({ name });
      const view = world.alloc(1_000_000);
      assert.ok(view.every((byte) => byte === 0));
      view.fill(SECRET);
      await world.close();
    }
  });
});

describe('objects', () => {
  rankTest('4. with a Buffer bring that alone, and not what lies around it', 2, async (world) => {
    for (const [tag, byteLength] of LENGTHS.entries()) {
      if (world.rank === 0) {
        const pool = Buffer.alloc(byteLength + 5000, SECRET);
        await world.sendObject(pool.subarray(7, 7 + byteLength).fill(1), { dest: 1, tag });
      } else {
        const received = await world.recvObject<Buffer>({ source: 0, tag });
        assert.ok(received.byteLength < byteLength + 100, `${received.byteLength} bytes have come`);
        assert.equal(received.value.byteLength, byteLength);
        assert.ok(received.value.every((byte) => byte === 1));
      }
    }
    await meet(world);
  });

  rankTest('5. with other views have memory of their own', 2, async (world) => {
    for (const [tag, byteLength] of LENGTHS.entries()) {
      if (world.rank === 0) {
        await world.sendObject([new Uint8Array(byteLength).fill(1)], { dest: 1, tag });
      } else {
        const [bytes] = (await world.recvObject<[Uint8Array]>({ source: 0, tag })).value;
        assert.deepEqual([bytes.byteLength, bytes.buffer.byteLength], [byteLength, byteLength]);
        assert.ok(bytes.every((byte) => byte === 1));
      }
    }
    await meet(world);
  });
});
