// Communicators: dup and split, and that their messages never meet those of others.
import { strict as assert } from 'node:assert';
import { ANY_SOURCE, type Comm, PROC_NULL, type Status, waitAll } from '../../lib/index.js';
import { coded, invalid } from '../helpers/errors.js';
import { eachDriver } from '../helpers/matrix.js';
import { assertPattern, pattern } from '../helpers/pattern.js';
import { rankTest } from '../helpers/rank-test.js';
import { nextPeerExit } from '../helpers/worlds.js';

const SIZES = [1, 2, 3, 5, 8];
const LARGE = 200_000;

/** Everybody sends to everybody, small and large, and gets from each what that one sent. */
async function exchange(comm: Comm, key: number): Promise<void> {
  const ranks = Array.from({ length: comm.size }, (_, rank) => rank);
  const sent: Promise<Status>[] = [];
  for (const dest of ranks) {
    for (const size of [10, LARGE]) {
      sent.push(comm.send(pattern(key + comm.rank, size), { dest, tag: size }));
    }
  }
  for (const source of ranks) {
    for (const size of [10, LARGE]) {
      const into = new Uint8Array(size);
      assert.deepEqual({ ...(await comm.recv(into, { source, tag: size })) }, { source, tag: size, byteLength: size });
      assertPattern(into, key + source);
    }
  }
  for (const status of await Promise.all(sent)) assert.equal(status.source, comm.rank);
}

/** What `mine` is on each rank, in their order. */
async function gather(comm: Comm, mine: number): Promise<number[]> {
  const sent = Array.from({ length: comm.size }, (_, dest) => comm.isend(Int32Array.of(mine), { dest, tag: 99 }));
  const all: number[] = [];
  for (let source = 0; source < comm.size; source += 1) {
    const into = new Int32Array(1);
    await comm.recv(into, { source, tag: 99 });
    all.push(into[0]!);
  }
  await Promise.all(sent);
  return all;
}

eachDriver((driver) => {
  for (const ranks of driver === 'signal' ? SIZES : [3]) {
    rankTest(`1. dup has the same ranks in the same order (${ranks})`, ranks, async (world) => {
      const comm = await world.dup();
      assert.deepEqual([comm.rank, comm.size, comm.name], [world.rank, world.size, 'world/dup-1']);
      await Promise.all([exchange(world, 100), exchange(comm, 200)]);
    });

    rankTest(`2. split orders its ranks by key, and by rank where keys are equal (${ranks})`, ranks, async (world) => {
      const reversed = (await world.split(0, -world.rank))!;
      assert.deepEqual([reversed.rank, reversed.size], [ranks - 1 - world.rank, ranks]);
      assert.deepEqual(await gather(reversed, world.rank), [...Array(ranks).keys()].reverse());
      assert.equal(reversed.worldRank(reversed.rank), world.rank);
      await exchange(reversed, 300);

      const halves = (await world.split(world.rank % 2))!;
      assert.equal(halves.name, `world/split-2-${world.rank % 2}`);
      const expected = [...Array(ranks).keys()].filter((rank) => rank % 2 === world.rank % 2);
      assert.deepEqual(await gather(halves, world.rank), expected);
      await exchange(halves, 400);

      // Both at once, with the world.
      await Promise.all([exchange(world, 1), exchange(reversed, 2), exchange(halves, 3)]);
    });

    rankTest(`3. split without a color gives null, and the others a communicator (${ranks})`, ranks, async (world) => {
      const comm = await world.split(world.rank === 0 ? undefined : 7);
      if (world.rank === 0) assert.equal(comm, null);
      else assert.deepEqual([comm!.rank, comm!.size], [world.rank - 1, ranks - 1]);
      if (comm) await exchange(comm, 500);
      assert.equal(await world.split(undefined), null);
    });
  }

  rankTest('4. the same tag in parent and dup never meets, wildcards included', 2, async (world) => {
    const [one, two] = await Promise.all([world.dup(), world.dup()]);
    const comms: Comm[] = [world, one!, two!];
    assert.deepEqual(
      comms.map(({ name }) => name),
      ['world', 'world/dup-1', 'world/dup-2'],
    );
    for (const size of [10, LARGE]) {
      // Whatever is sent first is received last, with wildcards.
      if (world.rank === 0) {
        await Promise.all(comms.map((comm, i) => comm.send(pattern(i, size), { dest: 1, tag: 5 })));
        await world.recv({ source: 1, tag: 6 });
        await Promise.all([...comms].reverse().map((comm) => comm.send(pattern(9, size), { dest: 1, tag: 5 })));
      } else {
        for (const [i, comm] of [...comms.entries()].reverse()) {
          let status = comm.iprobe();
          while (status === null) status = comm.iprobe();
          assert.deepEqual({ ...status }, { source: 0, tag: 5, byteLength: size });
          const message = await comm.recv();
          assertPattern(message.data, i);
          assert.equal(comm.iprobe(), null);
        }
        // The same with receives that were posted before.
        const buffers = comms.map(() => new Uint8Array(size));
        const requests = comms.map((comm, i) => comm.irecv(buffers[i]!));
        await world.send(new Uint8Array(0), { dest: 0, tag: 6 });
        waitAll(requests);
        for (const buffer of buffers) assertPattern(buffer, 9);
      }
    }
  });

  rankTest('5. communicators of communicators work as those of the world', 5, async (world) => {
    const four = await world.split(world.rank === 2 ? undefined : 1, -world.rank);
    if (four === null) return;
    // World ranks 4, 3, 1, 0.
    const pair = (await four.split(four.rank % 2, -four.rank))!;
    // 1 and 4; 0 and 3.
    const members = four.rank % 2 === 0 ? [1, 4] : [0, 3];
    assert.deepEqual(await gather(pair, world.rank), members);
    assert.deepEqual([pair.worldRank(0), pair.worldRank(1)], members);
    const again = await pair.dup();
    assert.equal(again.name, `world/split-1-1/split-1-${four.rank % 2}/dup-1`);
    await Promise.all([exchange(four, 1), exchange(pair, 2), exchange(again, 3)]);
  });

  rankTest('6. several calls at once go together by their order', 3, async (world) => {
    const made = await Promise.all(
      Array.from({ length: 20 }, (_, i) => (i % 2 === 0 ? world.dup() : world.split(0, i % 3 === 0 ? -world.rank : 0))),
    );
    const names = made.map((comm) => comm!.name);
    assert.deepEqual(new Set(names).size, 20);
    await Promise.all(made.map((comm, i) => exchange(comm!, i * 100)));
  });
});

describe('a communicator', () => {
  rankTest('7. knows its own ranks only, and says what is wrong in their terms', 3, async (world) => {
    const pair = await world.split(world.rank === 0 ? undefined : 0, -world.rank);
    if (pair === null) return;
    assert.throws(() => pair.isend(new Uint8Array(1), { dest: 2 }), invalid('dest', '2'));
    assert.throws(() => pair.irecv({ source: 2 }), invalid('source', '2'));
    assert.throws(() => pair.iprobe({ source: 2 }), invalid('source', '2'));
    assert.throws(() => pair.worldRank(2), invalid('rank', '2'));
    assert.equal((await pair.send(new Uint8Array(3), { dest: PROC_NULL })).source, pair.rank);
    assert.equal((await pair.recv({ source: PROC_NULL })).source, PROC_NULL);
    const peer = 1 - pair.rank;
    const into = new Uint8Array(10);
    const status = await pair.sendrecv(pattern(pair.rank, 10), into, { dest: peer, source: ANY_SOURCE });
    assert.equal(status.source, peer);
    assertPattern(into, peer);
    // Truncation names the communicator's rank, too.
    const sent = pair.isend(new Uint8Array(100), { dest: peer, tag: 3 });
    await assert.rejects(pair.recv(new Uint8Array(10), { tag: 3 }), (error: { peer?: number; rank?: number }) => {
      assert.deepEqual([error.rank, error.peer], [pair.rank, peer]);
      return coded('ERR_UINTR_TRUNCATED', `rank ${peer}`)(error);
    });
    await sent;
  });

  rankTest('8. of one rank talks to itself', 2, async (world) => {
    const exit = world.rank === 0 ? nextPeerExit(world) : undefined;
    const alone = (await world.split(world.rank))!;
    assert.deepEqual([alone.rank, alone.size], [0, 1]);
    await exchange(alone, world.rank);
    const receive = alone.irecv(new Uint8Array(5));
    if (world.rank === 1) return receive.cancel();
    // Also when the world has no other rank any more.
    await exit;
    assert.equal(receive.done, false);
    await alone.send(pattern(1, 5), { dest: 0 });
    return assert.equal((await receive).source, 0);
  });

  rankTest('9. shows in inspect() by name, with ranks of its own', 3, async (world) => {
    const reversed = (await world.split(0, -world.rank))!;
    const receives = [
      reversed.irecv({ source: 0, tag: 11 }),
      reversed.irecv({ tag: 12 }),
      world.irecv({ source: 0, tag: 13 }),
    ];
    const shown = world.inspect().requests.map(({ comm, purpose, peer, tag }) => ({ comm, purpose, peer, tag }));
    shown.sort((a, b) => a.tag - b.tag);
    assert.deepEqual(shown, [
      { comm: 'world/split-1-0', purpose: 'messages', peer: 0, tag: 11 },
      { comm: 'world/split-1-0', purpose: 'messages', peer: ANY_SOURCE, tag: 12 },
      { comm: 'world', purpose: 'messages', peer: 0, tag: 13 },
    ]);
    for (const receive of receives) assert.equal(receive.cancel(), true);
    if (world.rank === 0) {
      const waiting = world.dup();
      const { comm, purpose } = world.inspect().requests[0]!;
      assert.deepEqual([comm, purpose], ['world', 'management']);
      await world.send(new Uint8Array(0), { dest: 1 });
      await waiting;
    } else {
      if (world.rank === 1) await world.recv({ source: 0 });
      await world.dup();
    }
  });

  rankTest('10. is made while messages are on the way', 3, async (world) => {
    const next = (world.rank + 1) % world.size;
    const into = new Uint8Array(3_000_000);
    const sent = world.isend(pattern(world.rank, into.length), { dest: next });
    const receive = world.irecv(into);
    const comm = await world.dup();
    await exchange(comm, 0);
    const { source } = await receive;
    assertPattern(into, source);
    await sent;
  });
});

describe('bad calls', () => {
  rankTest(
    '11. a bad argument of one rank rejects the call on all ranks, and the next call works',
    3,
    async (world) => {
      for (const [bad, name, shown] of [
        [-1, 'color', '-1'],
        [1.5, 'color', '1.5'],
        ['x', 'color', "'x'"],
        [null, 'color', 'null'],
      ] as const) {
        for (const culprit of [0, 1]) {
          const call = world.split(world.rank === culprit ? (bad as number) : 1);
          await assert.rejects(call, invalid(name, shown));
        }
      }
      await assert.rejects(world.split(0, 2 ** 31), invalid('key', '2147483648'));
      await exchange((await world.split(0, 2 ** 31 - 1))!, 1);
    },
  );

  rankTest('12. dup on one rank and split on another reject on all ranks', 3, async (world) => {
    for (const other of [0, 2]) {
      const call: Promise<unknown> = world.rank === other ? world.split(0) : world.dup();
      await assert.rejects(call, coded('ERR_UINTR_INVALID_ARGUMENT', 'dup()', 'split()'));
    }
    await exchange(await world.dup(), 2);
  });
});
