// Elastic worlds: a rank that is gone comes back, and goes on with those who stayed as if it were new.
import { strict as assert } from 'node:assert';
import { World } from '../../lib/index.js';
import { coded, invalid } from '../helpers/errors.js';
import { again, allTalk, die, LIFE, returned, talk } from '../helpers/lives.js';
import { eachDriver, matrix } from '../helpers/matrix.js';
import { assertPattern, mismatch, pattern } from '../helpers/pattern.js';
import { openDescriptors } from '../helpers/proc.js';
import { processTest, rankTest } from '../helpers/rank-test.js';
import { compute } from '../helpers/work.js';

const NOTHING = new Uint8Array(0);
const gone = coded('ERR_UINTR_PEER_EXITED');
const join = { rejoin: true };

/** What the world tells of its ranks, in that order. */
function history(world: World): string[] {
  const told: string[] = [];
  world.on('peer-exit', ({ rank, cause }) => told.push(`${rank} ${cause}`));
  world.on('peer-join', ({ rank, incarnation }) => told.push(`${rank} joins ${incarnation}`));
  return told;
}

matrix(
  () => {
    rankTest(
      '1. a rank that was killed comes back, and messages go both ways',
      { join, exits: [0, 'SIGKILL', 0], during: again(1) },
      async (world, t) => {
        const peer = 1 - t.rank;
        if (t.rank === 0) {
          const told = history(world);
          await talk(world, peer);
          await assert.rejects(world.recv({ source: 1 }), gone);
          await assert.rejects(world.send(NOTHING, { dest: 1 }), gone);
          await returned(world, 1, 1);
          await talk(world, peer, 100);
          assert.deepEqual(told, ['1 killed', '1 joins 1']);
        } else {
          assert.equal(world.incarnation(), LIFE);
          await talk(world, peer, 100 * LIFE);
          if (LIFE === 0) die();
        }
      },
    );
  },
  ['signal', 'uintr', 'poll'],
  ['auto', 'heap', 'pipeline'],
);

eachDriver(() => {
  rankTest(
    '2. twenty times in a row, with no descriptor more each time',
    { join, exits: [0, 'SIGKILL', ...Array<'SIGKILL'>(19).fill('SIGKILL'), 0], during: again(1, 20) },
    async (world, t) => {
      const into = new Uint8Array(200_000);
      let open = 0;
      for (let life = t.rank === 0 ? 0 : LIFE; life <= 20; life += 1) {
        if (t.rank === 0) await returned(world, 1, life);
        const received = world.irecv(into, { source: 1 - t.rank });
        const sent = world.isend(pattern(life * 2 + t.rank, into.length), { dest: 1 - t.rank });
        await Promise.all([received, sent]);
        assertPattern(into, life * 2 + 1 - t.rank);
        if (t.rank === 1) {
          if (life < 20) {
            await world.recv({ source: 0 });
            die();
          }
          return;
        }
        if (life === 1) open = openDescriptors().size;
        if (life > 1) assert.ok(openDescriptors().size <= open);
        if (life < 20) {
          await world.send(NOTHING, { dest: 1 });
          await assert.rejects(world.recv({ source: 1 }), gone);
        }
      }
    },
  );

  rankTest(
    '3. while the others compute, or sit in wait()',
    { ranks: 3, join, exits: [0, 0, 'SIGKILL', 0], during: again(2) },
    async (world, t) => {
      if (t.rank === 2) {
        for (const peer of [0, 1]) await talk(world, peer, LIFE);
        if (LIFE === 0) die();
        return;
      }
      await talk(world, 2);
      if (t.rank === 0) {
        // It learns of both when its computation ends.
        compute(200_000);
        const told = history(world);
        await returned(world, 2, 1);
        await talk(world, 2, 1);
        assert.deepEqual(told, ['2 killed', '2 joins 1']);
        await world.send(NOTHING, { dest: 1, tag: 9 });
      } else {
        // Rank 0 sends this when rank 2 is back, for which it needs rank 1 to let it in.
        world.irecv(NOTHING, { source: 0, tag: 9 }).wait();
        await returned(world, 2, 1);
        await talk(world, 2, 1);
      }
    },
  );

  rankTest(
    '4. while large messages are on their way to the dying one, and from it',
    { join, exits: [0, 'SIGKILL', 'SIGKILL', 'SIGKILL', 0], during: again(1, 3) },
    async (world, t) => {
      if (t.rank === 1 && LIFE < 3) {
        const into = Array.from({ length: 4 }, () => new Uint8Array(4_000_000));
        const receives = into.map((one, i) => world.irecv(one, { source: 0, tag: i }));
        for (const i of [0, 1, 2, 3]) world.isend(new Uint8Array(4_000_000), { dest: 0, tag: i });
        compute(20 * LIFE);
        world.progress();
        await receives[0];
        die();
      }
      for (let life = 0; t.rank === 0 && life < 3; life += 1) {
        await returned(world, 1, life);
        const out = Array.from({ length: 4 }, (_, tag) => world.isend(pattern(tag, 4_000_000), { dest: 1, tag }));
        const back = [0, 1, 2, 3].map((tag) => world.irecv(new Uint8Array(4_000_000), { source: 1, tag }));
        if (life === 1) compute(300);
        for (const request of [...out, ...back]) await request.catch(gone);
        while (world.isAlive(1)) await new Promise((resolve) => setImmediate(resolve));
      }
      if (t.rank === 0) await returned(world, 1, 3);
      await talk(world, 1 - t.rank);
    },
  );

  rankTest(
    '5. two at once: all three talk to each other again',
    {
      ranks: 3,
      join,
      exits: ['SIGKILL', 0, 'SIGKILL', 0, 0],
      during: async (crew) => void (await Promise.all([crew.again(0), crew.again(2)])),
    },
    async (world, t) => {
      await met(world);
      if (LIFE === 0 && t.rank !== 1) die();
      for (const rank of [0, 2]) await returned(world, rank, 1);
      assert.deepEqual(
        [0, 1, 2].map((rank) => world.incarnation(rank)),
        [1, 0, 1],
      );
      await allTalk(world);
    },
  );

  rankTest(
    '6. one after the other, until nobody of the first is left',
    {
      ranks: 3,
      join,
      exits: ['SIGKILL', 'SIGKILL', 'SIGKILL', 0, 0, 0],
      during: async (crew) => {
        for (const rank of [0, 1, 2]) await crew.again(rank);
      },
    },
    async (world, t) => {
      await met(world);
      // In life 0 rank r sees the ranks below it come back, and then goes; in life 1 those above it.
      const others = [0, 1, 2].filter((rank) => rank !== t.rank);
      for (const peer of others) if (LIFE === 1 || peer < t.rank) await returned(world, peer, peer < t.rank ? 1 : 0);
      if (LIFE === 0) {
        if (t.rank > 0) await world.recv({ source: t.rank - 1 });
        die();
      }
      // Who comes next has seen this one come back.
      if (t.rank < 2) await world.send(NOTHING, { dest: t.rank + 1 });
      for (const peer of others) await returned(world, peer, 1);
      await world.barrier();
      await allTalk(world);
    },
  );

  rankTest(
    '7. messages of its life before that had come whole stay receivable, and use up the room of those to come',
    {
      join: { ...join, unexpectedBytes: 64 * 1024, eagerLimit: 8 * 1024 },
      exits: [0, 'SIGKILL', 0],
      during: again(1),
    },
    async (world, t) => {
      const count = 200;
      if (t.rank === 1) {
        // Of the first life as many as there is room for; of the second all go, by rendezvous where there is none.
        const sent = Array.from({ length: count }, (_, i) =>
          world.isend(pattern(LIFE * 1_000 + i, 1_000), { dest: 0 }),
        );
        await world.recv({ source: 0 });
        if (LIFE === 0) die();
        await Promise.all(sent);
        return;
      }
      while (world.iprobe({ source: 1 }) === null);
      await world.send(NOTHING, { dest: 1 });
      await returned(world, 1, 1);
      await world.send(NOTHING, { dest: 1 });
      const into = new Uint8Array(1_000);
      await world.recv(into, { source: 1 });
      let of = 0;
      for (; of < count && mismatch(into, of) === undefined; of += 1) await world.recv(into, { source: 1 });
      assert.ok(of >= 32 && of < count, `${of} of the first life`);
      for (let i = 0; i < count; i += 1) {
        assertPattern(into, 1_000 + i);
        if (i < count - 1) await world.recv(into, { source: 1 });
      }
    },
  );

  rankTest(
    '8. a receive from any rank waits for it, also where nobody else is left',
    { join, exits: [0, 'SIGKILL', 0], during: again(1) },
    async (world, t) => {
      await met(world);
      if (t.rank === 1) {
        if (LIFE === 0) die();
        await world.send(pattern(3, 100), { dest: 0, tag: 3 });
        return;
      }
      const into = new Uint8Array(100);
      assert.deepEqual(await world.recv(into), { source: 1, tag: 3, byteLength: 100 });
      assertPattern(into, 3);
    },
  );
});

describe('who comes back', () => {
  processTest('9. as a rank that lives is refused, with its process', { join, exits: [0, 0] }, async (t) => {
    const world = await t.join();
    if (t.rank === 0) {
      await world.send(Uint32Array.of(process.pid), { dest: 1 });
      await world.recv({ source: 1 });
    } else {
      const pid = new Uint32Array(1);
      await world.recv(pid, { source: 0 });
      // From another thread of this process, because this one is in that world.
      const { Worker } = await import('node:worker_threads');
      const { PACKAGE } = await import('../helpers/paths.js');
      const worker = new Worker(
        `const { World } = require(${JSON.stringify(PACKAGE)});
        World.join(require('node:worker_threads').workerData).catch(({ code, message }) =>
          require('node:worker_threads').parentPort.postMessage({ code, message }));`,
        { eval: true, workerData: { ...t.joinOptions, rank: 0 } },
      );
      const { code, message } = await new Promise<{ code: string; message: string }>((resolve) =>
        worker.once('message', resolve),
      );
      assert.equal(code, 'ERR_UINTR_JOIN');
      assert.match(message, new RegExp(`rank 0 .* is taken: process ${pid[0]} is that rank, and lives`));
      await talkOnce(world);
    }
    await world.close();
  });

  processTest('10. to other options is refused, and nobody is disturbed', { join, exits: [0, 0] }, async (t) => {
    const world = await t.join();
    if (t.rank === 1) {
      await world.close();
      const wrong = coded('ERR_UINTR_INVALID_ARGUMENT');
      await assert.rejects(t.join({ size: 3 }), wrong);
      await assert.rejects(t.join({ ringBytes: 2 ** 16 }), wrong);
      await assert.rejects(t.join({ rejoin: false }), coded('ERR_UINTR_JOIN', 'rejoin: true'));
      const back = await t.join();
      assert.equal(back.incarnation(), 1);
      await talkOnce(back);
      await back.close();
    } else {
      await returned(world, 1, 1);
      await world.recv({ source: 1 });
      await world.close();
    }
  });

  processTest(
    '11. may have closed its world, or left without; the cause is told',
    { join, exits: [0, 0], ranks: 2 },
    async (t) => {
      if (t.rank === 0) {
        const world = await t.join();
        const told = history(world);
        for (let i = 1; i <= 5; i += 1) {
          await talk(world, 1, i);
          await returned(world, 1, i);
        }
        await world.close();
        assert.deepEqual(
          told.filter((one) => !one.startsWith('1 joins')).slice(0, 5),
          Array<string>(5).fill('1 closed'),
        );
      } else {
        for (let i = 1; i <= 5; i += 1) {
          const world = await t.join();
          await talk(world, 0, i);
          await world.close();
        }
        const last = await t.join();
        await last.close();
      }
    },
  );

  rankTest(
    '12. finds a rank gone that is gone then, until that comes back, too',
    {
      ranks: 3,
      join,
      exits: [0, 'SIGKILL', 'SIGKILL', 0, 0],
      during: async (crew) => {
        await crew.again(1);
        await crew.event(1, 'alone');
        await crew.again(2);
      },
    },
    async (world, t) => {
      await met(world);
      if (LIFE === 0 && t.rank > 0) die();
      if (t.rank === 1) {
        const exits: number[] = [];
        world.on('peer-exit', ({ rank }) => exits.push(rank));
        await assert.rejects(world.recv({ source: 2 }), gone);
        await assert.rejects(world.send(NOTHING, { dest: 2 }), gone);
        assert.equal(world.isAlive(2), false);
        t.tell('alone');
        await returned(world, 2, 1);
        assert.deepEqual(exits, [2]);
      }
      for (const rank of [1, 2]) if (rank !== t.rank) await returned(world, rank, 1);
      await allTalk(world);
    },
  );

  processTest(
    '13. is a new world where nobody is left, whatever the dead have left behind',
    {
      join,
      exits: ['SIGKILL', 'SIGKILL', 0, 0],
      during: async (crew) => {
        await Promise.all([crew.over(0), crew.over(1)]);
        await Promise.all([crew.again(0), crew.again(1)]);
      },
    },
    async (t) => {
      const world = await t.join();
      assert.equal(world.incarnation(), 0);
      await met(world);
      if (LIFE === 0) die();
      await talk(world, 1 - t.rank);
      await world.close();
    },
  );

  it('14. has to say as which rank, and of which world', async () => {
    await assert.rejects(World.join({ name: 'x', size: 2, rejoin: true }), invalid('rank'));
    await assert.rejects(World.join({ rejoin: true }), invalid('rejoin'));
    await assert.rejects(World.join({ name: 'x', size: 2, rank: 0, rejoin: 1 as never }), invalid('rejoin'));
  });
});

/** In the first lives: all have joined, even where some end at once afterwards. */
async function met(world: World): Promise<void> {
  if (LIFE === 0) await world.barrier().catch(gone);
}

async function talkOnce(world: World): Promise<void> {
  await world.send(NOTHING, { dest: 0 });
}
