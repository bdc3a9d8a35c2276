// The shared heap under pressure: messages that nobody refers to any more make room for those that come.
import { strict as assert } from 'node:assert';
import { eachDriver } from '../helpers/matrix.js';
import { assertPattern, pattern } from '../helpers/pattern.js';
import { rankTest } from '../helpers/rank-test.js';

const MiB = 2 ** 20;
const join = { heapBytes: 8 * MiB };

eachDriver(() => {
  rankTest(
    '1. any amount can be received without a buffer, by a program that does not collect',
    { join },
    async (world) => {
      for (let i = 0; i < 40; i += 1) {
        if (world.rank === 0) await world.send(pattern(i, MiB), { dest: 1 });
        else assertPattern((await world.recv({ source: 0 })).data, i);
      }
    },
  );

  rankTest('2. also by one that never returns to its event loop, if it frees what it has read', { join }, (world) => {
    for (let i = 0; i < 40; i += 1) {
      if (world.rank === 0) {
        world.isend(pattern(i, MiB), { dest: 1 }).wait();
      } else {
        const { data } = world.irecv({ source: 0 }).wait();
        assertPattern(data, i);
        world.free(data);
        assert.equal(data.length, 0);
      }
    }
  });

  rankTest('3. a receive waits for room, and goes on when there is some', { join }, async (world) => {
    if (world.rank === 0) {
      for (let i = 0; i < 12; i += 1) world.isend(pattern(i, MiB), { dest: 1, tag: i });
      await world.recv({ source: 1 });
    } else {
      const requests = Array.from({ length: 12 }, (_, tag) => world.irecv({ source: 0, tag }));
      for (const [i, request] of requests.entries()) {
        const { data } = await request;
        assertPattern(data, i);
        world.free(data);
      }
      await world.send(new Uint8Array(0), { dest: 0 });
    }
  });
});
