// A program that takes over, later, the signal that its ranks are interrupted by: nobody is killed, messages arrive,
// and the world polls from then on. Of the signals that may be chosen, SIGIO ends a process that does not handle it.
import { strict as assert } from 'node:assert';
import { once } from 'node:events';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import type { World } from '../../lib/index.js';
import { assertPattern, pattern } from '../helpers/pattern.js';
import { handles } from '../helpers/proc.js';
import { rankTest, type Tools } from '../helpers/rank-test.js';
import { compute } from '../helpers/work.js';
import { meet } from '../helpers/worlds.js';

const MiB = 2 ** 20;
const SIGNAL = 'SIGIO';
const env = { UINTR_DRIVER: 'signal', UINTR_SIGNAL: SIGNAL };
/** Long enough, as a rule, for a peer to see this rank computing and to interrupt it. */
const A_WHILE = 20_000;

/** The other rank's part: large messages, each when it is asked for. */
async function sendsWhenAsked(world: World, rounds: number, dest = 0): Promise<void> {
  for (let i = 0; i < rounds; i += 1) {
    const into = new Uint8Array(MiB);
    const received = world.irecv(into, { source: dest, tag: i });
    await world.recv({ source: dest, tag: 1_000 });
    await world.send(pattern(i, MiB), { dest, tag: i });
    await received;
    assertPattern(into, i);
  }
}

/** Messages both ways, for which the other interrupts this rank while it computes. */
async function talksWhileItComputes(world: World, round: number): Promise<void> {
  const into = new Uint8Array(MiB);
  const received = world.irecv(into, { source: 1, tag: round });
  const sent = world.isend(pattern(round, MiB), { dest: 1, tag: round });
  await world.send(new Uint8Array(0), { dest: 1, tag: 1_000 });
  compute(A_WHILE);
  await Promise.all([received, sent]);
  assertPattern(into, round);
}

function warnings(): string[] {
  const codes: string[] = [];
  process.on('warning', (warning) => codes.push((warning as { code?: string }).code ?? warning.message));
  return codes;
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('a listener for the signal', () => {
  rankTest('1. is noticed before it could be removed again, with one warning', { env }, async (world) => {
    const told = warnings();
    await meet(world);
    for (let i = 0; i < 3; i += 1) await turn();
    if (world.rank === 0) {
      assert.equal(world.driver, 'signal');
      process.on(SIGNAL, () => {});
      world.progress();
      assert.equal(world.driver, 'poll');
      await turn();
      assert.deepEqual(told, ['UINTR_SIGNAL_TAKEN']);
    }
    await meet(world);
  });

  rankTest('2. gets the signals that the program sends', { env, ranks: 1 }, async () => {
    const heard = once(process, SIGNAL);
    process.kill(process.pid, SIGNAL);
    assert.equal((await heard)[0], SIGNAL);
  });

  const ROUNDS = 20;
  rankTest('3. that comes and goes lets peers neither kill the rank nor wait for it', { env }, async (world) => {
    if (world.rank === 1) return sendsWhenAsked(world, ROUNDS);
    for (let round = 0; round < ROUNDS; round += 1) {
      const listener = (): void => {};
      process.on(SIGNAL, listener);
      await talksWhileItComputes(world, round);
      process.off(SIGNAL, listener);
      assert.ok(handles(SIGNAL), 'the signal has its default action, which is to end the process');
      compute(A_WHILE);
    }
    return undefined;
  });

  rankTest('4. that is there for one interrupt only does no harm either', { env }, async (world) => {
    if (world.rank === 1) return sendsWhenAsked(world, 1);
    const into = new Uint8Array(MiB);
    const received = world.irecv(into, { source: 1, tag: 0 });
    const sent = world.isend(pattern(0, MiB), { dest: 1, tag: 0 });
    await world.send(new Uint8Array(0), { dest: 1, tag: 1_000 });
    for (let i = 0; i < 1_000; i += 1) {
      const listener = (): void => {};
      process.once(SIGNAL, listener);
      process.off(SIGNAL, listener);
      assert.ok(handles(SIGNAL));
    }
    await Promise.all([received, sent]);
    assertPattern(into, 0);
    return undefined;
  });

  rankTest('5. for another signal changes nothing', { env }, async (world) => {
    if (world.rank === 1) return sendsWhenAsked(world, 1);
    process.on('SIGPWR', () => {});
    await talksWhileItComputes(world, 0);
    assert.equal(world.driver, 'signal');
    return undefined;
  });
});

describe('several worlds of one process', () => {
  const another = (t: Tools, which: string): Promise<World> => t.join({ name: `${t.joinOptions.name}-${which}` });

  rankTest('6. all notice, and what is closed leaves no listener behind', { env }, async (world, t) => {
    const listeners = (): number[] => ['newListener', 'removeListener'].map((event) => process.listenerCount(event));
    const during = listeners();
    const others = [await another(t, 'a'), await another(t, 'b')];
    assert.deepEqual(listeners(), during);
    await others[0]!.close();
    assert.deepEqual(listeners(), during);
    process.on(SIGNAL, () => {});
    for (const one of [world, others[1]!]) {
      one.progress();
      assert.equal(one.driver, 'poll');
    }
    await Promise.all([world.close(), others[1]!.close()]);
    assert.ok(process.listenerCount('newListener') < during[0]!);
  });

  rankTest('7. after all are closed the signal is free for the next', { env }, async (world, t) => {
    const told = warnings();
    const listener = (): void => {};
    process.on(SIGNAL, listener);
    process.off(SIGNAL, listener);
    await world.close();
    assert.ok(handles(SIGNAL), 'a late interrupt would kill');
    const next = await another(t, 'next');
    assert.equal(next.driver, 'signal');
    await meet(next);
    await next.close();
    // Nor does the program, which has the signal to itself now, miss any.
    const heard = once(process, SIGNAL);
    process.kill(process.pid, SIGNAL);
    await heard;
    await turn();
    assert.deepEqual(told, ['UINTR_SIGNAL_TAKEN']);
  });
});

describe('a worker that is a rank', () => {
  const ROUNDS = 10;
  const [, OTHER, WORKER] = [0, 1, 2];

  rankTest(
    '8. is not killed either when the main thread takes the signal and gives it back, and polls',
    { env },
    async (world, t) => {
      const join3 = { name: `${t.joinOptions.name}-three`, size: 3 };
      if (t.rank === OTHER) {
        const three = await t.join({ ...join3, rank: OTHER });
        await sendsWhenAsked(three, ROUNDS, WORKER);
        return three.close();
      }
      const data = { ...join3, rank: WORKER, rounds: ROUNDS };
      const worker = new Worker(join(__dirname, 'fixtures', 'worker-interrupted.js'), { workerData: data });
      const ended = once(worker, 'exit');
      const three = await t.join({ ...join3, rank: 0 });
      for (let round = 0; round < ROUNDS; round += 1) {
        await three.recv({ source: WORKER });
        const listener = (): void => {};
        process.on(SIGNAL, listener);
        process.off(SIGNAL, listener);
        assert.ok(handles(SIGNAL));
      }
      assert.deepEqual(await ended, [0]);
      await three.close();
      return world.rank;
    },
  );
});
