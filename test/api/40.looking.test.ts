// iprobe, inspect and stats: looking without changing anything.
import { strict as assert } from 'node:assert';
import { ANY_SOURCE, ANY_TAG } from '../../lib/index.js';
import { invalid } from '../helpers/errors.js';
import { eachDriver } from '../helpers/matrix.js';
import { assertPattern, pattern } from '../helpers/pattern.js';
import { rankTest } from '../helpers/rank-test.js';
import { meet } from '../helpers/worlds.js';

eachDriver(() => {
  rankTest(
    '1. iprobe shows the message that a receive with its arguments would get, and leaves it',
    2,
    async (world) => {
      for (const size of [0, 10, 100_000]) {
        if (world.rank === 0) {
          await world.send(pattern(1, size), { dest: 1, tag: 8 });
        } else {
          let status = world.iprobe({ source: 0, tag: 8 });
          while (status === null) status = world.iprobe({ source: 0, tag: 8 });
          assert.deepEqual({ ...status }, { source: 0, tag: 8, byteLength: size });
          assert.deepEqual(world.iprobe({ source: ANY_SOURCE, tag: ANY_TAG }), status);
          assert.equal(world.iprobe({ tag: 9 }), null);
          // A Status is good as arguments: fields that do not belong there are allowed.
          const into = new Uint8Array(status.byteLength);
          assert.deepEqual(await world.recv(into, status), status);
          assertPattern(into, 1);
          assert.equal(world.iprobe({ tag: 8 }), null);
        }
        await meet(world);
      }
    },
  );

  rankTest('2. iprobe does not see what a posted receive will get', 2, async (world) => {
    if (world.rank === 0) {
      const request = world.irecv({ source: 1 });
      await world.send(new Uint8Array(1), { dest: 1, tag: 1 });
      await world.recv({ source: 1, tag: 2 });
      assert.equal(world.iprobe({ source: 1, tag: 1 }), null);
      assert.equal((await request).tag, 1);
    } else {
      await world.recv({ source: 0 });
      for (const tag of [1, 2]) await world.send(new Uint8Array(70_000), { dest: 0, tag });
    }
  });
});

describe('iprobe', () => {
  rankTest('3. shows the earliest of several', 1, async (world) => {
    for (const tag of [5, 6]) await world.send(new Uint8Array(tag), { dest: 0, tag });
    assert.equal(world.iprobe()?.tag, 5);
    assert.equal(world.iprobe({ tag: 6 })?.byteLength, 6);
    for (const tag of [6, 5]) await world.recv({ tag });
  });

  rankTest('4. refuses bad arguments', 1, (world) => {
    assert.throws(() => world.iprobe({ source: 1 }), invalid('source', '1'));
    assert.throws(() => world.iprobe({ tag: -7 }), invalid('tag', '-7'));
    assert.throws(() => world.iprobe({ sauce: 1 } as object), invalid('sauce'));
  });
});

describe('inspect()', () => {
  rankTest('5. shows the pending requests by peer and tag', 2, async (world) => {
    const peer = 1 - world.rank;
    const receive = world.irecv(new Uint8Array(10), { source: peer, tag: 4321 });
    const wild = world.irecv({ tag: 1234 });
    const send = world.issend(new Uint8Array(77), { dest: peer, tag: 8765 });
    await meet(world);
    const { requests } = world.inspect();
    const shown = requests.map(({ kind, peer: other, tag, byteLength }) => ({ kind, peer: other, tag, byteLength }));
    shown.sort((a, b) => a.tag - b.tag);
    assert.equal(shown.length, 3);
    assert.deepEqual({ ...shown[0], byteLength: 0 }, { kind: 'receive', peer: ANY_SOURCE, tag: 1234, byteLength: 0 });
    assert.deepEqual(shown[1], { kind: 'receive', peer, tag: 4321, byteLength: 10 });
    assert.deepEqual(shown[2], { kind: 'send', peer, tag: 8765, byteLength: 77 });
    await meet(world);
    await Promise.all([world.recv({ source: peer, tag: 8765 }), send]);
    for (const request of [receive, wild]) assert.equal(request.cancel(), true);
    // Or the other might close before these are cancelled.
    await meet(world);
  });

  rankTest('6. shows what came before its receive', 1, async (world) => {
    for (const tag of [1, 2, 3]) await world.send(new Uint8Array(5), { dest: 0, tag });
    const large = world.isend(new Uint8Array(1_000_000), { dest: 0, tag: 4 });
    const { unexpectedEager, unexpectedRendezvous, posted } = world.inspect();
    assert.deepEqual([unexpectedEager, unexpectedRendezvous, posted], [3, 1, 0]);
    for (const tag of [1, 2, 3, 4]) await world.recv({ tag });
    await large;
  });

  rankTest('7. shows nothing when nothing is pending', 2, async (world) => {
    const peer = 1 - world.rank;
    await Promise.all([world.send(new Uint8Array(300_000), { dest: peer }), world.recv({ source: peer })]);
    await meet(world);
    const { requests, posted, active, queuedSends, unexpectedEager, unexpectedRendezvous } = world.inspect();
    assert.deepEqual(requests, []);
    assert.deepEqual([posted, active, queuedSends, unexpectedEager, unexpectedRendezvous], [0, 0, 0, 0, 0]);
  });
});

describe('stats()', () => {
  rankTest('8. counts the messages and their bytes, sent and received', 2, async (world) => {
    const peer = 1 - world.rank;
    const before = world.stats();
    const sizes = [0, 10, 500_000];
    for (const size of sizes) {
      await Promise.all([
        world.send(new Uint8Array(size), { dest: peer }),
        world.recv(new Uint8Array(size), { source: peer }),
      ]);
    }
    world.irecv(new Uint8Array(1)).cancel();
    const after = world.stats();
    const grown = (key: 'sends' | 'receives' | 'bytesSent' | 'bytesReceived'): number => after[key] - before[key];
    assert.deepEqual([grown('sends'), grown('receives')], [3, 3]);
    assert.deepEqual([grown('bytesSent'), grown('bytesReceived')], [500_010, 500_010]);
    assert.equal(after.eagerSent - before.eagerSent, 2);
    assert.equal(after.rendezvousSent - before.rendezvousSent, 1);
  });

  for (const [copy, matched] of [
    ['cma', 1],
    ['pipeline', 0],
  ] as const) {
    rankTest(
      `8. counts the sends that match a posted receive by themselves (${copy}: ${matched})`,
      { join: { copy } },
      async (world) => {
        const into = new Uint8Array(500_000);
        const received = world.rank === 0 ? world.irecv(into, { source: 1, tag: 8 }) : undefined;
        // Nothing of the sender's is on the way, behind which it would have to wait its turn.
        if (world.rank === 0) await world.send(new Uint8Array(0), { dest: 1 });
        else await world.recv(new Uint8Array(0), { source: 0 });
        const before = world.stats().matchedBySender;
        if (world.rank === 1) await world.send(pattern(8, into.length), { dest: 0, tag: 8 });
        await received;
        if (received) assertPattern(into, 8);
        else assert.equal(world.stats().matchedBySender - before, matched);
      },
    );
  }

  for (const copy of ['cma', 'pipeline'] as const) {
    rankTest(
      `9. counts the bytes copied by each side, by the way they were copied (${copy})`,
      { join: { copy } },
      async (world) => {
        const peer = 1 - world.rank;
        const size = 2_000_000;
        if (world.rank === 0) await world.send(new Uint8Array(size), { dest: peer });
        else await world.recv(new Uint8Array(size), { source: peer });
        await meet(world);
        const { asReceiver, asSender } = world.stats().copied[copy];
        const counts = new Float64Array(2);
        await Promise.all([world.send(Float64Array.of(asReceiver, asSender), { dest: peer }), world.recv(counts)]);
        // By cma each byte is copied once, by either end; through bounce buffers once by each.
        const all = asReceiver + asSender + counts[0]! + counts[1]!;
        assert.equal(all, copy === 'cma' ? size : 2 * size);
      },
    );
  }
});
