// Collective operations of real ranks.
import { strict as assert } from 'node:assert';
import { ANY_SOURCE, ANY_TAG, type Request, testSome, type World, waitAll, waitAny } from '../../lib/index.js';
import {
  type Case,
  countedCases,
  movingCases,
  named,
  type Operations,
  OWN_FUNCTION,
  reducingCases,
} from '../helpers/collective-cases.js';
import { coded, invalid } from '../helpers/errors.js';
import { eachDriver } from '../helpers/matrix.js';
import { assertPattern, pattern } from '../helpers/pattern.js';
import { processTest, rankTest } from '../helpers/rank-test.js';
import { ARRAYS, opsOf } from '../helpers/reference.js';
import { inWorldsOf } from '../helpers/worlds-of-sizes.js';

const SIZES = [1, 2, 3, 4, 5, 6, 7, 8, 9];

type Started = Request<unknown>;

/** Starts all, and then finishes them, the last first. */
async function runTogether(world: World, cases: readonly Case[]): Promise<void> {
  const parts = cases.map((one) => one.of(world.rank, world.size));
  const requests = parts.map((part) => part.start(world as unknown as Operations<Started>));
  for (const [i, request] of [...requests.entries()].reverse()) {
    try {
      await request;
      parts[i]!.check();
    } catch (error) {
      throw new Error(`${cases[i]!.name}, rank ${world.rank} of ${world.size}: ${error}`, { cause: error });
    }
  }
}

/** One after another, each by the next way to wait. */
function runInTurn(world: World, cases: readonly Case[]): void {
  for (const [i, one] of cases.entries()) {
    const part = one.of(world.rank, world.size);
    const request = part.start(world as unknown as Operations<Started>);
    const ways: (() => void)[] = [
      () => request.wait(),
      () => waitAll([request]),
      () => waitAny([request]),
      () => {
        while (!request.done);
      },
      () => {
        while (request.test() === undefined);
      },
      () => {
        while (testSome([request]).length === 0);
      },
    ];
    ways[i % ways.length]!();
    part.check();
  }
}

describe('collectives', () => {
  processTest('1. that move data, in worlds of 1 to 9', { ranks: 9, timeoutMs: 200_000 }, (t) =>
    inWorldsOf(SIZES, t, async (world) => {
      for (const bytes of [0, 5, 3_000, 50_000]) await runTogether(world, movingCases(bytes, world.size >> 1));
      for (const most of [6, 9_000]) await runTogether(world, countedCases(most, world.size - 1));
    }),
  );

  processTest('2. that reduce, in worlds of 1 to 9', { ranks: 9, timeoutMs: 200_000 }, (t) =>
    inWorldsOf(SIZES, t, async (world) => {
      for (const length of [0, 7, 5_000]) {
        await runTogether(world, [
          ...reducingCases(named(Float64Array, 'sum'), length, world.size >> 1),
          ...reducingCases(OWN_FUNCTION, length, world.size - 1),
        ]);
      }
    }),
  );

  processTest('3. that reduce, every type by every operation', { ranks: 4, timeoutMs: 200_000 }, (t) =>
    inWorldsOf([1, 2, 3, 4], t, async (world) => {
      for (const array of ARRAYS) {
        await runTogether(
          world,
          opsOf(array).flatMap((op) => reducingCases(named(array, op), 11, 0)),
        );
      }
    }),
  );

  rankTest('4. of long buffers', { ranks: 5, timeoutMs: 200_000 }, async (world) => {
    await runTogether(world, movingCases(600_001, 2));
    await runTogether(world, reducingCases(named(Float64Array, 'sum'), 80_000, 3));
  });
});

eachDriver((driver) => {
  rankTest('5. however they are waited for', { ranks: 3, timeoutMs: 100_000 }, (world) => {
    for (const bytes of [1, 40_000]) runInTurn(world, movingCases(bytes, 1));
    runInTurn(world, reducingCases(OWN_FUNCTION, 10, 2));
  });

  rankTest('6. nobody leaves a barrier before all have come', { ranks: 5, timeoutMs: 100_000 }, async (world) => {
    const others = [0, 1, 2, 3, 4].filter((rank) => rank !== world.rank);
    for (let tag = 0; tag < 20; tag += 1) {
      for (const dest of others) world.isend(new Uint8Array(1), { dest, tag });
      if (driver === 'poll' || tag % 2 === 0) await world.barrier();
      else world.ibarrier().wait();
      for (const source of others)
        assert.ok(world.iprobe({ source, tag }), `round ${tag}: rank ${source} had not come`);
      await Promise.all(others.map((source) => world.recv({ source, tag })));
    }
  });
});

describe('a collective', () => {
  rankTest('7. gives its result buffer, and barrier true', 2, async (world) => {
    const [from, into] = [Float64Array.of(1), new Float64Array(2)];
    assert.equal(await world.barrier(), true);
    assert.equal(world.ibarrier().wait(), true);
    const buffer = new Uint8Array(3);
    assert.equal(await world.bcast(buffer, 0), buffer);
    assert.equal(await world.allgather(from, into), into);
    assert.equal(await world.gather(from, into, 1), into);
    const sum = new Float64Array(1);
    const result = await (world.rank === 0
      ? world.reduce(from, sum, 'sum', 0)
      : world.reduce<Float64Array>(from, null, 'sum', 0));
    assert.equal(result, world.rank === 0 ? sum : from);
  });

  rankTest('8. meets no message of the program, whatever its tag', 3, async (world) => {
    const wild = world.irecv(new Uint8Array(10), { source: ANY_SOURCE, tag: ANY_TAG });
    for (let i = 0; i < 10; i += 1) await world.allreduce(Int32Array.of(i), new Int32Array(1), 'sum');
    assert.equal(world.iprobe(), null);
    await world.send(pattern(1, 10), { dest: (world.rank + 1) % 3, tag: 3 });
    await world.barrier();
    assert.equal((await wild).tag, 3);
  });

  rankTest('9. is one of many under way, with messages in between', 4, async (world) => {
    const next = (world.rank + 1) % 4;
    const requests = Array.from({ length: 100 }, (_, i) => {
      const into = new Int32Array(1);
      return { i, into, sum: world.iallreduce(Int32Array.of(world.rank * i), into, 'sum'), barrier: world.ibarrier() };
    });
    const into = new Uint8Array(70_000);
    const received = world.irecv(into, { tag: 9 });
    await world.send(pattern(world.rank, into.length), { dest: next, tag: 9 });
    await received;
    assertPattern(into, (world.rank + 3) % 4);
    for (const { i, into: result, sum, barrier } of requests.reverse()) {
      assert.equal(barrier.wait(), true);
      assert.equal(sum.wait(), result);
      assert.equal(result[0], 6 * i);
    }
  });

  rankTest('10. stays active when a timeout runs out, and is not cancelled', 2, async (world) => {
    if (world.rank === 0) {
      const request = world.ibarrier();
      assert.throws(() => request.wait(5), coded('ERR_UINTR_TIMEOUT'));
      assert.equal(request.cancel(), false);
      assert.equal(request.done, false);
      await world.send(new Uint8Array(0), { dest: 1 });
      assert.equal(await request, true);
    } else {
      await world.recv({ source: 0 });
      await world.barrier();
    }
  });

  rankTest('11. takes buffers of every kind', 2, async (world) => {
    const shared = new SharedArrayBuffer(40);
    const inHeap = world.alloc(40);
    const plain = new ArrayBuffer(48);
    for (const buffer of [shared, inHeap, plain.slice(4, 44), new DataView(plain, 3, 40), Buffer.alloc(40)]) {
      const bytes = ArrayBuffer.isView(buffer)
        ? new Uint8Array(buffer.buffer, buffer.byteOffset, buffer.byteLength)
        : new Uint8Array(buffer);
      bytes.set(pattern(world.rank, 40));
      await world.bcast(buffer, 1);
      assertPattern(bytes, 1);
    }
    const floats = new Float64Array(inHeap.buffer, 8, 4).fill(2);
    await world.allreduce(floats, new Float64Array(shared, 8, 4), 'prod');
    assert.deepEqual([...new Float64Array(shared, 8, 4)], [4, 4, 4, 4]);
  });

  rankTest('12. keeps its memory from being freed', 2, async (world) => {
    const view = world.alloc(16);
    if (world.rank === 0) {
      const request = world.iallgather(view.subarray(0, 8), world.alloc(16));
      assert.throws(() => world.free(view), invalid('view'));
      await world.send(new Uint8Array(0), { dest: 1 });
      await request;
    } else {
      await world.recv({ source: 0 });
      await world.allgather(view.subarray(0, 8), new Uint8Array(16));
    }
    world.free(view);
  });

  rankTest('13. by a function: on BigInts, too, and in the order of the ranks', 3, async (world) => {
    const digits = (lower: bigint, upper: bigint): bigint => lower * 10n + upper;
    const own = BigInt64Array.of(BigInt(world.rank + 1));
    assert.equal((await world.allreduce(own, new BigInt64Array(1), digits))[0], 123n);
    assert.equal((await world.scan(own, new BigInt64Array(1), (_lower, upper) => upper))[0], own[0]);
    assert.equal((await world.scan(own, new BigInt64Array(1), (lower) => lower))[0], 1n);
  });
});
