// probe(): waiting for a message without receiving it.
import { strict as assert } from 'node:assert';
import { existsSync, mkdtempSync, readFile, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ANY_SOURCE, ANY_TAG, PROC_NULL, type Status, type World } from '../../lib/index.js';
import { coded, invalid, peerExited } from '../helpers/errors.js';
import { eachDriver } from '../helpers/matrix.js';
import { assertPattern, pattern } from '../helpers/pattern.js';
import { processTest, rankTest } from '../helpers/rank-test.js';
import { compute } from '../helpers/work.js';
import { meet } from '../helpers/worlds.js';

const SIZES = [0, 10, 100_000, 2_000_000];
const closed = coded('ERR_UINTR_CLOSED');

/** Receives what a probe has found. */
async function take(world: World, status: Status, key: number): Promise<void> {
  const into = new Uint8Array(status.byteLength);
  assert.deepEqual({ ...(await world.recv(into, status)) }, { ...status });
  assertPattern(into, key);
}

eachDriver(() => {
  rankTest('1. tells of a message that is there, and leaves it', 2, async (world) => {
    for (const [i, size] of SIZES.entries()) {
      if (world.rank === 0) {
        const sent = world.isend(pattern(i, size), { dest: 1, tag: i });
        await meet(world);
        await sent;
      } else {
        await meet(world);
        const status = await world.probe({ source: 0, tag: i });
        assert.deepEqual({ ...status }, { source: 0, tag: i, byteLength: size });
        assert.deepEqual(await world.probe({ source: ANY_SOURCE, tag: ANY_TAG }), status);
        await take(world, status, i);
        assert.equal(world.iprobe({ tag: i }), null);
      }
    }
  });

  // Nothing but the probe keeps the process alive, and nothing but the message wakes its event loop.
  rankTest('2. waits for a message, while the event loop sleeps', 2, async (world) => {
    for (const [i, size] of SIZES.entries()) {
      if (world.rank === 0) {
        await meet(world);
        compute(20_000);
        await world.send(pattern(i, size), { dest: 1, tag: i });
      } else {
        // With a receive posted an envelope comes by interrupt, without by the eventfd.
        const other = i % 2 === 0 ? undefined : world.irecv({ source: 0, tag: 99 });
        await meet(world);
        await take(world, await world.probe(), i);
        other?.cancel();
      }
    }
  });

  rankTest('3. waits for a message that comes between two phases of the event loop', 2, async (world) => {
    for (const [i, size] of SIZES.entries()) {
      if (world.rank === 0) {
        const { data } = await world.recv({ source: 1, tag: 1 });
        const sent = world.isend(pattern(i, size), { dest: 1, tag: 2 });
        writeFileSync(Buffer.from(data).toString(), '');
        await sent;
      } else {
        const folder = mkdtempSync(join(tmpdir(), 'uintr-probe-'));
        const file = join(folder, 'sent');
        // The callback runs where the loop counts as sleeping, and the message is out before it returns.
        const probe = await new Promise<{ found: Promise<Status> }>((resolve) => {
          readFile(process.execPath, { encoding: 'latin1', flag: 'r' }, () => {
            const found = world.probe({ tag: 2 });
            world.isend(Buffer.from(file), { dest: 0, tag: 1 });
            while (!existsSync(file)) compute(10);
            resolve({ found });
          });
        });
        rmSync(folder, { recursive: true });
        await take(world, await probe.found, i);
      }
      await meet(world);
    }
  });

  rankTest('4. learns of a message that comes while this thread computes, or sits in wait()', 2, async (world) => {
    for (const [i, size] of SIZES.entries()) {
      if (world.rank === 0) {
        await meet(world);
        const sent = world.isend(pattern(i, size), { dest: 1, tag: 1 });
        compute(5_000);
        await world.send(new Uint8Array(1), { dest: 1, tag: 2 });
        await sent;
      } else {
        const found = world.probe({ tag: 1 });
        const next = world.irecv(new Uint8Array(1), { source: 0, tag: 2 });
        await meet(world);
        compute(2_000);
        next.wait();
        await take(world, await found, i);
      }
    }
  });

  rankTest('5. several that wait each see what is theirs', 3, async (world) => {
    if (world.rank === 0) {
      const wanted = [{ source: 1, tag: 7 }, { source: 2 }, { tag: 8 }, {}, { source: 1, tag: 7 }];
      const found = wanted.map((options) => world.probe(options));
      await Promise.all([1, 2].map((peer) => meet(world, peer)));
      await Promise.all([1, 2].map((dest) => world.send(new Uint8Array(0), { dest })));
      const statuses = await Promise.all(found);
      for (const [i, { source, tag }] of wanted.entries()) {
        assert.equal(statuses[i]!.source, source ?? statuses[i]!.source);
        assert.equal(statuses[i]!.tag, tag ?? statuses[i]!.tag);
      }
      for (const source of [1, 2]) for (const tag of [7, 8]) await world.recv({ source, tag });
    } else {
      await meet(world, 0);
      await world.recv({ source: 0 });
      await Promise.all([7, 8].map((tag) => world.isend(new Uint8Array(world.rank * 50_000), { dest: 0, tag })));
    }
  });

  processTest(
    '6. sees what a dying rank has delivered, and then that it is gone',
    { exits: [0, 'SIGKILL'] },
    async (t) => {
      const world = await t.join();
      if (t.rank === 1) {
        await world.recv({ source: 0 });
        await world.send(pattern(1, 100), { dest: 0, tag: 1 });
        void world.isend(new Uint8Array(1_000_000), { dest: 0, tag: 2 });
        process.kill(process.pid, 'SIGKILL');
      }
      const [first, never, anyone] = [
        world.probe({ source: 1, tag: 1 }),
        world.probe({ source: 1, tag: 3 }),
        world.probe({ tag: 4 }),
      ];
      const failed = [never, anyone].map((probe) => assert.rejects(probe, peerExited(1, 'killed')));
      await world.send(new Uint8Array(0), { dest: 1 });
      await take(world, await first, 1);
      await Promise.all(failed);
      for (const options of [{ source: 1 }, { source: 1, tag: 2 }, {}]) {
        await assert.rejects(world.probe(options), peerExited(1, 'killed'));
      }
      await world.close();
    },
  );

  rankTest('7. fails when the rank it needs closes, and waits while another could send', 3, async (world) => {
    if (world.rank === 1) return;
    if (world.rank === 0) {
      const anyone = world.probe({ tag: 5 });
      await assert.rejects(world.probe({ source: 1 }), peerExited(1, 'closed'));
      await world.send(new Uint8Array(0), { dest: 2 });
      assert.equal((await anyone).source, 2);
      await world.recv({ tag: 5 });
    } else {
      await world.recv({ source: 0 });
      await world.send(new Uint8Array(3), { dest: 0, tag: 5 });
    }
  });

  rankTest('8. fails with the own close()', 1, async (world) => {
    const failed = [world.probe(), world.probe({ tag: 1 }), world.mprobe()].map((probe) =>
      assert.rejects(probe, closed),
    );
    await world.close();
    await Promise.all(failed);
    await assert.rejects(world.probe(), closed);
  });
});

describe('probe', () => {
  rankTest('9. sees what a rank sends to itself', 1, async (world) => {
    for (const [i, size] of SIZES.entries()) {
      const found = world.probe({ source: 0 });
      const sent = world.isend(pattern(i, size), { dest: 0, tag: i });
      assert.deepEqual({ ...(await found) }, { source: 0, tag: i, byteLength: size });
      await take(world, await found, i);
      await sent;
    }
  });

  rankTest('10. of PROC_NULL finds its empty message at once', 1, async (world) => {
    const status = { source: PROC_NULL, tag: ANY_TAG, byteLength: 0 };
    assert.deepEqual({ ...(await world.probe({ source: PROC_NULL, tag: 3 })) }, status);
  });

  rankTest('11. that is aborted rejects with the reason, and waits no more', 1, async (world) => {
    const reason = new Error('enough');
    const controller = new AbortController();
    const { signal } = controller;
    const rejected = [world.probe({ signal }), world.mprobe({ signal })].map((probe) =>
      assert.rejects(probe, (error) => error === reason),
    );
    controller.abort(reason);
    await Promise.all(rejected);
    await assert.rejects(world.probe({ signal }), (error) => error === reason);
    await world.send(new Uint8Array(1), { dest: 0 });
    await assert.rejects(world.mprobe({ signal }), (error) => error === reason);
    assert.equal((await world.recv()).byteLength, 1);
  });

  rankTest('12. refuses bad arguments by rejecting', 1, async (world) => {
    await assert.rejects(world.probe({ source: 1 }), invalid('source', '1'));
    await assert.rejects(world.probe({ tag: -7 }), invalid('tag', '-7'));
    await assert.rejects(world.probe({ sauce: 1 } as object), invalid('sauce'));
    await assert.rejects(world.probe({ signal: 1 as unknown as AbortSignal }), invalid('signal', '1'));
  });

  rankTest('13. a thousand that wait are told of a flood, and end', 2, async (world) => {
    const count = 1_000;
    if (world.rank === 0) {
      const found = Array.from({ length: count }, (_, tag) => world.probe({ source: 1, tag }));
      await meet(world);
      for (const [tag, probe] of found.entries()) assert.equal((await probe).tag, tag);
      for (let tag = 0; tag < count; tag += 1) await world.recv({ source: 1, tag });
    } else {
      await meet(world);
      await Promise.all(
        Array.from({ length: count }, (_, tag) => world.isend(new Uint8Array(tag * 7), { dest: 0, tag })),
      );
    }
  });
});
