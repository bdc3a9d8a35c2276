// Elastic worlds: what ranks do together, communicators, collectives, services, when one of them comes back.
import { strict as assert } from 'node:assert';
import type { DerivedComm, World } from '../../lib/index.js';
import { coded } from '../helpers/errors.js';
import { again, die, LIFE, returned, talk } from '../helpers/lives.js';
import { eachDriver } from '../helpers/matrix.js';
import { assertPattern, pattern } from '../helpers/pattern.js';
import { processTest, rankTest } from '../helpers/rank-test.js';
import { meet } from '../helpers/worlds.js';

const NOTHING = new Uint8Array(0);
const gone = coded('ERR_UINTR_PEER_EXITED');
const revoked = coded('ERR_UINTR_REVOKED', 'has come back');
const join = { rejoin: true };

/** What each rank has, summed: everybody must be in it, once. */
async function sumOfRanks(comm: World | DerivedComm, value: number): Promise<number> {
  return (await comm.allreduce(Float64Array.of(value), new Float64Array(1), 'sum'))[0]!;
}

eachDriver(() => {
  rankTest(
    '1. a communicator that had the rank is over, one that had not goes on',
    { ranks: 4, join, exits: [0, 0, 0, 'SIGKILL', 0], during: again(3) },
    async (world, t) => {
      if (LIFE === 0) {
        const all = await world.dup();
        const half = (await world.split(t.rank >> 1))!;
        assert.equal(await sumOfRanks(all, t.rank), 6);
        if (t.rank === 3) die();
        const other = [1, 0, 0][t.rank]!;
        const unmatched = all.isend(new Uint8Array(500_000), { dest: other, tag: 1 });
        const waiting = all.irecv(NOTHING, { source: other, tag: 2 });
        const any = all.irecv(NOTHING, { tag: 3 });
        await returned(world, 3, 1);
        for (const request of [waiting, any]) await assert.rejects(async () => request, revoked);
        // It fails, unless the other rank knew before this one, and has thrown it away.
        await unmatched.catch(revoked);
        assert.throws(() => all.isend(NOTHING, { dest: 0 }), revoked);
        assert.throws(() => all.irecv(NOTHING), revoked);
        await assert.rejects(all.barrier(), revoked);
        await assert.rejects(all.dup(), revoked);
        if (t.rank < 2) {
          assert.equal(await sumOfRanks(half, t.rank), 1);
          const sent = half.isend(pattern(1, 100_000), { dest: 1 - half.rank, tag: 4 });
          assertPattern((await half.recv({ source: 1 - half.rank, tag: 4 })).data, 1);
          await sent;
        } else {
          assert.throws(() => half.isend(NOTHING, { dest: 0 }), revoked);
        }
      }
      const again = await world.dup();
      assert.equal(again.size, 4);
      assert.equal(await sumOfRanks(again, t.rank), 6);
      again.free();
    },
  );

  rankTest(
    '2. messages that a communicator left never meet those of one that is made after',
    { ranks: 3, join, exits: ['SIGKILL', 0, 0, 0], during: again(0) },
    async (world, t) => {
      // Rank 0 gives the id of both.
      if (LIFE === 0) {
        const before = await world.dup();
        if (t.rank === 1) await before.send(pattern(1, 100), { dest: 2 });
        await before.barrier();
        if (t.rank === 0) die();
      }
      await returned(world, 0, 1);
      const after = await world.dup();
      if (t.rank === 1) await after.send(pattern(2, 200), { dest: 2 });
      if (t.rank === 2) {
        const { data } = await after.recv({ source: 1 });
        assert.equal(data.length, 200);
        assertPattern(data, 2);
      }
      // Nor does anything of it stay.
      const left = t.rank === 0 ? [] : world.inspect().requests;
      await after.barrier();
      assert.deepEqual(left, []);
    },
  );

  rankTest(
    '3. collective operations of the world begin anew, and those under way fail',
    { ranks: 3, join, exits: [0, 0, 'SIGKILL', 'SIGKILL', 0], during: again(2, 2) },
    async (world, t) => {
      for (let life = t.rank === 2 ? LIFE : 0; life <= 2; life += 1) {
        if (t.rank !== 2) await returned(world, 2, life);
        // Not the same number of them each time.
        for (let i = 0; i <= 3 + life; i += 1) assert.equal(await sumOfRanks(world, t.rank + i), 3 + 3 * i);
        const into = new Float64Array(100_000);
        await world.bcast(t.rank === life % 3 ? into.fill(life + 1) : into, life % 3);
        assert.ok(into.every((x) => x === life + 1));
        if (life === 2) break;
        if (t.rank === 2) die();
        // Rank 1 may hear that the rank is gone, that rank 0 has failed for that, or that the rank is back.
        const failed = await world.barrier().then(
          () => undefined,
          (error) => error.code,
        );
        assert.ok(failed === 'ERR_UINTR_PEER_EXITED' || failed === 'ERR_UINTR_REVOKED', failed);
      }
    },
  );

  rankTest(
    '4. a dup or a collective that not all have called fails, and can be called again',
    { ranks: 3, join, exits: [0, 0, 'SIGKILL', 0], during: again(2) },
    async (world, t) => {
      if (LIFE === 0) {
        await world.barrier();
        if (t.rank === 1) {
          const dup = world.dup();
          const barrier = world.barrier();
          dup.catch(() => {});
          barrier.catch(() => {});
          await meet(world, 2);
          await assert.rejects(dup, revoked);
          await assert.rejects(barrier);
        } else if (t.rank === 2) {
          await meet(world, 1);
          die();
        }
      }
      await returned(world, 2, 1);
      assert.equal(await sumOfRanks(await world.dup(), t.rank), 3);
    },
  );

  rankTest(
    '5. a service answers who has asked, and not who has come back as it',
    { join, exits: [0, 'SIGKILL', 0], during: again(1) },
    async (world, t) => {
      if (t.rank === 1) {
        if (LIFE === 0) {
          void world.request(0, 7, 'first').catch(() => {});
          void world.request(0, 7, 'second').catch(() => {});
          await world.recv({ source: 0 });
          die();
        }
        assert.equal(await world.request(0, 7, 'third'), 'answer to third');
        assert.equal(await world.request(0, 7, { a: new Uint8Array(200_000) }), 'answer to [object Object]');
        await world.send(NOTHING, { dest: 0 });
        return;
      }
      const asked: string[] = [];
      const back = returned(world, 1, 1);
      let ended: unknown;
      const server = world.serve<unknown, string>(7, async (value, _from, signal?: AbortSignal) => {
        asked.push(`${value}`);
        if (value === 'first') {
          signal?.addEventListener('abort', () => (ended = signal.reason));
          await world.send(NOTHING, { dest: 1 });
          await back;
          // Longer than what travels in one message.
          return 'x'.repeat(500_000);
        }
        return `answer to ${value}`;
      });
      await world.recv();
      assert.deepEqual(asked, ['first', 'third', '[object Object]']);
      gone(ended);
      await server.close();
    },
  );
});

processTest(
  '6. a worker thread that was ended comes back, too',
  { processes: [[0, 1]], join, ended: [1] },
  async (t) => {
    const world = await t.join();
    if (t.rank === 1) {
      await talk(world, 0, world.incarnation());
      if (world.incarnation() < 3) for (;;) await world.recv({ source: 0 });
      return;
    }
    for (let life = 0; life <= 3; life += 1) {
      await returned(world, 1, life);
      await talk(world, 1, life);
      if (life === 3) break;
      await t.terminate(1);
      await assert.rejects(world.recv({ source: 1 }), gone);
      t.restart(1, {});
    }
    await world.close();
  },
);
