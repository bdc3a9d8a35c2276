// Killing a rank at any moment leaves the others able to go on and to end, and leaves nothing behind.
import { strict as assert } from 'node:assert';
import type { World } from '../../lib/index.js';
import { coded } from '../helpers/errors.js';
import { eachDriver } from '../helpers/matrix.js';
import { assertPattern, pattern } from '../helpers/pattern.js';
import { mappedFiles, openDescriptors, processesWith } from '../helpers/proc.js';
import { processTest, rankTest, type Tools } from '../helpers/rank-test.js';
import { compute } from '../helpers/work.js';

const gone = coded('ERR_UINTR_PEER_EXITED');
const MOMENTS = [0, 10, 30, 100, 200, 400, 800, 1_600, 3_000, 6_000, 12_000];
const [SURVIVOR, VICTIM, KILLER] = [0, 1, 2];

/** Messages of all sizes to and fro, until the peer is gone. */
async function talkUntilGone(world: World, peer: number, blocking: boolean): Promise<void> {
  for (let i = 0; ; i += 1) {
    const size = [8, 3_000, 40_000, 700_000, 3_000_000][i % 5]!;
    const into = new Uint8Array(size);
    const received = world.irecv(into, { source: peer });
    const sent = world.isend(pattern(i, size), { dest: peer });
    if (blocking) {
      received.wait();
      sent.wait();
    } else {
      await received;
      await sent;
    }
    assertPattern(into, i);
  }
}

/** The survivor and the killer, which goes on with it, exchange what has to arrive. */
async function talk(world: World, peer: number): Promise<void> {
  for (let i = 0; i < 20; i += 1) {
    const into = new Uint8Array(i * 20_000);
    const received = world.irecv(into, { source: peer, tag: 2 });
    await world.send(pattern(i, into.length), { dest: peer, tag: 2 });
    await received;
    assertPattern(into, i);
  }
}

const killedAfter = (moment: number, blocking: boolean) => async (t: Tools) => {
  const world = await t.join();
  if (t.rank === VICTIM) {
    await world.send(Uint32Array.of(process.pid), { dest: KILLER });
    await talkUntilGone(world, SURVIVOR, blocking);
  } else if (t.rank === SURVIVOR) {
    await assert.rejects(talkUntilGone(world, VICTIM, blocking), gone);
    t.note('the victim is gone, talking to the killer');
    await talk(world, KILLER);
  } else {
    const pid = new Uint32Array(1);
    await world.recv(pid, { source: VICTIM });
    compute(moment);
    process.kill(pid[0]!, 'SIGKILL');
    await talk(world, SURVIVOR);
  }
  await world.close();
};

eachDriver(() => {
  for (const blocking of [false, true]) {
    for (const moment of MOMENTS) {
      const how = blocking ? 'while the survivor sits in wait()' : 'while the survivor awaits';
      processTest(
        `1. after ${moment} units of work, ${how}`,
        { ranks: 3, exits: [0, 'SIGKILL', 0] },
        killedAfter(moment, blocking),
      );
    }
  }

  processTest('2. killed while it computes, and the survivor sends', { exits: [0, 'SIGKILL'] }, async (t) => {
    const world = await t.join();
    if (t.rank === 1) {
      world.irecv(new Uint8Array(4_000_000), { source: 0 });
      await world.send(Uint32Array.of(process.pid), { dest: 0 });
      for (;;) compute(1_000);
    }
    const pid = new Uint32Array(1);
    await world.recv(pid, { source: 1 });
    const requests = Array.from({ length: 100 }, (_, i) => world.isend(new Uint8Array(i * 10_000), { dest: 1 }));
    process.kill(pid[0]!, 'SIGKILL');
    for (const request of requests) await request.catch(gone);
    await assert.rejects(world.recv({ source: 1 }), gone);
    await world.close();
  });

  processTest(
    '3. killed while it is joining: the others fail to join within joinTimeout, or see it gone',
    {
      ranks: 2,
      exits: [0, 'SIGKILL'],
    },
    async (t) => {
      if (t.rank === 1) {
        void t.join().catch(() => {});
        setImmediate(() => process.kill(process.pid, 'SIGKILL'));
        return;
      }
      try {
        const world = await t.join({ joinTimeout: 2_000 });
        await assert.rejects(world.recv({ source: 1 }), gone);
        await world.close();
      } catch (error) {
        coded('ERR_UINTR_JOIN')(error);
      }
    },
  );

  processTest(
    '4. of several at once is seen by those who are left',
    { ranks: 4, exits: [0, 'SIGKILL', 'SIGKILL', 'SIGKILL'] },
    async (t) => {
      const world = await t.join();
      if (t.rank > 0) {
        await world.recv({ source: 0 });
        process.kill(process.pid, 'SIGKILL');
      }
      const exits: number[] = [];
      world.on('peer-exit', ({ rank }) => exits.push(rank));
      const receives = [1, 2, 3].map((source) => world.irecv({ source }));
      await Promise.all([1, 2, 3].map((dest) => world.send(new Uint8Array(0), { dest })));
      for (const request of receives) await assert.rejects(async () => request, gone);
      await world.close();
      assert.deepEqual(exits.sort(), [1, 2, 3]);
    },
  );
});

describe('a killed world', () => {
  processTest(
    '5. has had no name in shared memory, and leaves no process',
    {
      ranks: 3,
      exits: ['SIGKILL', 'SIGKILL', 'SIGKILL'],
      env: { KILLED_WORLD: `${process.ppid}-${process.pid}` },
    },
    async (t) => {
      const world = await t.join();
      const sends = [0, 1, 2].map((dest) => world.isend(new Uint8Array(200_000), { dest }));
      for (const source of [0, 1, 2]) await world.recv({ source });
      // Whoever dies first takes what nobody has fetched from it along.
      await Promise.all(sends);
      const names = [...mappedFiles(), ...openDescriptors().values()];
      assert.deepEqual(
        names.filter((name) => name.startsWith('/dev/shm')),
        [],
      );
      process.kill(process.pid, 'SIGKILL');
    },
    () => expect(processesWith(`KILLED_WORLD=${process.ppid}-${process.pid}`)).toEqual([]),
  );

  rankTest('6. leaves a name that can be used again', 1, async (world, t) => {
    // The ranks below are children of this one: their world has died when the next is made, under the same name.
    const { execFileSync, spawnSync } = await import('node:child_process');
    const { PACKAGE, uniqueName } = await import('../helpers/paths.js');
    const name = uniqueName();
    const program = (end: string): string[] => [
      '-e',
      `require(${JSON.stringify(PACKAGE)}).World.join({ name: ${JSON.stringify(name)}, size: 1 }).then((world) => {
        console.log(world.rank);
        ${end}
      })`,
    ];
    for (let i = 0; i < 3; i += 1) {
      t.note(`world ${i} of the name`);
      const { signal } = spawnSync(process.execPath, program("process.kill(process.pid, 'SIGKILL')"));
      assert.equal(signal, 'SIGKILL');
    }
    assert.equal(execFileSync(process.execPath, program('return world.close();'), { encoding: 'utf8' }).trim(), '0');
    assert.equal(world.size, 1);
  });

  processTest('7. leaves the survivor no descriptor of the dead', { exits: [0, 'SIGKILL'] }, async (t) => {
    const world = await t.join();
    if (t.rank === 1) {
      await world.recv({ source: 0 });
      process.kill(process.pid, 'SIGKILL');
    }
    const count = (): number => openDescriptors().size;
    const before = count();
    const left = world.irecv({ source: 1 });
    await world.send(new Uint8Array(1), { dest: 1 });
    await assert.rejects(async () => left, gone);
    assert.ok(count() <= before);
    await world.close();
    assert.ok(count() < before);
  });
});
