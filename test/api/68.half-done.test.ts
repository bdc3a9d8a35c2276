// Ranks that end in the middle: with services open, objects half sent, communicators half made.
import { strict as assert } from 'node:assert';
import { existsSync, unlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Request, World } from '../../lib/index.js';
import { coded, peerExited } from '../helpers/errors.js';
import { processTest, rankTest } from '../helpers/rank-test.js';
import { nextPeerExit } from '../helpers/worlds.js';

const NOTHING = new Uint8Array(0);
const LARGE = 3_000_000;
const SERVICE = 5;

/** Computes, without a call into the package but that, until the rank has ended. */
function computeUntilGone(world: World, rank: number): void {
  while (world.isAlive(rank));
}

/** What was sent of this kind, or what announces it, has been received; large parts of it have not. */
async function begunToArrive(world: World, purpose: 'objects' | 'services'): Promise<void> {
  const announced = (): boolean =>
    world.inspect().requests.some((one) => one.kind === 'send' && one.purpose === purpose && one.byteLength < LARGE);
  assert.ok(announced());
  while (announced()) await new Promise((resolve) => setImmediate(resolve));
}

describe('process.exit()', () => {
  processTest(
    '1. in the middle of a request leaves the service to the others',
    { ranks: 3, exits: [0, 3, 0] },
    async (t) => {
      const world = await t.join();
      if (t.rank === 0) {
        const server = world.serve(SERVICE, ({ length }: Uint8Array) => length);
        await world.send(NOTHING, { dest: 1 });
        // The handler of interrupts takes what announces the request; the rest it leaves to the event loop.
        computeUntilGone(world, 1);
        await world.send(NOTHING, { dest: 2 });
        await world.recv({ source: 2 });
        await server.close();
      } else if (t.rank === 1) {
        await world.recv({ source: 0 });
        world.request(0, SERVICE, new Uint8Array(LARGE)).catch(() => {});
        await begunToArrive(world, 'services');
        process.exit(3);
      } else {
        await world.recv({ source: 0 });
        assert.equal(await world.request(0, SERVICE, new Uint8Array(10)), 10);
        await world.send(NOTHING, { dest: 0 });
      }
      await world.close();
    },
  );

  processTest(
    '2. in the middle of an object fails its receive, and no other',
    { ranks: 3, exits: [0, 3, 0] },
    async (t) => {
      const world = await t.join();
      if (t.rank === 0) {
        const half = world.irecvObject({ source: 1 });
        await world.send(NOTHING, { dest: 1 });
        computeUntilGone(world, 1);
        await assert.rejects(async () => half, peerExited(1, 'exited'));
        const any = world.irecvObject();
        await world.send(NOTHING, { dest: 2 });
        assert.equal((await any).value, 'whole');
      } else if (t.rank === 1) {
        await world.recv({ source: 0 });
        world.isendObject(new Uint8Array(LARGE), { dest: 0 });
        await begunToArrive(world, 'objects');
        process.exit(3);
      } else {
        await world.recv({ source: 0 });
        await world.sendObject('whole', { dest: 0 });
      }
      await world.close();
    },
  );

  processTest('3. with an open service fails what it was asked, and what it asked', { exits: [0, 3] }, async (t) => {
    const world = await t.join();
    if (t.rank === 1) {
      world.serve(SERVICE, async () => {
        world.request(0, SERVICE, 'back').catch(() => {});
        await world.recv({ source: 0 });
        process.exit(3);
      });
      return new Promise(() => {});
    }
    let aborted: unknown;
    const asked = new Promise<void>((resolve) => {
      world.serve(SERVICE, async (_, _from, signal) => {
        await world.send(NOTHING, { dest: 1 });
        await new Promise<void>((over) => signal.addEventListener('abort', () => over()));
        aborted = signal.reason;
        resolve();
      });
    });
    const requests = Array.from({ length: 3 }, () => world.request(1, SERVICE, new Uint8Array(LARGE)));
    for (const request of requests) await assert.rejects(request, peerExited(1, 'exited'));
    await asked;
    peerExited(1, 'exited')(aborted);
    return world.close();
  });

  for (const culprit of [0, 1, 2]) {
    processTest(
      `4. of rank ${culprit} with a dup under way rejects everybody's`,
      { ranks: 4, exits: [0, 1, 2, 3].map((rank) => (rank === culprit ? 3 : 0)) },
      async (t) => {
        const world = await t.join();
        // All are in: whoever collects them may be the one that ends.
        await world.barrier();
        if (t.rank === culprit) {
          void world.dup();
          void world.split(0);
          process.exit(3);
        }
        // Others may have called before that one is gone.
        if (t.rank === 0 || t.rank === 3) await nextPeerExit(world);
        const calls = [world.dup(), world.split(0)];
        await Promise.all(calls.map((call) => assert.rejects(call, peerExited(culprit, 'exited'))));
        await world.close();
      },
    );
  }
});

describe('a freed communicator', () => {
  rankTest(
    '5. takes what is sent to it, though it was freed when no request was left',
    { join: { maxRequests: 64 } },
    async (world) => {
      const comm = await world.dup();
      if (world.rank === 0) {
        await comm.ssend(NOTHING, { dest: 1 });
        await comm.ssend(new Uint8Array(LARGE), { dest: 1 });
        comm.free();
        await world.ssend(NOTHING, { dest: 1 });
      } else {
        await comm.recv({ source: 0 });
        const others: Request<unknown>[] = [];
        assert.throws(() => {
          for (;;) others.push(world.irecv(NOTHING, { source: 1, tag: 9 }));
        }, coded('ERR_UINTR_NO_MEMORY'));
        comm.free();
        for (const request of others) request.cancel();
        await world.recv({ source: 0 });
      }
    },
  );

  rankTest(
    '6. takes what is sent to it, though the requests that were left had still to tell another rank of their end',
    { join: { maxRequests: 512 }, env: { UINTR_DRIVER: 'poll' } },
    async (world, t) => {
      // More than a rank can be told while it does not look.
      const many = 450;
      const file = join(tmpdir(), `${t.joinOptions.name}-go`);
      const comm = await world.dup();
      if (world.rank === 0) {
        const last = world.irecv(NOTHING, { source: 1, tag: 5 });
        await world.send(NOTHING, { dest: 1 });
        await Promise.all(Array.from({ length: many }, () => world.irecv(NOTHING, { source: 1, tag: 3 })));
        const others: Request<unknown>[] = [];
        assert.throws(() => {
          for (;;) others.push(world.irecv(NOTHING, { source: 1, tag: 9 }));
        }, coded('ERR_UINTR_NO_MEMORY'));
        assert.ok(others.length < 400);
        comm.free();
        writeFileSync(file, '');
        await last;
      } else {
        await world.recv({ source: 0 });
        const sends = Array.from({ length: many }, () => world.issend(NOTHING, { dest: 0, tag: 3 }));
        while (!existsSync(file));
        unlinkSync(file);
        await Promise.all(sends);
        await comm.ssend(NOTHING, { dest: 0 });
        await world.send(NOTHING, { dest: 0, tag: 5 });
        comm.free();
      }
    },
  );

  rankTest('7. fails an object of which more is to come than was asked for', 2, async (world) => {
    const comm = await world.dup();
    if (world.rank === 0) {
      const object = Array.from({ length: 200 }, () => new Uint8Array(20_000));
      const sent = comm.isendObject(object, { dest: 1 });
      await world.send(NOTHING, { dest: 1 });
      await sent;
    } else {
      await world.recv(NOTHING, { source: 0 });
      const received = comm.irecvObject();
      // Its first message is matched, and the others have not been asked for.
      comm.free();
      await assert.rejects(async () => received, coded('ERR_UINTR_CLOSED', 'freed'));
    }
    comm.free();
  });

  processTest('8. finishes a send to itself, though everybody else is gone', { exits: [0, 0] }, async (t) => {
    const world = await t.join();
    const comm = await world.dup();
    if (t.rank === 1) return world.close();
    await nextPeerExit(world);
    const sent = comm.issend(NOTHING, { dest: 0 });
    comm.free();
    await sent;
    return world.close();
  });
});

rankTest(
  '9. a probe from any rank hears of the last of a communicator, whoever hears of it first',
  3,
  async (world) => {
    const comm = await world.split(world.rank < 2 ? 0 : undefined);
    if (world.rank === 0) {
      const probe = comm!.probe({ tag: 3 });
      const other = world.irecv(NOTHING, { source: 2, tag: 3 });
      await world.send(NOTHING, { dest: 1 });
      computeUntilGone(world, 1);
      // Finds that the rank is gone, and tells nobody; what is told next is something else.
      assert.equal(world.improbe({ tag: 4 }), null);
      other.cancel();
      await assert.rejects(probe, peerExited(1, 'closed'));
      await world.send(NOTHING, { dest: 2 });
    } else if (world.rank === 1) {
      await world.recv({ source: 0 });
    } else {
      await world.recv({ source: 0 });
    }
  },
);

processTest(
  '10. the death of rank 0 harms nobody who has no request left',
  { ranks: 3, exits: ['SIGKILL', 0, 0] },
  async (t) => {
    const world = await t.join({ maxRequests: 64 });
    const comm = await world.dup();
    const requests: Request<unknown>[] = [];
    if (t.rank === 0) {
      for (const source of [1, 2]) await world.recv({ source });
      process.kill(process.pid, 'SIGKILL');
    }
    const peer = 3 - t.rank;
    assert.throws(() => {
      for (;;) requests.push(comm.irecv(NOTHING, { source: peer, tag: 9 }));
    }, coded('ERR_UINTR_NO_MEMORY'));
    await world.send(NOTHING, { dest: 0 });
    assert.deepEqual(await nextPeerExit(world), { rank: 0, cause: 'killed' });
    for (const request of requests) request.cancel();
    await comm.sendrecv(NOTHING, NOTHING, { dest: peer });
    await world.close();
  },
);
