// Which message meets which receive, as MPI defines it (MPI 4.1, 3.5), with many ranks and many messages.
import { strict as assert } from 'node:assert';
import { ANY_SOURCE, ANY_TAG, type Outcome, type Request, type Status, waitAll } from '../../lib/index.js';
import { coded } from '../helpers/errors.js';
import { eachDriver } from '../helpers/matrix.js';
import { assertAll, assertPattern, pattern } from '../helpers/pattern.js';
import { rankTest } from '../helpers/rank-test.js';
import { collectGarbage, meet } from '../helpers/worlds.js';

const small = { eagerLimit: 1_024, ringBytes: 16 * 1_024, unexpectedBytes: 64 * 1_024 };
const TAGS = [0, 1, 2 ** 31 - 1];
const COUNT = 90;
// Eager, rendezvous of one chunk, of several; empty ones between them.
const sizeOf = (i: number): number => [8, 0, 1_024, 30_000, 1_025, 200_000, 600][i % 7]!;
const tagOf = (i: number): number => TAGS[(i * i) % TAGS.length]!;
const keyOf = (rank: number, i: number): number => rank * 1_000 + i;

/** Message `i` of each rank goes to rank 0. */
const sendAll = (send: (data: Uint8Array, tag: number) => Request<Status>, rank: number): Request<Status>[] =>
  Array.from({ length: COUNT }, (_, i) => send(pattern(keyOf(rank, i), sizeOf(i)), tagOf(i)));

/** What is left to come from each rank with each tag, in order. */
function expectations(ranks: number): Map<string, number[]> {
  const left = new Map<string, number[]>();
  for (let rank = 1; rank < ranks; rank += 1) {
    for (let i = 0; i < COUNT; i += 1) {
      const key = `${rank} ${tagOf(i)}`;
      left.set(key, [...(left.get(key) ?? []), i]);
    }
  }
  return left;
}

/** It is the next of its source and tag. */
function assertNext(left: Map<string, number[]>, { source, tag, byteLength }: Status, data: Uint8Array): void {
  const i = left.get(`${source} ${tag}`)!.shift()!;
  assert.equal(byteLength, sizeOf(i), `message ${i} of rank ${source} with tag ${tag}`);
  assertPattern(data.subarray(0, byteLength), keyOf(source, i));
}

eachDriver(() => {
  for (const first of ['receives', 'messages'] as const) {
    rankTest(
      `1. of one source and tag all are received in their order, wildcards or not, ${first} first`,
      { ranks: 4, join: small },
      async (world) => {
        const ranks = world.size;
        if (world.rank > 0) {
          if (first === 'receives') await meet(world, 0);
          const sends = sendAll((data, tag) => world.isend(data, { dest: 0, tag }), world.rank);
          if (first === 'messages') await meet(world, 0);
          await Promise.all(sends);
          return;
        }
        const left = expectations(ranks);
        const others = Array.from({ length: ranks - 1 }, (_, i) => i + 1);
        if (first === 'messages') await Promise.all(others.map((peer) => meet(world, peer)));
        // A wildcard takes what an exact one may wait for, so each kind has the messages of one tag to itself.
        const receives = others.flatMap((source) =>
          Array.from({ length: COUNT }, (_, i) => {
            const into = new Uint8Array(200_000);
            const tag = tagOf(i);
            const request = world.irecv(into, { source: tag === 1 ? ANY_SOURCE : source, tag });
            return { into, request };
          }),
        );
        if (first === 'receives') await Promise.all(others.map((peer) => meet(world, peer)));
        const statuses = await Promise.all(receives.map(({ request }) => request));
        for (const [i, { into }] of receives.entries()) assertNext(left, statuses[i]!, into);
        assert.ok([...left.values()].every((rest) => rest.length === 0));
      },
    );
  }

  rankTest(
    '2. a flood from many ranks comes to one that takes whatever there is',
    { ranks: 6, join: small },
    async (world) => {
      if (world.rank > 0) {
        await Promise.all(sendAll((data, tag) => world.isend(data, { dest: 0, tag }), world.rank));
        return;
      }
      const left = expectations(world.size);
      for (let i = 0; i < COUNT * (world.size - 1); i += 1) {
        const message = await (i % 2 === 0 ? world.recv() : world.recv({ source: ANY_SOURCE, tag: ANY_TAG }));
        assertNext(left, message, message.data);
      }
    },
  );

  rankTest('3. thousands are outstanding at once, in both directions', 2, async (world) => {
    const peer = 1 - world.rank;
    const count = 4_000;
    const buffers = Array.from({ length: count }, (_, i) => new Uint8Array((i * 37) % 9_000));
    const receives = buffers.map((into, tag) => world.irecv(into, { source: peer, tag }));
    const sends = buffers.map(({ length }, tag) => world.isend(pattern(tag, length), { dest: peer, tag }));
    // In another order than that of the posting.
    waitAll([...sends, ...receives].reverse());
    for (const [tag, into] of buffers.entries()) assertPattern(into, tag);
  });

  rankTest('4. where one of several is truncated the others still complete', 2, async (world) => {
    const sizes = [100, 50_000, 2_000_000, 10, 300_000];
    if (world.rank === 0) {
      await meet(world);
      waitAll(sizes.map((size, tag) => world.isend(pattern(tag, size), { dest: 1, tag })));
    } else {
      const short = [1, 2, 3];
      const buffers = sizes.map((size, i) => new Uint8Array(short.includes(i) ? size - 1 : size + 1));
      const requests = buffers.map((into, tag) => world.irecv(into, { source: 0, tag }));
      await meet(world);
      let outcomes: Outcome<Status>[] = [];
      assert.throws(
        () => waitAll(requests),
        (error: Error & { results?: Outcome<Status>[] }) => {
          outcomes = error.results!;
          return coded('ERR_UINTR_TRUNCATED', `${sizes[1]}`, `${sizes[1]! - 1}`)(error);
        },
      );
      for (const [i, outcome] of outcomes.entries()) {
        const into = buffers[i]!;
        if (outcome.status === 'fulfilled') assert.equal(outcome.value.byteLength, sizes[i]);
        else coded('ERR_UINTR_TRUNCATED')(outcome.reason);
        assert.equal(outcome.status, short.includes(i) ? 'rejected' : 'fulfilled');
        assertPattern(into.subarray(0, Math.min(into.length, sizes[i]!)), i);
        assertAll(into.subarray(sizes[i]!), 0);
      }
    }
  });

  rankTest('5. a request that is cancelled while its bytes move goes on to its end', 2, async (world) => {
    const size = 20_000_000;
    if (world.rank === 0) {
      await world.recv({ source: 1, tag: 1 });
      await world.send(pattern(5, size), { dest: 1, tag: 2 });
    } else {
      const into = new Uint8Array(size);
      const request = world.irecv(into, { source: 0, tag: 2 });
      await world.send(new Uint8Array(0), { dest: 0, tag: 1 });
      while (world.inspect().requests[0]?.state === 'posted') world.progress();
      assert.equal(request.cancel(), false);
      assert.equal((await request).byteLength, size);
      assertPattern(into, 5);
    }
  });
});

describe('a request that nobody holds', () => {
  rankTest('6. goes on, and its buffer is held as long', { ranks: 2, nodeOptions: ['--expose-gc'] }, async (world) => {
    const sizes = [10, 100_000, 3_000_000];
    if (world.rank === 0) {
      for (const [tag, size] of sizes.entries()) void world.isend(pattern(tag, size), { dest: 1, tag });
      for (let i = 0; i < 3; i += 1) await collectGarbage();
      await meet(world);
      await meet(world);
    } else {
      const kept = sizes.map((size) => new WeakRef(new Uint8Array(size)));
      for (const [tag, buffer] of kept.entries()) void world.irecv(buffer.deref()!, { source: 0, tag: tag + 10 });
      for (const [tag] of sizes.entries()) void world.irecv(new Uint8Array(5), { source: 0, tag: tag + 20 });
      await meet(world);
      for (let i = 0; i < 3; i += 1) await collectGarbage();
      for (const buffer of kept) assert.ok(buffer.deref() !== undefined);
      for (const [tag] of sizes.entries()) assertPattern((await world.recv({ source: 0, tag })).data, tag);
      await meet(world);
    }
  });
});
