// Elastic worlds: what is under way when a rank dies and comes back has an end, and leaves nothing behind.
import { strict as assert } from 'node:assert';
import { subscribe } from 'node:diagnostics_channel';
import { existsSync, unlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join as pathOf } from 'node:path';
import type { Request } from '../../lib/index.js';
import { coded } from '../helpers/errors.js';
import { again, die, LIFE, returned } from '../helpers/lives.js';
import { eachDriver } from '../helpers/matrix.js';
import { assertPattern, pattern } from '../helpers/pattern.js';
import { rankTest } from '../helpers/rank-test.js';
import { allMeet, meet, nothingLeft } from '../helpers/worlds.js';

const NOTHING = new Uint8Array(0);
const gone = coded('ERR_UINTR_PEER_EXITED');
const revoked = coded('ERR_UINTR_REVOKED', 'has come back');
const join = { rejoin: true };
const SERVICE = 5;

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

eachDriver(() => {
  rankTest(
    '1. a request is not given up for the end of a life before, of which the program is told later',
    { join, exits: [0, 'SIGKILL', 0], during: again(1) },
    async (world) => {
      if (world.rank === 1) {
        if (LIFE === 0) die();
        assert.equal(await world.request(0, SERVICE, ''), 'wanted');
        return;
      }
      const told: string[] = [];
      world.on('peer-exit', () => told.push('exit'));
      const server = world.serve(SERVICE, async (_, __, signal) => {
        told.push('asked');
        while (!told.includes('exit')) await turn();
        await turn();
        told.push('answered');
        return signal.aborted ? 'aborted' : 'wanted';
      });
      // A computation that looks after messages, in which the rank dies, comes back, and asks.
      while (server.inFlight === 0) world.progress();
      assert.equal(world.incarnation(1), 1);
      while (server.inFlight > 0) await turn();
      assert.deepEqual(told, ['asked', 'exit', 'answered']);
      await server.close();
    },
  );

  rankTest(
    '2. an object whose rest could not be asked for yet fails, and takes nothing of the life after',
    { join: { ...join, maxRequests: 64 }, exits: [0, 'SIGKILL', 0], during: again(1) },
    async (world) => {
      const large = (seed: number): Uint8Array[] => [pattern(seed, 300_000), pattern(seed + 1, 300_000)];
      if (world.rank === 1) {
        world.isendObject(large(LIFE), { dest: 0, tag: 1 });
        if (LIFE === 1) return world.recv(NOTHING, { source: 0, tag: 2 });
        await world.recv(NOTHING, { source: 0, tag: 2 });
        die();
      }
      const others: Request<unknown>[] = [];
      const fill = (): void => {
        try {
          for (;;) others.push(world.irecv(NOTHING, { source: 0, tag: 9 }));
        } catch (error) {
          coded('ERR_UINTR_NO_MEMORY')(error);
        }
      };
      const first = world.irecvObject({ source: 1 });
      let begun = false;
      // The first message of the object gives its request back, and the others have not been asked for yet.
      subscribe('uintr:settle', () => {
        if (begun) return;
        begun = true;
        fill();
      });
      fill();
      while (!begun) world.progress();
      assert.equal(world.inspect().unexpectedRendezvous, 2);
      world.isend(NOTHING, { dest: 1, tag: 2 });
      await returned(world, 1, 1);
      for (const request of others) request.cancel();
      await assert.rejects(async () => first, gone);
      const { value } = await world.recvObject({ source: 1 });
      for (const [i, part] of (value as Uint8Array[]).entries()) assertPattern(part, 1 + i);
      await nothingLeft(world);
      return world.send(NOTHING, { dest: 1, tag: 2 });
    },
  );

  rankTest(
    '3. what is still sent in a revoked communicator keeps no room',
    {
      ranks: 3,
      join: { ...join, unexpectedBytes: 16 * 1024, eagerLimit: 1024 },
      exits: [0, 0, 'SIGKILL', 0],
      during: again(2),
    },
    async (world, t) => {
      if (LIFE === 1) {
        await world.recv(NOTHING, { source: 1 });
        return;
      }
      const comm = await world.dup();
      const file = pathOf(tmpdir(), `${t.joinOptions.name}-revoked`);
      if (t.rank === 2) {
        await world.barrier();
        die();
      }
      await world.barrier();
      const data = new Uint8Array(1000);
      if (t.rank === 1) {
        // Answers who comes back, and computes meanwhile, so that rank 0 has let it in before this one does.
        while (!existsSync(file)) {
          world.progress();
          for (const end = performance.now() + 100; performance.now() < end && !existsSync(file); );
        }
        unlinkSync(file);
        // If it does not compute for long enough, rank 0 gets nothing to throw away.
        const late = world.incarnation(2) === 0;
        const sent = late ? Array.from({ length: 40 }, () => comm.isend(data, { dest: 0 })) : [];
        await world.send(NOTHING, { dest: 0, tag: 1 });
        await returned(world, 2, 1);
        for (const request of sent) await request.catch(revoked);
        await meet(world, 0);
        // As many as there is room for are done at once.
        const others = Array.from({ length: 8 }, () => world.isend(data, { dest: 0 }));
        assert.deepEqual(
          others.map((request) => request.done),
          others.map(() => true),
        );
        await meet(world, 0);
        await world.send(NOTHING, { dest: 2 });
        return;
      }
      await returned(world, 2, 1);
      await turn();
      writeFileSync(file, '');
      await world.recv(NOTHING, { source: 1, tag: 1 });
      await nothingLeft(world);
      await meet(world, 1);
      await meet(world, 1);
      for (let i = 0; i < 8; i += 1) await world.recv(data, { source: 1 });
      await nothingLeft(world);
    },
  );

  rankTest(
    '4. of a communicator that was freed, whose rank 0 came back, nothing is left',
    { ranks: 3, join, exits: ['SIGKILL', 0, 0, 0], during: again(0) },
    async (world, t) => {
      if (LIFE === 0) {
        const comms = [await world.dup(), await world.dup()];
        await world.barrier();
        if (t.rank === 0) die();
        for (const comm of comms) comm.free();
        assert.ok(world.inspect().requests.length > 0);
      }
      await returned(world, 0, 1);
      await nothingLeft(world);
      await allMeet(world);
    },
  );

  for (const how of ['done', 'test()']) {
    rankTest(
      `5. a loop on ${how} lets a rank in, after what others had sent before`,
      { ranks: 3, join, exits: [0, 0, 'SIGKILL', 0], during: again(2) },
      async (world, t) => {
        if (LIFE === 1) return world.send(NOTHING, { dest: 1 });
        const comm = await world.dup();
        if (t.rank === 2) {
          await world.recv(NOTHING, { source: 1 });
          die();
        }
        if (t.rank === 1) {
          await comm.send(pattern(1, 1000), { dest: 0 });
          await world.send(NOTHING, { dest: 2 });
          await returned(world, 2, 1);
          // Which it sends when all have let it in.
          await world.recv(NOTHING, { source: 2 });
          return world.send(NOTHING, { dest: 0 });
        }
        const into = new Uint8Array(1000);
        const before = comm.irecv(into, { source: 1 });
        const last = world.irecv(NOTHING, { source: 1 });
        if (how === 'done') while (!last.done);
        else while (last.test() === undefined);
        assert.equal(world.incarnation(2), 1);
        assert.equal(before.wait().byteLength, 1000);
        assertPattern(into, 1);
        return undefined;
      },
    );
  }

  for (const caller of [0, 1]) {
    rankTest(
      `6. a dup of rank ${caller} that ends so leaves no message with who has come back`,
      { ranks: 3, join, exits: [0, 0, 'SIGKILL', 0], during: again(2) },
      async (world, t) => {
        if (LIFE === 0) {
          await world.barrier();
          if (t.rank === 2) {
            await meet(world, caller);
            die();
          }
          if (t.rank === caller) {
            const failed = assert.rejects(world.dup());
            await meet(world, 2);
            // Only then its promise is settled.
            while (world.incarnation(2) === 0) world.progress();
            await failed;
          }
        }
        await returned(world, 2, 1);
        if (t.rank === 2) {
          for (const peer of [0, 1]) await meet(world, peer);
          assert.equal(world.inspect().unexpectedEager, 0);
          for (const dest of [0, 1]) await world.send(NOTHING, { dest });
        } else {
          await meet(world, 2);
          await world.recv(NOTHING, { source: 2 });
        }
        assert.equal(await world.barrier(), true);
      },
    );
  }
});
