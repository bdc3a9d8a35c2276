// uintr/doorbell: how JavaScript gets to know of rings, from the event loop and by wait().
import { strict as assert } from 'node:assert';
import { once } from 'node:events';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { registerHandler, registerSender } from '../../lib/doorbell.js';
import { computeUntil, eachDoorbell, ended, RingerThread, ringerProcess } from '../helpers/doorbells.js';
import { coded } from '../helpers/errors.js';
import { assertPattern, pattern } from '../helpers/pattern.js';
import { processTest, rankTest } from '../helpers/rank-test.js';
import { compute } from '../helpers/work.js';

const MiB = 2 ** 20;
const timedOut = coded('ERR_UINTR_TIMEOUT', 'wait()');
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

function neverCalled(vectors: bigint): void {
  throw new Error(`called with ${vectors}`);
}

/** Calls, one after another, as they are asked for. */
class Calls {
  readonly all: bigint[] = [];
  #waiting?: () => void;

  readonly listener = (vectors: bigint): void => {
    this.all.push(vectors);
    this.#waiting?.();
  };

  async number(n: number): Promise<void> {
    while (this.all.length < n) {
      await new Promise<void>((resolve) => {
        this.#waiting = resolve;
      });
    }
  }
}

eachDoorbell((driver) => {
  processTest('1. a sleeping event loop calls back, once for each ring in lock step', 1, async () => {
    const calls = new Calls();
    const receiver = registerHandler(calls.listener, { driver });
    const vectors = [3, 62];
    const child = ringerProcess(vectors.map((vector) => receiver.createFd(vector)));
    const expected: bigint[] = [];
    for (let i = 0; i < 40; i += 1) {
      child.stdin!.write(`${i % 2} 1\n`);
      expected.push(1n << BigInt(vectors[i % 2]!));
      await calls.number(i + 1);
    }
    child.stdin!.end();
    await ended(child);
    assert.deepEqual(calls.all, expected);
    assert.deepEqual([receiver.count(3), receiver.count(62)], [20n, 20n]);
    receiver.close();
  });

  processTest('2. what came while JavaScript computed is one call', 1, async () => {
    const calls = new Calls();
    const receiver = registerHandler(calls.listener, { driver });
    const child = ringerProcess(
      [0, 1, 2].map((vector) => receiver.createFd(vector)),
      '0 3\n1 1\n2 2\n',
    );
    for (const vector of [0, 1, 2]) computeUntil(receiver, vector, 1n);
    // The last one's second ring may be on its way.
    await calls.number(1);
    await ended(child);
    for (let i = 0; i < 3; i += 1) await turn();
    assert.equal(calls.all[0], 7n);
    assert.ok(calls.all.length <= 2, `${calls.all}`);
    receiver.close();
  });

  processTest(
    '3. in free run there are at most as many calls as rings, none without a vector, and none is lost',
    1,
    async () => {
      const calls = new Calls();
      const receiver = registerHandler(calls.listener, { driver });
      const vectors = Array.from({ length: 40 }, (_, i) => i);
      const orders = vectors.map((index) => `${index} 100\n`).join('');
      const child = ringerProcess(
        vectors.map((vector) => receiver.createFd(vector)),
        orders,
      );
      const wanted = (1n << 40n) - 1n;
      const seen = (): bigint => calls.all.reduce((all, one) => all | one, 0n);
      while (seen() !== wanted) await calls.number(calls.all.length + 1);
      await ended(child);
      assert.ok(calls.all.length <= 4_000);
      assert.ok(!calls.all.includes(0n));
      receiver.close();
    },
  );

  processTest('4. each ring in lock step ends one wait(), and is not told again', 1, async () => {
    const receiver = registerHandler(neverCalled, { driver });
    const ringer = new RingerThread(receiver.createFd(11));
    for (let i = 1; i <= 300; i += 1) {
      ringer.ring();
      assert.equal(receiver.wait(), 1n << 11n);
      assert.equal(receiver.count(11), BigInt(i));
    }
    await ringer.end();
    for (let i = 0; i < 3; i += 1) await turn();
    receiver.close();
  });

  processTest('5. wait() sleeps until something comes, and gives all of it', 1, async () => {
    const receiver = registerHandler(neverCalled, { driver });
    const fds = [5, 6].map((vector) => receiver.createFd(vector));
    // A process takes its time to start.
    const child = ringerProcess(fds, '0 1\n1 1\n');
    let vectors = 0n;
    while (vectors !== 0x60n) vectors |= receiver.wait(30_000);
    await ended(child);
    receiver.close();
  });

  processTest('6. wait() ends when its time is over, and takes nothing with it', 1, async () => {
    const receiver = registerHandler(neverCalled, { driver });
    const sender = registerSender(receiver.createFd(8));
    for (const limit of [0, 1, 120]) assert.throws(() => receiver.wait(limit), timedOut);
    sender.send();
    computeUntil(receiver, 8, 1n);
    assert.equal(receiver.wait(0), 1n << 8n);
    assert.throws(() => receiver.wait(0), timedOut);
    receiver.close();
  });

  processTest('7. what a callback throws is uncaught, and the next ring is told all the same', 1, async () => {
    const calls = new Calls();
    const receiver = registerHandler(
      (vectors) => {
        calls.listener(vectors);
        if (calls.all.length === 1) throw new Error('as planned');
      },
      { driver },
    );
    const uncaught = once(process, 'uncaughtException');
    const sender = registerSender(receiver.createFd(1));
    sender.send();
    assert.equal(((await uncaught)[0] as Error).message, 'as planned');
    sender.send();
    await calls.number(2);
    receiver.close();
  });

  processTest('8. a callback may ring, wait and close', 1, async () => {
    const told = await new Promise((resolve) => {
      const receiver = registerHandler(
        (vectors) => {
          sender.send();
          const more = receiver.wait();
          receiver.close();
          resolve([vectors, more]);
        },
        { driver },
      );
      const sender = registerSender(receiver.createFd(2));
      sender.send();
    });
    assert.deepEqual(told, [4n, 4n]);
  });

  processTest('9. an open receiver keeps the process alive', 1, async () => {
    const calls = new Calls();
    const receiver = registerHandler(calls.listener, { driver });
    const ringer = new RingerThread(receiver.createFd(0));
    ringer.worker.unref();
    await once(ringer.worker, 'online');
    ringer.ring();
    await calls.number(1);
    receiver.unref().ref();
    ringer.ring();
    await calls.number(2);
    receiver.close();
  });

  processTest('10. one that is unref()ed does not', 1, () => {
    registerHandler(neverCalled, { driver }).unref().createFd(0);
  });

  processTest('11. a worker is rung while it computes, sleeps and waits', 1, async () => {
    const worker = new Worker(join(__dirname, 'fixtures', 'doorbell-worker.js'), { workerData: { driver } });
    const next = async (): Promise<unknown> => (await once(worker, 'message'))[0];
    const sender = registerSender((await next()) as number);
    for (const state of ['computing', 'sleeping', 'waiting']) {
      const ready = next();
      worker.postMessage(state);
      assert.equal(await ready, 'ready');
      const answer = next();
      sender.send();
      assert.deepEqual(await answer, { state, vectors: 1n << 20n });
    }
    await worker.terminate();
  });

  rankTest('12. a world and receivers share a thread', { ranks: 2 }, async (world) => {
    const calls = new Calls();
    const receiver = registerHandler(calls.listener, { driver });
    assert.throws(() => receiver.createFd(63), coded('ERR_UINTR_INVALID_ARGUMENT', 'vector', '63'));
    assert.equal(world.driver, driver);
    const ringer = new RingerThread(receiver.createFd(0));
    for (let round = 1; round <= 30; round += 1) {
      const into = new Uint8Array(MiB);
      const received = world.irecv(into, { source: 1 - world.rank, tag: round });
      const sent = world.isend(pattern(round, MiB), { dest: 1 - world.rank, tag: round });
      ringer.ring();
      computeUntil(receiver, 0, BigInt(round));
      compute(100);
      received.wait();
      sent.wait();
      assertPattern(into, round);
    }
    await calls.number(1);
    await ringer.end();
    assert.equal(receiver.count(0), 30n);
    receiver.close();
    // The world is still interrupted after the receiver has gone.
    const last = world.irecv(new Uint8Array(MiB), { source: 1 - world.rank, tag: 0 });
    await world.send(pattern(0, MiB), { dest: 1 - world.rank, tag: 0 });
    await last;
  });
});
