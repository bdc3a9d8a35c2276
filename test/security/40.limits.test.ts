// What a peer can make a rank allocate: no more than it was told to.
import { strict as assert } from 'node:assert';
import { coded } from '../helpers/errors.js';
import { rankTest } from '../helpers/rank-test.js';
import { meet } from '../helpers/worlds.js';

const LIMIT = 1_000_000;
const limited = { join: { maxObjectBytes: LIMIT } };
const refused = coded('ERR_UINTR_NO_MEMORY', `'maxObjectBytes' allows ${LIMIT}`, 'rank 0 sent an object of');

/** Objects of more than that, in each way in which one can be. */
const LARGE: Record<string, () => unknown> = {
  'one buffer': () => new Uint8Array(LIMIT + 1),
  'many buffers that are small enough each': () => Array.from({ length: 12 }, () => new Uint8Array(100_000)),
  'a long clone': () => 'x'.repeat(LIMIT + 1),
  'a long clone with buffers': () => ['x'.repeat(LIMIT - 50_000), new Uint8Array(100_000)],
};

describe('maxObjectBytes', () => {
  rankTest(
    '1. loses a larger object, however it is made: the receive says why, and all goes on',
    limited,
    async (world) => {
      for (const [tag, make] of Object.values(LARGE).entries()) {
        if (world.rank === 0) {
          await world.sendObject(make(), { dest: 1, tag });
          await world.sendObject('next', { dest: 1, tag });
        } else {
          await assert.rejects(world.recvObject({ source: 0, tag }), refused, Object.keys(LARGE)[tag]);
          assert.equal((await world.recvObject({ source: 0, tag })).value, 'next');
        }
      }
      await meet(world);
      assert.deepEqual(world.inspect().requests, []);
    },
  );

  rankTest('2. takes no memory for what it loses', { join: { maxObjectBytes: LIMIT }, env: {} }, async (world) => {
    const length = 200_000_000;
    if (world.rank === 0) {
      await world.sendObject(new Uint8Array(length), { dest: 1 });
    } else {
      const before = process.memoryUsage().arrayBuffers;
      const lost = world.recvObject({ source: 0 });
      await assert.rejects(lost, refused);
      assert.ok(process.memoryUsage().arrayBuffers - before < length / 2);
    }
    await meet(world);
  });

  rankTest('3. lets one through that is no larger', limited, async (world) => {
    const data = new Uint8Array(LIMIT - 100).fill(7);
    if (world.rank === 0) {
      const { byteLength } = await world.sendObject(data, { dest: 1 });
      assert.ok(byteLength <= LIMIT);
    } else {
      assert.deepEqual((await world.recvObject({ source: 0 })).value, data);
    }
    await meet(world);
  });

  rankTest('4. comes from the environment as well', { env: { UINTR_MAX_OBJECT_BYTES: `${LIMIT}` } }, async (world) => {
    if (world.rank === 0) await world.sendObject(new Uint8Array(LIMIT), { dest: 1 });
    else await assert.rejects(world.recvObject({ source: 0 }), refused);
    await meet(world);
  });

  rankTest(
    '5. of a service: who asked for too much hears it, as who gets too much for an answer',
    limited,
    async (world) => {
      if (world.rank === 1) {
        const server = world.serve(5, (length) => (typeof length === 'number' ? new Uint8Array(length) : 'small'));
        await meet(world);
        await server.close();
        return;
      }
      const one = coded('ERR_UINTR_NO_MEMORY', "'maxObjectBytes'");
      await assert.rejects(world.request(1, 5, new Uint8Array(2 * LIMIT)), (error) =>
        /maxObjectBytes/.test(String(error)),
      );
      await assert.rejects(world.request(1, 5, 2 * LIMIT), one);
      assert.equal(await world.request(1, 5, 'asked'), 'small');
      await meet(world);
    },
  );
});
