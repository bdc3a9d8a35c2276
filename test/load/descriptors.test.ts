// RLIMIT_NOFILE: with however few descriptors, what needs them works, or fails at once and says what has run out.
import { strict as assert } from 'node:assert';
import { closeSync } from 'node:fs';
import { join } from 'node:path';
import { registerHandler, registerSender } from '../../lib/doorbell.js';
import { World } from '../../lib/index.js';
import { eachDriver } from '../helpers/matrix.js';
import { openDescriptors } from '../helpers/proc.js';
import { processTest, type Tools } from '../helpers/rank-test.js';
import { assertNamesShortage, FEW, Hoard, untilEnough } from '../helpers/scarce.js';
import { meet } from '../helpers/worlds.js';

const alone = { ranks: 1, under: FEW };
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** Once with plenty, so that all that is loaded on first use is. */
async function warmUp(t: Tools): Promise<void> {
  await (await World.join()).close();
  await (await t.join({ name: `${t.joinOptions.name}-warm` })).close();
}

eachDriver((driver) => {
  processTest('1. a world of one rank', alone, async (t) => {
    await warmUp(t);
    const before = openDescriptors().size;
    const needed = await untilEnough(async () => (await World.join()).close());
    assert.ok(needed > 3);
    assert.equal(openDescriptors().size, before);
  });

  processTest('2. a world that this process names, and collects the ranks of', alone, async (t) => {
    await warmUp(t);
    await untilEnough(async (left) => (await t.join({ name: `${t.joinOptions.name}-${left}` })).close());
  });

  // Whichever of the two collects the ranks. As soon as one has failed there are descriptors again, and they get through.
  processTest('3. a rank that has few, in a world with one that has many', { under: [FEW] }, async (t) => {
    const world = await t.join();
    const peer = 1 - t.rank;
    await warmUp(t);
    const enter = async (left: number): Promise<void> => {
      const next = await t.join({ name: `${t.joinOptions.name}-${left}` });
      await meet(next);
      await next.close();
    };
    const insist = async (left: number, onFailure: () => void): Promise<void> => {
      for (let entered = false; !entered; ) {
        await enter(left).then(
          () => {
            entered = true;
          },
          (error) => {
            // Or the other was in the world already, and then had none for its event loop.
            if ((error as { code?: string }).code !== 'ERR_UINTR_PEER_EXITED') assertNamesShortage(error);
            onFailure();
          },
        );
      }
    };
    const over = 0xffffffff;
    const hoard = new Hoard();
    for (let left = 0, enough = false; ; left += 1) {
      if (t.rank === 0) {
        await world.send(Uint32Array.of(enough ? over : left), { dest: peer, tag: 1 });
        if (enough) break;
        hoard.take();
        hoard.give(left);
        enough = true;
        const scarce = (): void => {
          enough = false;
          hoard.give();
        };
        const told = world.irecv({ source: peer, tag: 2 });
        void told.then(({ byteLength }) => byteLength > 0 && scarce());
        await insist(left, scarce);
        hoard.give();
        // It says one byte whenever it fails, and none when it is in.
        for (let last = await told; last.byteLength > 0; ) last = await world.recv({ source: peer, tag: 2 });
      } else {
        const { data } = await world.recv({ source: peer, tag: 1 });
        if (new Uint32Array(data.slice().buffer)[0] === over) break;
        await insist(left, () => void world.send(Uint8Array.of(1), { dest: peer, tag: 2 }));
        await world.send(new Uint8Array(0), { dest: peer, tag: 2 });
      }
    }
    await world.close();
  });

  if (driver === 'poll') return;
  processTest('4. a doorbell', alone, async () => {
    await untilEnough(async () => {
      const receiver = registerHandler(() => {}, { driver });
      let fd = -1;
      try {
        fd = receiver.createFd(3);
        const sender = registerSender(fd);
        sender.send();
        sender.close();
      } finally {
        if (fd >= 0) closeSync(fd);
        receiver.close();
        await turn();
      }
    });
  });
});

for (const kind of ['process', 'thread'] as const) {
  processTest(`5. World.spawn (${kind})`, alone, async (t) => {
    await warmUp(t);
    const child = join(__dirname, 'fixtures', 'child.js');
    // A worker that Node cannot start keeps a descriptor.
    const tidy = kind === 'process';
    await untilEnough(async () => (await World.spawn(child, { ranks: 1, kind, execArgv: [] })).close(), tidy);
  });
}

processTest(
  '6. a member of an elastic world that has none left tells so to a rank that comes back, and lets it in later',
  { under: [FEW], join: { rejoin: true } },
  async (t) => {
    const control = await t.join({ name: `${t.joinOptions.name}-control`, rejoin: false });
    const peer = 1 - t.rank;
    const world = await t.join();
    if (t.rank === 0) {
      const hoard = new Hoard();
      hoard.take();
      await meet(control);
      await meet(control);
      hoard.give();
      await meet(control);
      while (!world.isAlive(peer)) await turn();
      await world.recv({ source: peer });
      await meet(control);
      await world.close();
    } else {
      await meet(control);
      await world.close();
      await assert.rejects(t.join(), (error) => {
        assertNamesShortage(error);
        return true;
      });
      await meet(control);
      await meet(control);
      const back = await t.join();
      await back.send(new Uint8Array(8), { dest: peer });
      await meet(control);
      await back.close();
    }
    await control.close();
  },
);
