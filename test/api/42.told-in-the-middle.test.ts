// Who is told of requests (uintr:request, uintr:settle) is a part of the program, and may use the package there.
import { strict as assert } from 'node:assert';
import { type ChannelListener, subscribe, unsubscribe } from 'node:diagnostics_channel';
import type { Request, World } from '../../lib/index.js';
import { coded } from '../helpers/errors.js';
import { rankTest } from '../helpers/rank-test.js';
import { allMeet, meet, nothingLeft } from '../helpers/worlds.js';

const NOTHING = new Uint8Array(0);
const revoked = coded('ERR_UINTR_REVOKED');

interface Told {
  request: Request<unknown>;
  kind: string;
  error?: unknown;
}

/** Calls `then` when one is told for which `is` holds, once. */
function once(name: string, is: (told: Told) => boolean, then: (told: Told) => void): void {
  const listener: ChannelListener = (payload) => {
    if (!is(payload as Told)) return;
    unsubscribe(name, listener);
    then(payload as Told);
  };
  subscribe(name, listener);
}

const isCollective = ({ kind }: Told): boolean => kind === 'collective';
const isReceive = ({ kind }: Told): boolean => kind === 'receive';
const isAborted = ({ error }: Told): boolean => (error as { code?: string } | undefined)?.code === 'ABORT_ERR';
const isFirst = (): boolean => true;

const others = ({ rank, size }: World): number[] => [...Array(size).keys()].filter((other) => other !== rank);

/** Rank 1 fails in an operation before. */
async function failBefore(world: World): Promise<void> {
  const throws = (): number => {
    throw new Error('not this one');
  };
  await world.recv(NOTHING, { source: 0, tag: 1 });
  await assert.rejects(world.allreduce(Float64Array.of(1), new Float64Array(1), throws), { message: 'not this one' });
  await world.send(NOTHING, { dest: 0, tag: 2 });
  // Its end would end the collective, too.
  await meet(world);
}

/** So that rank 0 has been told of it when this is over. */
function letFail(world: World): void {
  world.isend(NOTHING, { dest: 1, tag: 1 });
  world.irecv(NOTHING, { source: 1, tag: 2 }).wait();
}

describe('who is told of requests', () => {
  rankTest('1. may make progress by which the collective that is being posted fails', 2, async (world) => {
    if (world.rank === 1) return failBefore(world);
    const before = world.iallreduce(Float64Array.of(1), new Float64Array(1), (a, b) => a + b);
    once('uintr:request', isCollective, () => letFail(world));
    await assert.rejects(world.barrier(), revoked);
    await before.catch(revoked);
    return meet(world);
  });

  rankTest('2. may wait for the collective that is being posted, also where it fails', 2, async (world) => {
    if (world.rank === 1) return failBefore(world);
    const before = world.iallreduce(Float64Array.of(1), new Float64Array(1), (a, b) => a + b);
    once('uintr:request', isCollective, ({ request }) => {
      world.isend(NOTHING, { dest: 1, tag: 1 });
      assert.throws(() => request.wait());
    });
    await assert.rejects(world.barrier(), revoked);
    await before.catch(revoked);
    return meet(world);
  });

  rankTest('3. may start a collective, which comes after the one that is being posted', 2, async (world) => {
    await meet(world);
    const inner: Request<Int32Array>[] = [];
    const into = Int32Array.of(world.rank);
    // Whatever is posted first for it.
    once('uintr:request', isFirst, () => inner.push(world.ibcast(into, 1)));
    const sum = await world.allreduce(Float64Array.of(world.rank + 1), new Float64Array(1), 'sum');
    assert.deepEqual([...sum], [3]);
    assert.deepEqual([...(await inner[0]!)], [1]);
    // No receive waits for news of failures where no operation is under way.
    await nothingLeft(world);
    await meet(world);
  });

  rankTest('4. may start others in each step of one that JavaScript advances', 4, async (world) => {
    const inner: Request<unknown>[] = [];
    let inside = false;
    const listener: ChannelListener = () => {
      if (inside || inner.length === 5) return;
      inside = true;
      const [from, into] = [Float64Array.of(world.rank + inner.length), new Float64Array(1)];
      inner.push(world.iallreduce(from, into, (a, b) => a + b));
      world.iprobe();
      inside = false;
    };
    subscribe('uintr:request', listener);
    const all = Array.from({ length: 5 }, () =>
      world.allreduce(Float64Array.of(world.rank), new Float64Array(1), (a, b) => a + b),
    );
    for (const sum of await Promise.all(all)) assert.deepEqual([...sum], [6]);
    unsubscribe('uintr:request', listener);
    assert.equal(inner.length, 5);
    const sums = (await Promise.all(inner)) as Float64Array[];
    assert.deepEqual(
      sums.map(([sum]) => sum),
      [6, 10, 14, 18, 22],
    );
    await nothingLeft(world);
    await allMeet(world);
  });

  rankTest('5. of an end may wait for what has ended with it', 1, (world) => {
    const message = world.irecv(NOTHING, { source: 0, tag: 1 });
    const object = world.irecvObject({ source: 0, tag: 2 });
    let value: unknown;
    const isMessage = ({ request }: Told): boolean => request === message;
    once('uintr:settle', isMessage, () => {
      value = object.wait().value;
    });
    world.isend(NOTHING, { dest: 0, tag: 1 });
    world.isendObject('object', { dest: 0, tag: 2 });
    assert.equal(value, undefined);
    // Takes note of both, of the message first.
    world.progress();
    assert.equal(value, 'object');
  });

  rankTest('6. may wait for the object whose part is being received', 2, async (world) => {
    const bytes = new Uint8Array(300_000).fill(7);
    if (world.rank === 0) {
      await world.recv(NOTHING, { source: 1, tag: 1 });
      await world.sendObject([bytes], { dest: 1, tag: 2 });
    } else {
      const object = world.irecvObject({ source: 0, tag: 2 });
      let waited = false;
      once('uintr:request', isReceive, () => {
        object.wait();
        waited = true;
      });
      world.isend(NOTHING, { dest: 0, tag: 1 });
      assert.deepEqual((await object).value, [bytes]);
      assert.ok(waited);
    }
    await meet(world);
  });

  rankTest('7. may wait for a part of the object that is being sent', 2, async (world) => {
    const bytes = new Uint8Array(300_000).fill(8);
    if (world.rank === 0) {
      once('uintr:request', isFirst, ({ request }) => request.wait());
      await world.sendObject([bytes, bytes.slice()], { dest: 1 });
    } else {
      assert.deepEqual((await world.recvObject({ source: 0 })).value, [bytes, bytes]);
    }
    await meet(world);
  });

  rankTest('8. may wait for the answer to what is being asked', 2, async (world) => {
    if (world.rank === 0) {
      once('uintr:request', isFirst, ({ request }) => request.wait());
      assert.equal(await world.request(1, 5, 20), 21);
      await world.send(NOTHING, { dest: 1 });
    } else {
      const server = world.serve(5, (value: number) => value + 1);
      await world.recv(NOTHING, { source: 0 });
      await server.close();
    }
    await meet(world);
  });

  rankTest('9. may wait for the collective that has just failed, and tells the others', 2, async (world) => {
    await meet(world);
    if (world.rank === 0) {
      const barrier = world.ibarrier();
      let waited = false;
      once('uintr:request', isFirst, () => {
        assert.throws(() => barrier.wait(), coded('ERR_UINTR_MISMATCH'));
        waited = true;
      });
      await assert.rejects(async () => barrier, coded('ERR_UINTR_MISMATCH'));
      assert.ok(waited);
    } else {
      await assert.rejects(world.bcast(new Uint8Array(8), 0), coded('ERR_UINTR_MISMATCH'));
    }
    await meet(world);
  });

  rankTest('10. may start a collective while this rank stops to listen for failures of others', 3, async (world) => {
    const one = Float64Array.of(1);
    const fails = (): number => {
      throw new Error('not this one');
    };
    world.ibarrier().wait();
    // Another rank gives it the result; otherwise it hears nothing more of it.
    if (world.rank === 0) {
      const sum = await new Promise<{ request: Request<unknown> }>((resolve) => {
        once('uintr:settle', isAborted, () => {
          resolve({ request: world.iallreduce(one, new Float64Array(1), (a, b) => a + b) });
        });
      });
      for (const rank of others(world)) await world.send(NOTHING, { dest: rank, tag: 1 });
      await assert.rejects(async () => sum.request, revoked);
    } else {
      await world.recv(NOTHING, { source: 0, tag: 1 });
      await assert.rejects(world.allreduce(one, new Float64Array(1), fails));
    }
    await allMeet(world);
  });
});
