// Lent buffers, and the end of either rank.
import { strict as assert } from 'node:assert';
import type { World } from '../../lib/index.js';
import { coded, peerExited } from '../helpers/errors.js';
import { again, die, LIFE, returned } from '../helpers/lives.js';
import { LENGTH, untilLent } from '../helpers/loans.js';
import { eachDriver } from '../helpers/matrix.js';
import { assertPattern, fill } from '../helpers/pattern.js';
import { processTest, rankTest } from '../helpers/rank-test.js';
import { meet } from '../helpers/worlds.js';

const closed = coded('ERR_UINTR_CLOSED');

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
      `1. a receiver that ends by ${how} has it no more, and its sender is told`,
      { exits: [0, exit] },
      async (t) => {
        const world = await t.join();
        if (t.rank === 0) {
          const block = fill(world.alloc(LENGTH), 16);
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
    processTest(`2. of a sender that ends by ${how} the view stays`, { exits: [exit, 0] }, async (t) => {
      const world = await t.join();
      if (t.rank === 0) {
        world.isend(fill(world.alloc(LENGTH), 17), { dest: 1, lend: true });
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
    '3. a worker that ends without close() gives it back with an error',
    { processes: [[0, 1]], ended: [1] },
    async (t) => {
      const world = await t.join();
      if (t.rank === 0) {
        const block = fill(world.alloc(LENGTH), 18);
        const sent = world.isend(block, { dest: 1, lend: true });
        await untilLent(world);
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

  processTest('4. a receiver that closes gives all back, and its views are empty', 2, async (t) => {
    const world = await t.join();
    if (t.rank === 0) {
      const block = fill(world.alloc(LENGTH), 19);
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

  processTest('5. a receiver that closes sends on first what it has borrowed', 2, async (t) => {
    const world = await t.join();
    if (t.rank === 0) {
      const sent = world.isend(fill(world.alloc(LENGTH), 20), { dest: 1, lend: true });
      await untilLent(world);
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

  processTest('6. a sender that closes waits until it is received and no longer, and the view stays', 2, async (t) => {
    const world = await t.join();
    if (t.rank === 0) {
      const block = fill(world.alloc(LENGTH), 21);
      const first = world.isend(block, { dest: 1, lend: true });
      await untilLent(world);
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
    '7. a view outlives its sender, whose next life knows nothing of it',
    { join: { rejoin: true }, exits: [0, 'SIGKILL', 0], during: again(1) },
    async (world) => {
      if (world.rank === 1) {
        const block = fill(world.alloc(LENGTH), LIFE);
        const sent = world.isend(block, { dest: 0, lend: true });
        if (LIFE === 0) {
          await world.recv({ source: 0 });
          die();
        }
        await untilLent(world);
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
