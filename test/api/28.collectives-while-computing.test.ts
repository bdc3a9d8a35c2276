// Collective operations go on while a rank computes: it takes its part in them without calling into the package, and
// without its event loop.
import { strict as assert } from 'node:assert';
import { Buffer } from 'node:buffer';
import { ANY_SOURCE, type Request, type World } from '../../lib/index.js';
import { eachDriver } from '../helpers/matrix.js';
import { bytesOf } from '../helpers/pattern.js';
import { rankTest } from '../helpers/rank-test.js';
import { computeUntilEqual, computeUntilWritten } from '../helpers/work.js';

const RANKS = 4;
/** Has others behind it in a tree from rank 0. */
const BUSY = 2;
/** Longer than what goes eagerly, which needs nobody's CPU. */
const WORD = 300_000;

const f64 = (length: number, of: (i: number) => number): Float64Array => Float64Array.from({ length }, (_, i) => of(i));

interface Started {
  request: Request<unknown>;
  /** What it writes on the busy rank, if anything; and what has to be in it. */
  into?: Float64Array;
  expected?: Float64Array;
}

type Start = (world: World, length: number) => Started;

const OPERATIONS: Record<string, Start> = {
  ibarrier: (world) => ({ request: world.ibarrier() }),
  ibcast: (world, length) => {
    const expected = f64(length, (i) => i + 0.5);
    const into = world.rank === 0 ? expected.slice() : new Float64Array(length);
    return { request: world.ibcast(into, 0), into, expected };
  },
  igather: (world, length) => {
    const into = new Float64Array(RANKS * length);
    const request = world.igather(
      f64(length, (i) => world.rank + i),
      into,
      0,
    );
    return world.rank === 0
      ? { request, into, expected: f64(RANKS * length, (i) => Math.floor(i / length) + (i % length)) }
      : { request };
  },
  iallgather: (world, length) => {
    const into = new Float64Array(RANKS * length);
    return {
      request: world.iallgather(
        f64(length, (i) => world.rank + 1 + i),
        into,
      ),
      into,
      expected: f64(RANKS * length, (i) => Math.floor(i / length) + 1 + (i % length)),
    };
  },
  ialltoall: (world, length) => {
    const into = new Float64Array(RANKS * length);
    return {
      request: world.ialltoall(
        f64(RANKS * length, (i) => 100 * (world.rank + 1) + Math.floor(i / length)),
        into,
      ),
      into,
      expected: f64(RANKS * length, (i) => 100 * (Math.floor(i / length) + 1) + world.rank),
    };
  },
  iallreduce: (world, length) => {
    const into = new Float64Array(length);
    const from = f64(length, (i) => (world.rank + 1) * 0.25 + i);
    return { request: world.iallreduce(from, into, 'sum'), into, expected: f64(length, (i) => 2.5 + RANKS * i) };
  },
  ireduceScatter: (world, length) => {
    const into = new Float64Array(length);
    const from = f64(RANKS * length, (i) => world.rank + i + 1);
    const expected = f64(length, (i) => RANKS + world.rank * length + i);
    return { request: world.ireduceScatter(from, into, 'max'), into, expected };
  },
  iscan: (world, length) => {
    const into = new Float64Array(length);
    const from = f64(length, (i) => i + 1);
    return { request: world.iscan(from, into, 'sum'), into, expected: f64(length, (i) => (world.rank + 1) * (i + 1)) };
  },
};

eachDriver((driver) => {
  for (const [name, start] of Object.entries(OPERATIONS)) {
    for (const length of name === 'ibarrier' ? [0] : [3, 100_000]) {
      rankTest(
        `1. ${name} of ${length}, with a rank that computes while others wait() for it, and while they await it`,
        RANKS,
        async (world, t) => {
          for (const how of ['wait() for', 'await'] as const) {
            if (world.rank === BUSY) {
              const { request, into, expected } = start(world, length);
              // When they are done with it the others say so.
              const words = [0, 1, 3].map((source) => {
                const word = new Uint8Array(WORD);
                return { word, come: world.irecv(word, { source }) };
              });
              for (const dest of [0, 1, 3]) await world.send(new Uint8Array(0), { dest });
              t.note(`computing until the others, who ${how} it, are done`);
              if (driver === 'poll') while (!request.done || words.some(({ come }) => !come.done));
              for (const { word } of words) computeUntilWritten(word);
              if (into !== undefined) computeUntilEqual(into, expected!);
              await request;
              for (const { come } of words) await come;
            } else {
              await world.recv(new Uint8Array(0), { source: BUSY });
              const { request, into, expected } = start(world, length);
              if (how === 'await') await request;
              else request.wait();
              if (into !== undefined) assert.equal(Buffer.compare(bytesOf(into), bytesOf(expected!)), 0);
              await world.send(new Uint8Array(WORD).fill(1), { dest: BUSY });
            }
          }
        },
      );
    }
  }

  rankTest('2. several of two communicators, all ranks computing until the last is there', 3, async (world, t) => {
    const other = await world.dup();
    const all = [20_000, 5, 700].flatMap((length) =>
      [world, other].map((comm) => {
        const into = new Float64Array(length);
        return { into, length, request: comm.iallreduce(new Float64Array(length).fill(1.5), into, 'sum') };
      }),
    );
    t.note('computing until all sums are there');
    for (const { request, into, length } of all) {
      if (driver === 'poll') while (!request.done);
      computeUntilEqual(into, new Float64Array(length).fill(4.5));
    }
    for (const { request, into } of all) assert.equal(await request, into);
    await other.free();
  });
});

describe('a collective under way', () => {
  rankTest('3. is shown by inspect() with its name and its round, and counted by stats()', 2, async (world) => {
    const { collectives, collectivesFailed } = world.stats();
    if (world.rank === 0) {
      const request = world.iallgather(Uint8Array.of(1), new Uint8Array(2));
      const shown = world.inspect().requests.filter(({ kind }) => kind === 'collective');
      assert.equal(shown.length, 1);
      const { called, comm, purpose, peer, round, rounds } = shown[0]!;
      assert.match(called!, /^allgather of /);
      assert.deepEqual([comm, purpose, peer, round, rounds], ['world', 'collective', ANY_SOURCE, 1, 1]);
      await world.send(new Uint8Array(0), { dest: 1 });
      await request;
    } else {
      await world.recv(new Uint8Array(0), { source: 0 });
      await world.allgather(Uint8Array.of(2), new Uint8Array(2));
    }
    assert.deepEqual(world.inspect().requests, []);
    const after = world.stats();
    assert.deepEqual([after.collectives, after.collectivesFailed], [collectives + 1, collectivesFailed]);
  });
});
