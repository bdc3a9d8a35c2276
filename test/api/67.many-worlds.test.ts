// More than one world: at once in one thread, and one after another in one process.
import { strict as assert } from 'node:assert';
import { Request, type World } from '../../lib/index.js';
import { eachDriver } from '../helpers/matrix.js';
import { assertPattern, pattern } from '../helpers/pattern.js';
import { handles, heldMemory, openDescriptors, threadCount } from '../helpers/proc.js';
import { processTest, rankTest, type Tools } from '../helpers/rank-test.js';
import { compute } from '../helpers/work.js';
import { meet } from '../helpers/worlds.js';

const MAIN_AND_WORKER = { ranks: 2, processes: [[0, 1]] } as const;
const MIXED = { ranks: 3, processes: [[0, 1], [2]] } as const;

/** All to all, of several sizes. */
async function talk(world: World, key: number, sizes = [10, 40_000, 700_000]): Promise<void> {
  const peers = Array.from({ length: world.size }, (_, rank) => rank).filter((rank) => rank !== world.rank);
  const of = (from: number, to: number, size: number): number => key + from * 10 + to + size;
  for (const size of sizes) {
    const into = peers.map(() => new Uint8Array(size));
    const received = peers.map((source, i) => world.irecv(into[i]!, { source, tag: key }));
    const sent = peers.map((dest) => world.isend(pattern(of(world.rank, dest, size), size), { dest, tag: key }));
    compute(20);
    await Promise.all([...received, ...sent]);
    for (const [i, source] of peers.entries()) assertPattern(into[i]!, of(source, world.rank, size));
  }
}

/** What this process holds on to, once everything that ends by itself has ended. */
const held = (): object => ({ descriptors: openDescriptors().size, memory: heldMemory() });

eachDriver((driver) => {
  rankTest('1. a thread may be in several worlds at once, with a rank of its own in each', MIXED, async (world, t) => {
    const { name } = t.joinOptions;
    const others = await Promise.all(
      [1, 2].map((by) => t.join({ name: `${name}-${by}`, rank: (t.rank + by) % 3, eagerLimit: 1_000 * by })),
    );
    assert.deepEqual(
      others.map(({ rank }) => rank),
      [(t.rank + 1) % 3, (t.rank + 2) % 3],
    );
    const all = [world, ...others];
    for (let round = 0; round < 6; round += 1) {
      t.note(`round ${round}`);
      await Promise.all(all.map((one, i) => talk(one, round * 1_000 + i * 100)));
    }
    // One after the other ends, and those that are left do not notice.
    for (const [i, one] of all.entries()) {
      for (const left of all.slice(i)) await talk(left, 50_000 + i);
      if (one !== world) await one.close();
    }
    await talk(world, 60_000);
  });

  rankTest('2. messages of two worlds do not meet', MAIN_AND_WORKER, async (world, t) => {
    const second = await t.join({ name: `${t.joinOptions.name}-second` });
    const peer = 1 - t.rank;
    const received = [world, second].map((one) => one.irecv({ source: peer, tag: 1 }));
    await second.send(pattern(2, 100_000), { dest: peer, tag: 1 });
    assertPattern((await received[1]!).data, 2);
    await meet(second);
    assert.equal(received[0]!.done, false);
    await meet(second);
    await world.send(pattern(1, 100_000), { dest: peer, tag: 1 });
    assertPattern((await received[0]!).data, 1);
    await second.close();
  });

  processTest('3. worlds that come and go leave neither descriptors, memory nor threads', MIXED, async (t) => {
    const left: object[] = [];
    for (let round = 0; round < 25; round += 1) {
      t.note(`world ${round}`);
      const world = await t.join({ name: `${t.joinOptions.name}-${round}` });
      await talk(world, round, [10, 40_000]);
      await world.close();
      if (t.rank === 2) left.push({ ...held(), threads: threadCount() });
    }
    if (t.rank !== 2) return true;
    assert.deepEqual(left.at(-1), left[4]);
    return true;
  });

  if (driver !== 'poll') {
    processTest(
      '4. the signal is given back when the last world of the process has gone',
      MAIN_AND_WORKER,
      async (t) => {
        const before = handles('SIGURG');
        const join = (which: string): Promise<World> => t.join({ name: `${t.joinOptions.name}-${which}` });
        const [first, second] = [await join('first'), await join('second')];
        await first.close();
        // The second lives on, here and in the other thread.
        assert.equal(handles('SIGURG'), true);
        await talk(second, 1);
        if (t.rank === 1) {
          await second.close();
          return true;
        }
        await assert.rejects(second.recv({ source: 1 }), { code: 'ERR_UINTR_PEER_EXITED' });
        await talkAlone(t, second);
        await second.close();
        // Rank 1 says that it has closed just before it lets go.
        while (handles('SIGURG') !== before) await new Promise((resolve) => setImmediate(resolve));
        return true;
      },
    );
  }
});

// Where nothing moves but by calls, and only its sender can put a message into the ring.
rankTest(
  '9. waitAll moves what is under way in all worlds of its requests',
  { env: { UINTR_DRIVER: 'poll', UINTR_COPY: 'pipeline' } },
  async (first, t) => {
    const second = await t.join({ name: `${t.joinOptions.name}-second` });
    const large = 5_000_000;
    if (t.rank === 0) {
      const requests = [first.irecv(new Uint8Array(1), { source: 1 }), second.isend(pattern(1, large), { dest: 1 })];
      Request.waitAll(requests as Request<unknown>[]);
    } else {
      assertPattern((await second.recv({ source: 0 })).data, 1);
      await first.send(new Uint8Array(1), { dest: 0 });
    }
    await second.close();
  },
);

/** A rank that is left alone is still one. */
async function talkAlone(t: Tools, world: World): Promise<void> {
  t.note('alone');
  const received = world.irecv({ source: world.rank });
  await world.send(pattern(9, 100_000), { dest: world.rank });
  assertPattern((await received).data, 9);
}
