// Collective operations as the addon carries them out, with schedules made by hand: nothing in them waits for JavaScript.
import { strict as assert } from 'node:assert';
import { IMMEDIATE, POST_BAD_SCHEDULE, POST_NOT_BYTES, R_TAG } from '../../lib/exchange.js';
import { eachDriver } from '../helpers/matrix.js';
import { NativeRank } from '../helpers/native-world.js';
import { assertPattern, pattern } from '../helpers/pattern.js';
import { processTest } from '../helpers/rank-test.js';
import { computeUntilEqual, computeUntilWritten } from '../helpers/work.js';

const [END, SEND, RECV, COPY, REDUCE] = [0, 1, 2, 3, 4];
const GO = 5;
/** src-native/engine/types.h, enum Error */
const MISMATCH = 9;

/** What each rank has comes to both, half by half: two rounds, and copies before, between and after them. */
function allgather(rank: number, length: number): number[][] {
  const peer = 1 - rank;
  const [scratch, own, all] = [0, 1, 2];
  const half = length / 2;
  const round = (from: number) => [
    [SEND, peer, own, from, half],
    [RECV, peer, scratch, 0, half],
    [COPY, 0, all, rank * length + from, half, own, from],
    [END],
    [COPY, 0, all, peer * length + from, half, scratch, 0],
  ];
  return [...round(0), ...round(half)];
}

eachDriver((driver) => {
  for (const length of [64, 4_096, 600_000]) {
    processTest(`1. an allgather of ${length} bytes completes on a rank that computes`, 2, async (t) => {
      const world = await NativeRank.join(t);
      const all = new Uint8Array(2 * length);
      const buffers = [new Uint8Array(length), pattern(t.rank, length), all];
      const post = () => world.collective(allgather(t.rank, length), buffers);
      let slot: number;
      if (t.rank === 0) {
        // Begins when the other has nothing to do any more but compute.
        world.wait(world.receive(new Uint8Array(1), GO));
        slot = post();
      } else {
        slot = post();
        const before = world.native.stats()!.collectiveStepsInHandler;
        world.send(new Uint8Array(1), 0, GO);
        t.note('computing until both parts are there');
        if (driver === 'poll') while (!world.over(slot));
        else computeUntilWritten(all);
        const after = world.native.stats()!.collectiveStepsInHandler;
        assert.equal(after - before > 0, driver !== 'poll');
      }
      assert.equal(world.wait(slot)!.error, 0);
      assertPattern(all.subarray(0, length), 0);
      assertPattern(all.subarray(length), 1);
      await world.close();
    });
  }

  processTest('2. a local operation of many slices goes on while its rank computes', 1, async (t) => {
    const world = await NativeRank.join(t);
    const length = 32 * 2 ** 20;
    const to = new Uint8Array(length);
    const slot = world.collective([[COPY, 0, 0, 0, length, 1, 0]], [to, pattern(1, length)]);
    if (driver === 'poll') while (!world.over(slot));
    else computeUntilWritten(to);
    assert.equal(world.wait(slot)!.error, 0);
    assertPattern(to, 1);
    await world.close();
  });

  for (const count of [8, 70_000]) {
    processTest(`3. an allreduce of ${count} floats completes on a rank that computes`, 2, async (t) => {
      const world = await NativeRank.join(t);
      const peer = 1 - t.rank;
      const own = Float64Array.from({ length: count }, (_, i) => i * 0.5 + t.rank + 1);
      const [other, sums, result] = [0, 0, 0].map(() => new Float64Array(count)) as Float64Array[];
      const expected = Float64Array.from({ length: count }, (_, i) => i + 3);
      const length = own.byteLength;
      const sum = 10 * 16;
      const records = [
        [COPY, 0, 2, 0, length, 1, 0],
        [SEND, peer, 1, 0, length],
        [RECV, peer, 0, 0, length],
        [END],
        [REDUCE, 0, 2, 0, length, 0, 0, sum],
        [COPY, 0, 3, 0, length, 2, 0],
      ];
      const post = () => world.collective(records, [other!, own, sums!, result!]);
      let slot: number;
      if (t.rank === 0) {
        world.wait(world.receive(new Uint8Array(1), GO));
        slot = post();
      } else {
        slot = post();
        world.send(new Uint8Array(1), 0, GO);
        t.note('computing until the sums are there');
        if (driver === 'poll') while (!world.over(slot));
        else computeUntilEqual(result!, expected);
      }
      assert.equal(world.wait(slot)!.error, 0);
      assert.deepEqual(result, expected);
      await world.close();
    });
  }
});

describe('a receive of a schedule', () => {
  for (const length of [10, 500]) {
    processTest(`4. of ${length} bytes that have to be certain ones says which other came`, 2, async (t) => {
      const world = await NativeRank.join(t);
      const [room, expected, buffers] = [0, 1, [new Uint8Array(512), pattern(4, length)]];
      const records = [[END], [RECV, 0, room, 0, 512, expected, 0, length]];
      // The right ones, the same but for the last, fewer, more, and more than there is room for.
      const other = pattern(4, length);
      other[length - 1]! ^= 1;
      const sent = [pattern(4, length), other, pattern(4, length - 1), pattern(4, length + 1), pattern(4, 600)];
      for (const [i, bytes] of sent.entries()) {
        if (t.rank === 0) {
          world.wait(world.send(bytes, 1, i, 1));
          continue;
        }
        const outcome = world.wait(world.collective(records, buffers, i))!;
        if (i === 0) assert.equal(outcome.error, 0);
        else assert.deepEqual(outcome, { error: MISMATCH, source: 0, tag: 1, length: bytes.length });
        assert.deepEqual(buffers[0]!.subarray(0, bytes.length), bytes.subarray(0, 512));
      }
      await world.close();
    });
  }

  processTest('5. of another length than comes, short or long, is told of it', 2, async (t) => {
    const world = await NativeRank.join(t);
    for (const [tag, length] of [0, 9, 11, 100_000].entries()) {
      if (t.rank === 0) {
        world.wait(world.send(new Uint8Array(length), 1, tag, 1));
        continue;
      }
      const slot = world.collective([[RECV, 0, 0, 0, 10]], [new Uint8Array(10)], tag);
      assert.deepEqual(world.wait(slot), { error: MISMATCH, source: 0, tag: 0, length });
    }
    await world.close();
  });
});

describe('postSchedule', () => {
  processTest('6. refuses what no correct program makes, and says which record', 2, async (t) => {
    const world = await NativeRank.join(t);
    const peer = 1 - t.rank;
    const buffers = [new Uint8Array(16), new Uint8Array(16), new Uint8Array(600)];
    const bad: Record<string, number[]> = {
      'no such kind': [5],
      'a kind that is no integer': [0.5],
      'a kind below 0': [-1],
      'no such rank': [SEND, 2, 0, 0, 1],
      'the rank itself': [RECV, t.rank, 0, 0, 1],
      'no such buffer': [SEND, peer, 3, 0, 1],
      'beyond the end': [SEND, peer, 0, 0, 17],
      'an offset beyond the end': [RECV, peer, 0, 17, 0],
      'both together beyond the end': [RECV, peer, 0, 9, 8],
      'an offset that would wrap': [RECV, peer, 0, 2 ** 53, 8],
      'a length without end': [COPY, 0, 0, 0, Number.POSITIVE_INFINITY],
      'a length that is no number': [COPY, 0, 0, 0, Number.NaN],
      'no second buffer': [COPY, 0, 0, 0, 8, 7, 0],
      'beyond the end of the second': [COPY, 0, 0, 0, 8, 1, 9],
      'more to compare than there is room': [RECV, peer, 0, 0, 8, 1, 0, 9],
      'more to compare than a handler may': [RECV, peer, 2, 0, 600, 2, 0, 513],
      'beyond the end of what to compare with': [RECV, peer, 0, 0, 8, 1, 9, 8],
      'no such type': [REDUCE, 0, 0, 0, 8, 1, 0, 11 * 16],
      'no such operation': [REDUCE, 0, 0, 0, 8, 1, 0, 9],
      'bits of floating point': [REDUCE, 0, 0, 0, 8, 1, 0, 10 * 16 + 4],
      'half an element': [REDUCE, 0, 0, 0, 7, 1, 0, 5 * 16],
      'operands that overlap': [REDUCE, 0, 0, 0, 8, 0, 4, 5 * 16],
    };
    for (const [what, record] of Object.entries(bad)) {
      assert.equal(world.collective([[END], record], buffers), POST_BAD_SCHEDULE, what);
      assert.equal(world.words[IMMEDIATE + R_TAG], 1, what);
    }
    assert.equal(world.collective([[END]], [new Uint8Array(1), {} as Uint8Array]), POST_NOT_BYTES);
    assert.equal(world.words[IMMEDIATE + R_TAG], 1);
    assert.equal(world.native.postSchedule(new Float64Array(7), buffers), POST_BAD_SCHEDULE);
    assert.equal(world.native.postSchedule(new Uint8Array(64) as never, buffers), POST_BAD_SCHEDULE);
    assert.equal(world.native.inspect()!.slotsUsed, 0);
    // Nothing at all to do is no error.
    assert.equal(world.wait(world.collective([], []))!.error, 0);
    await world.close();
  });
});
