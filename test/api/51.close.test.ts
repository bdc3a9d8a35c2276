// close(): leaving a world.
import { strict as assert } from 'node:assert';
import type { World } from '../../lib/index.js';
import { coded, peerExited } from '../helpers/errors.js';
import { eachDriver } from '../helpers/matrix.js';
import { assertPattern, pattern } from '../helpers/pattern.js';
import { mappedFiles, openDescriptors, threadCount } from '../helpers/proc.js';
import { processTest, rankTest } from '../helpers/rank-test.js';
import { meet, nextPeerExit } from '../helpers/worlds.js';

const closed = coded('ERR_UINTR_CLOSED');
const SIZES = [10, 400_000];

eachDriver(() => {
  rankTest('1. is idempotent: called again, also at the same time, it ends in the same way', 2, async (world) => {
    await Promise.all([world.close(), world.close()]);
    await world.close();
    await world[Symbol.asyncDispose]();
  });

  rankTest('2. fails the own receives with ERR_UINTR_CLOSED, and settles them all', 2, async (world) => {
    if (world.rank === 1) {
      await nextPeerExit(world);
      return;
    }
    const peer = 1;
    const requests = [
      world.irecv(new Uint8Array(10), { source: peer, tag: 1 }),
      world.irecv({ source: peer, tag: 2 }),
      world.irecv({ tag: 3 }),
      world.irecv(new Uint8Array(300_000)),
    ];
    const promise = world.recv({ source: peer, tag: 4 });
    const rejected = assert.rejects(promise, closed);
    await world.close();
    await rejected;
    for (const request of requests) {
      assert.equal(request.done, true);
      await assert.rejects(async () => request, closed);
    }
  });

  rankTest('3. what was sent before is still received, whatever its size', 2, async (world) => {
    if (world.rank === 0) {
      for (const [i, size] of SIZES.entries()) world.isend(pattern(i, size), { dest: 1, tag: i });
      await world.send(new Uint8Array(0), { dest: 1, tag: 9 });
      await world.close();
    } else {
      await world.recv({ source: 0, tag: 9 });
      for (const [i] of SIZES.entries()) assertPattern((await world.recv({ source: 0, tag: i })).data, i);
    }
  });

  processTest(
    '4. what was delivered is still received after its sender has closed and its process has ended',
    {
      ranks: 2,
    },
    async (t) => {
      const world = await t.join();
      if (t.rank === 0) {
        for (let i = 0; i < 50; i += 1) await world.send(pattern(i, i * 10), { dest: 1, tag: i });
        await meet(world);
        await world.close();
      } else {
        await meet(world);
        await nextPeerExit(world);
        for (let i = 49; i >= 0; i -= 1) assertPattern((await world.recv({ source: 0, tag: i })).data, i);
        await assert.rejects(world.recv({ source: 0, tag: 0 }), peerExited(0, 'closed'));
        await world.close();
      }
    },
  );

  rankTest('5. two ranks that close with sends to each other do not hang, and each send settles', 2, async (world) => {
    const peer = 1 - world.rank;
    const sends = [10, 1_000, 50_000, 2_000_000].flatMap((size) => [
      world.isend(new Uint8Array(size), { dest: peer, tag: 1 }),
      world.issend(new Uint8Array(size), { dest: peer, tag: 2 }),
    ]);
    await world.close();
    for (const request of sends) {
      assert.equal(request.done, true);
      await request.catch(peerExited(peer, 'closed'));
    }
  });

  rankTest('6. fails the unmatched sends of others with ERR_UINTR_PEER_EXITED, cause closed', 2, async (world) => {
    if (world.rank === 0) {
      await world.recv({ source: 1, tag: 1 });
      await world.close();
    } else {
      const sends = SIZES.map((size) => world.issend(new Uint8Array(size), { dest: 0, tag: 2 }));
      await world.send(new Uint8Array(0), { dest: 0, tag: 1 });
      for (const request of sends) await assert.rejects(async () => request, peerExited(0, 'closed'));
    }
  });

  rankTest('7. with a timeout fails the sends that nobody receives with ERR_UINTR_TIMEOUT', 2, async (world) => {
    if (world.rank === 0) {
      const request = world.issend(new Uint8Array(100_000), { dest: 1, tag: 1 });
      await meet(world);
      await world.close({ timeoutMs: 20 });
      assert.equal(request.done, true);
      await assert.rejects(async () => request, coded('ERR_UINTR_TIMEOUT'));
    } else {
      // Here until the other has gone: what keeps its send waiting is that nobody receives.
      await meet(world);
      await nextPeerExit(world);
      await assert.rejects(world.recv({ source: 0, tag: 1 }), peerExited(0, 'closed'));
    }
  });

  rankTest('8. of one rank lets the others go on', 3, async (world) => {
    if (world.rank === 2) {
      for (const source of [0, 1]) await world.recv({ source });
      return;
    }
    const peer = 1 - world.rank;
    const gone = nextPeerExit(world);
    await world.send(new Uint8Array(0), { dest: 2 });
    assert.deepEqual(await gone, { rank: 2, cause: 'closed' });
    for (let i = 0; i < 20; i += 1) {
      const into = new Uint8Array(i * 10_000);
      await Promise.all([world.recv(into, { source: peer }), world.send(pattern(i, into.length), { dest: peer })]);
      assertPattern(into, i);
    }
  });

  rankTest('9. while a transfer is under way lets it end', 2, async (world) => {
    const size = 20_000_000;
    if (world.rank === 0) {
      const request = world.isend(pattern(3, size), { dest: 1 });
      await world.close();
      assert.equal((await request).byteLength, size);
    } else {
      const into = new Uint8Array(size);
      await world.recv(into, { source: 0 });
      assertPattern(into, 3);
    }
  });
});

describe('after close()', () => {
  rankTest('10. everything that would talk is refused with ERR_UINTR_CLOSED', 2, async (world) => {
    await world.close();
    const data = new Uint8Array(8);
    const dest = 1 - world.rank;
    assert.throws(() => world.isend(data, { dest }), closed);
    assert.throws(() => world.issend(data, { dest }), closed);
    assert.throws(() => world.irecv(data), closed);
    assert.throws(() => world.irecv(), closed);
    assert.throws(() => world.iprobe(), closed);
    assert.throws(() => world.alloc(8), closed);
    await assert.rejects(world.send(data, { dest }), closed);
    await assert.rejects(world.ssend(data, { dest }), closed);
    await assert.rejects(world.recv(data), closed);
  });

  rankTest('11. rank, size and driver can still be read, and ref, unref and close do no harm', 2, async (world, t) => {
    const before = [world.rank, world.size, world.driver];
    await world.close();
    assert.deepEqual([world.rank, world.size, world.driver], before);
    world.ref();
    world.unref();
    assert.equal(world.rank, t.rank);
  });

  processTest('12. no descriptor, no mapping and no thread of the world is left', 2, async (t) => {
    const talk = async (world: World): Promise<void> => {
      const peer = 1 - world.rank;
      for (const size of SIZES) {
        await Promise.all([
          world.send(pattern(1, size), { dest: peer }),
          world.recv(new Uint8Array(size), { source: peer }),
        ]);
      }
      await world.close();
    };
    // What is made once per process is made by the first.
    await talk(await t.join({ name: `${t.joinOptions.name}-first` }));
    const before = { fds: openDescriptors().size, threads: threadCount(), memfds: memfds().length };
    for (let i = 0; i < 5; i += 1) await talk(await t.join({ name: `${t.joinOptions.name}-${i}` }));
    assert.deepEqual({ fds: openDescriptors().size, threads: threadCount(), memfds: memfds().length }, before);
  });

  processTest('13. nor is one where joining and closing take a single turn of the event loop', 1, async (t) => {
    const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
    const closed = async (): Promise<number[]> => {
      const world = await t.join({ size: 1 });
      // Later in the turn in which it joined.
      await turn();
      await world.close();
      return [...openDescriptors().keys()];
    };
    await closed();
    await turn();
    const before = [...openDescriptors().keys()];
    assert.deepEqual(await closed(), before);
  });
});

rankTest('15. is closed to whoever looks, from its last step on', 1, async (world) => {
  let over = false;
  const closing = world.close().then(() => {
    over = true;
  });
  const looks = [() => world.inspect().requests, () => world.stats().sends, () => world.copy(0)];
  while (!over) {
    const found = looks.map((look) => {
      try {
        return look();
      } catch (error) {
        return closed(error);
      }
    });
    assert.ok([JSON.stringify([[], 0, 'direct']), '[true,true,true]'].includes(JSON.stringify(found)), `${found}`);
    await new Promise((resolve) => setImmediate(resolve));
  }
  await closing;
});

describe('await using', () => {
  rankTest('14. closes the world at the end of its scope', 2, async (world) => {
    {
      await using scoped = world;
      assert.equal(scoped.size, 2);
    }
    assert.throws(() => world.irecv(), closed);
  });
});

function memfds(): string[] {
  return mappedFiles().filter((name) => name.startsWith('/memfd:'));
}
