// improbe and mprobe: messages that are matched now and received later.
import { strict as assert } from 'node:assert';
import { ANY_TAG, type Bytes, Matched, PROC_NULL, type Request, waitAll } from '../../lib/index.js';
import { coded, invalid, peerExited } from '../helpers/errors.js';
import { eachDriver, matrix } from '../helpers/matrix.js';
import { assertAll, assertPattern, pattern } from '../helpers/pattern.js';
import { processTest, rankTest } from '../helpers/rank-test.js';
import { meet, nextPeerExit } from '../helpers/worlds.js';

const SIZES = [0, 10, 4_096, 100_000, 3_000_000];
const truncated = coded('ERR_UINTR_TRUNCATED');

matrix(() => {
  rankTest('1. what mprobe has taken, it alone receives', 2, async (world) => {
    for (const [i, size] of SIZES.entries()) {
      if (world.rank === 0) {
        await Promise.all([0, 1, 2].map((k) => world.isend(pattern(i + k, size), { dest: 1, tag: 1 })));
      } else {
        const matched = await world.mprobe({ source: 0, tag: 1 });
        assert.ok(matched instanceof Matched);
        assert.deepEqual({ ...matched }, { source: 0, tag: 1, byteLength: size });
        // The second goes to an ordinary receive, although the first has not been received.
        assertPattern((await world.recv({ source: 0, tag: 1 })).data, i + 1);
        const third = await world.mprobe();
        const into = new Uint8Array(size);
        assert.deepEqual({ ...(await matched.recv(into)) }, { source: 0, tag: 1, byteLength: size });
        assertPattern(into, i);
        const message = await third.recv();
        assert.deepEqual([message.source, message.tag, message.byteLength], [0, 1, size]);
        assertPattern(message.data, i + 2);
      }
    }
  });
}, ['signal']);

eachDriver(() => {
  rankTest('2. those that wait for the same get the messages in their order, whatever their size', 2, async (world) => {
    const sizes = Array.from({ length: 60 }, (_, i) => SIZES[i % 4]!);
    if (world.rank === 0) {
      await world.recv({ source: 1 });
      await Promise.all(sizes.map((size, i) => world.isend(pattern(i, size), { dest: 1, tag: i })));
    } else {
      const probes = sizes.map(() => world.mprobe({ source: 0 }));
      await world.send(new Uint8Array(0), { dest: 0 });
      const requests = [];
      for (const [i, probe] of probes.entries()) {
        const matched = await probe;
        assert.deepEqual([matched.tag, matched.byteLength], [i, sizes[i]]);
        requests.push(matched.irecv());
      }
      for (const [i, { data }] of waitAll(requests).entries()) assertPattern(data, i);
    }
  });

  rankTest('3. improbe takes what is there, or gives null', 2, async (world) => {
    if (world.rank === 0) {
      await Promise.all([3, 4].map((tag) => world.isend(pattern(tag, tag * 40_000), { dest: 1, tag })));
    } else {
      assert.equal(world.improbe({ tag: 9 }), null);
      let matched = world.improbe({ tag: 4 });
      while (matched === null) matched = world.improbe({ tag: 4 });
      assert.equal(world.improbe({ tag: 4 }), null);
      assert.equal(world.iprobe()?.tag, 3);
      const into = new Uint8Array(160_000);
      assert.equal(matched.irecv(into).wait().tag, 4);
      assertPattern(into, 4);
      assertPattern((await world.recv()).data, 3);
    }
  });

  rankTest('4. received into a buffer that is too short, a message is truncated', 2, async (world) => {
    for (const size of [100, 5_000, 1_000_000]) {
      for (const room of [0, 1, size - 1]) {
        if (world.rank === 0) {
          assert.equal((await world.ssend(pattern(1, size), { dest: 1 })).byteLength, size);
        } else {
          const whole = new Uint8Array(size + 64).fill(0xaa);
          const matched = await world.mprobe();
          await assert.rejects(matched.recv(whole.subarray(0, room)), truncated);
          if (room > 1) assertPattern(whole.subarray(0, room), 1);
          assertAll(whole.subarray(room), 0xaa);
        }
      }
    }
  });

  rankTest('5. a synchronous or large send is done when it is received, not when it is matched', 2, async (world) => {
    for (const size of [10, 500_000]) {
      if (world.rank === 0) {
        const controller = new AbortController();
        const request = world.issend(pattern(1, size), { dest: 1, tag: 1, signal: controller.signal });
        await meet(world);
        await meet(world);
        assert.equal(request.done, false);
        controller.abort();
        await meet(world);
        assert.equal((await request).byteLength, size);
      } else {
        await meet(world);
        const matched = await world.mprobe({ tag: 1 });
        await meet(world);
        await meet(world);
        assertPattern((await matched.recv()).data, 1);
      }
    }
  });

  rankTest('6. what is never received fails its sender when the world closes', 2, async (world) => {
    if (world.rank === 1) {
      await meet(world);
      for (let i = 0; i < 3; i += 1) assert.ok(world.improbe() !== null);
      await meet(world);
      await world.close();
    } else {
      await world.send(new Uint8Array(10), { dest: 1 });
      const requests = [10, 500_000].map((size) => world.issend(new Uint8Array(size), { dest: 1 }));
      await meet(world);
      await meet(world);
      for (const request of requests) await assert.rejects(async () => request, peerExited(1, 'closed'));
    }
  });

  processTest('7. a sender that dies takes along what was not delivered', { exits: [0, 'SIGKILL'] }, async (t) => {
    const world = await t.join();
    if (t.rank === 1) {
      await world.send(pattern(1, 100), { dest: 0, tag: 1 });
      void world.isend(pattern(2, 1_000_000), { dest: 0, tag: 2 });
      await meet(world);
      await world.recv({ source: 0 });
      process.kill(process.pid, 'SIGKILL');
    }
    await meet(world);
    const [small, large] = [await world.mprobe({ tag: 1 }), await world.mprobe({ tag: 2 })];
    const gone = nextPeerExit(world);
    await world.send(new Uint8Array(0), { dest: 1 });
    await gone;
    assertPattern((await small.recv()).data, 1);
    await assert.rejects(large.recv(new Uint8Array(1_000_000)), peerExited(1, 'killed'));
    await assert.rejects(world.mprobe(), peerExited(1, 'killed'));
    await world.close();
  });
});

describe('a matched message', () => {
  rankTest('8. is received once; a bad buffer does not count', 1, async (world) => {
    await world.send(pattern(1, 50), { dest: 0 });
    const matched = world.improbe()!;
    for (const into of [null, 'text', [1]]) {
      assert.throws(() => matched.irecv(into as unknown as Bytes), invalid('into'));
    }
    await assert.rejects(matched.recv({ source: 0 } as unknown as Bytes), invalid('into'));
    const into = new Uint8Array(50);
    await matched.recv(into);
    assertPattern(into, 1);
    assert.throws(() => matched.irecv(into), invalid('message', 'Matched'));
    assert.throws(() => matched.irecv(), invalid('message'));
    await assert.rejects(matched.recv(), invalid('message'));
  });

  rankTest('9. may be one that a rank has sent to itself', 1, async (world) => {
    for (const [i, size] of SIZES.entries()) {
      const probe = world.mprobe({ source: 0 });
      const sent = world.issend(pattern(i, size), { dest: 0, tag: i });
      assertPattern((await (await probe).recv()).data, i);
      await sent;
    }
  });

  rankTest('10. from PROC_NULL is there at once, and empty', 1, async (world) => {
    const nobodys = { source: PROC_NULL, tag: ANY_TAG, byteLength: 0 };
    const into = new Uint8Array(5).fill(3);
    const matched = world.improbe({ source: PROC_NULL })!;
    assert.deepEqual({ ...matched }, nobodys);
    assert.deepEqual({ ...(await matched.recv(into)) }, nobodys);
    assertAll(into, 3);
    assert.throws(() => matched.irecv(), invalid('message'));
    assert.equal((await (await world.mprobe({ source: PROC_NULL })).recv()).data.length, 0);
  });

  rankTest('11. cannot be received once the world is closed', 1, async (world) => {
    const sent = world.isend(new Uint8Array(200_000), { dest: 0 });
    const matched = world.improbe()!;
    const failed = assert.rejects(async () => sent, coded('ERR_UINTR_PEER_EXITED'));
    await world.close();
    await failed;
    assert.throws(() => matched.irecv(), coded('ERR_UINTR_CLOSED'));
    assert.throws(() => world.improbe(), coded('ERR_UINTR_CLOSED'));
  });

  rankTest('12. occupies a request, and shows in inspect()', { ranks: 1, join: { maxRequests: 64 } }, async (world) => {
    const sent = Array.from({ length: 100 }, (_, i) => world.send(pattern(i, 10), { dest: 0, tag: i }));
    await Promise.all(sent);
    const taken: Matched[] = [];
    assert.throws(
      () => {
        while (taken.length <= 100) taken.push(world.improbe()!);
      },
      coded('ERR_UINTR_NO_MEMORY', 'maxRequests'),
    );
    const { requests } = world.inspect();
    assert.deepEqual(
      requests.map(({ kind, state, tag }) => [kind, state, tag]),
      taken.map(({ tag }) => ['receive', 'matched', tag]),
    );
    // None was lost by that.
    for (const [i, matched] of taken.entries()) assertPattern((await matched.recv()).data, i);
    for (let i = taken.length; i < 100; i += 1) assertPattern((await world.recv()).data, i);
  });

  // What is made of several messages goes on from JavaScript, and its other ranks may need that before they send.
  rankTest('13. asked again and again, lets all else go on', 3, async (world) => {
    const operations: Request<unknown>[] = [world.isendObject(new Uint8Array(300_000), { dest: (world.rank + 1) % 3 })];
    operations.push(world.irecvObject());
    operations.push(world.ireduce(new Int32Array(9_000).fill(1), new Int32Array(9_000), (a, b) => a + b, 1));
    operations.push(world.ibarrier());
    if (world.rank === 0) {
      let matched: Matched | null = null;
      while (matched === null) matched = world.improbe({ source: 1, tag: 7 });
      await matched.recv();
      await Promise.all(operations);
    } else {
      await Promise.all(operations);
      if (world.rank === 1) await world.send(new Uint8Array(3), { dest: 0, tag: 7 });
    }
  });
});
