// A flood of messages for what the package receives by itself: services, and communicators that were freed.
import { strict as assert } from 'node:assert';
import { rankTest } from '../helpers/rank-test.js';
import { meet } from '../helpers/worlds.js';

const NOTHING = new Uint8Array(0);
const SERVICE = 5;
const MANY = 3_500;

/** Resolves after so many turns of the event loop. */
async function turns(count: number): Promise<void> {
  for (let i = 0; i < count; i += 1) await new Promise((resolve) => setImmediate(resolve));
}

describe('the event loop has its turns', () => {
  for (const maxInFlight of [1, Number.POSITIVE_INFINITY]) {
    rankTest(
      `1. while a service (maxInFlight ${maxInFlight}) is asked again by each request that it handles`,
      1,
      async (world) => {
        let flood = true;
        let handled = 0;
        const ask = (): Promise<unknown> => world.request(0, SERVICE, 'more').catch(() => {});
        const server = world.serve(
          SERVICE,
          () => {
            handled += 1;
            if (flood) void ask();
          },
          { maxInFlight },
        );
        const first = [ask(), ask(), ask()];
        await turns(20);
        flood = false;
        await Promise.all(first);
        assert.ok(handled > 3);
        await server.close();
      },
    );
  }

  rankTest('2. while each message of a stream brings the next', 1, async (world) => {
    const stream = world.messages({ source: 0 });
    let flood = true;
    void turns(20).then(() => {
      flood = false;
    });
    let read = 0;
    await world.send(NOTHING, { dest: 0 });
    for await (const _ of stream) {
      read += 1;
      if (!flood) break;
      await world.send(NOTHING, { dest: 0 });
    }
    assert.ok(read > 1);
  });
});

describe('thousands that are here already', () => {
  rankTest('3. are all handled, where nothing else wakes the event loop', 2, async (world) => {
    if (world.rank === 0) {
      await meet(world);
      const maxInFlight = Number.POSITIVE_INFINITY;
      const servers = [1, 2].map((step) => world.serve(SERVICE + step, (i: number) => i + step, { maxInFlight }));
      await world.recv(NOTHING, { source: 1 });
      for (const server of servers) await server.close();
    } else {
      // Of two services, each of which leaves the others their turn.
      const asked = [1, 2].map((step) =>
        Array.from({ length: MANY }, (_, i) => world.request<number, number>(0, SERVICE + step, i)),
      );
      await meet(world);
      for (const [at, answers] of asked.entries()) {
        for (const [i, answer] of (await Promise.all(answers)).entries()) assert.equal(answer, i + 1 + at);
      }
      await world.send(NOTHING, { dest: 0 });
    }
  });

  rankTest(
    '4. are taken after free() bit by bit, so that other things have their turn',
    { join: { unexpectedBytes: 4 * 1024 * 1024 } },
    async (world) => {
      const comm = await world.dup();
      if (world.rank === 0) {
        await meet(world);
        const before = world.inspect().unexpectedEager;
        assert.ok(before >= MANY);
        comm.free();
        const after = world.inspect().unexpectedEager;
        assert.ok(after > 0 && after < before, `${after} of ${before}`);
        while (world.inspect().unexpectedEager > 0) await turns(1);
        await world.send(NOTHING, { dest: 1 });
      } else {
        for (let i = 0; i < MANY; i += 1) await comm.send(NOTHING, { dest: 0 });
        await meet(world);
        await world.recv(NOTHING, { source: 0 });
        comm.free();
      }
    },
  );

  for (const how of ['wait()', 'a loop on done']) {
    rankTest(`5. are taken after free() by a rank that sits in ${how}`, 2, async (world) => {
      const comm = await world.dup();
      if (world.rank === 0) {
        await meet(world);
        comm.free();
        const last = world.irecv(NOTHING, { source: 1 });
        if (how === 'wait()') last.wait();
        else while (!last.done);
      } else {
        const small = Array.from({ length: MANY }, () => comm.isend(NOTHING, { dest: 0 }));
        const last = comm.issend(NOTHING, { dest: 0 });
        await meet(world);
        await Promise.all([...small, last]);
        await world.send(NOTHING, { dest: 0 });
        comm.free();
      }
    });
  }
});
