// What a peer writes where objects are expected: an error for who receives it, and nothing else.
import { strict as assert } from 'node:assert';
import { Buffer } from 'node:buffer';
import { clone, revive } from '../../lib/clone.js';
import { contextOfPurpose, Purpose } from '../../lib/context.js';
import { readStatus } from '../../lib/core.js';
import type { World } from '../../lib/index.js';
import { contextOf, coreOf } from '../../lib/point-to-point.js';
import type { Request } from '../../lib/request.js';
import { coded } from '../helpers/errors.js';
import { pattern } from '../helpers/pattern.js';
import { rankTest } from '../helpers/rank-test.js';
import { meet } from '../helpers/worlds.js';

const NO_LIMIT = { join: { maxObjectBytes: Number.MAX_SAFE_INTEGER } } as const;
const PART_TAG = 0x7ffffff0;
const protocol = coded('ERR_UINTR_PROTOCOL', 'rank 0 sent');

/** Sends these bytes as if this package had. */
function forge(world: World, purpose: Purpose, data: Uint8Array, tag = 0): Request<unknown> {
  return coreOf(world).postSend(data, 1, tag, contextOfPurpose(contextOf(world), purpose), 0, undefined);
}

/** Takes a request from the service with that tag, and gives its number. */
async function takeRequest(world: World, service: number): Promise<number> {
  const bytes = Buffer.alloc(1000);
  const context = contextOfPurpose(contextOf(world), Purpose.Service);
  await coreOf(world).postRecv(readStatus, bytes, 1 - world.rank, service, context, undefined);
  return bytes.readUInt32LE(4);
}

/** A first message as it should be, with these fields. */
function first(
  { magic = 0x314f5455, note = 0, tag = PART_TAG, buffers = 0, length = -1 },
  body = Buffer.alloc(0),
): Buffer {
  const header = Buffer.alloc(24);
  header.writeUInt32LE(magic, 0);
  header.writeUInt32LE(note, 4);
  header.writeUInt32LE(tag, 8);
  header.writeUInt32LE(buffers, 12);
  header.writeDoubleLE(length === -1 ? body.length : length, 16);
  return Buffer.concat([header, body]);
}

const good = clone({ list: [1, 'two', new Uint8Array(3)] }, 0).bytes;
const doubles = (...values: number[]): Buffer => Buffer.from(Float64Array.from(values).buffer);

const BAD: Record<string, Uint8Array> = {
  empty: new Uint8Array(0),
  short: first({}, good).subarray(0, 23),
  'too long': first({}, Buffer.alloc(20_000)),
  'of another kind': first({ magic: 1 }, good),
  'cut off': first({}, good).subarray(0, -1),
  'no length': first({ length: Number.NaN }, good),
  'negative length': first({ length: -8 }, good),
  'endless length': first({ length: Number.POSITIVE_INFINITY }),
  'a length that is no integer': first({ length: 0.5 }),
  'more buffers than described': first({ buffers: 2 ** 32 - 1 }, good),
  'a tag that is none': first({ tag: 2 ** 31, length: 1e5 }),
  'no clone': first({}, Buffer.from('garbage')),
  'half a clone': first({}, good.subarray(0, -9)),
  'a view of no type': first({}, Buffer.from([0xff, 0x0f, 0x5c, 99, ...new Uint8Array(16), 0x42, 0])),
  'a view beyond its buffer': first(
    {},
    Buffer.concat([Buffer.from([0xff, 0x0f, 0x5c, 3]), doubles(0, 9), Buffer.from([0x42, 0])]),
  ),
  'a view of what is no buffer': first(
    {},
    Buffer.concat([Buffer.from([0xff, 0x0f, 0x5c, 3]), doubles(0, 0), Buffer.from([0x30])]),
  ),
  'a Buffer that did not come': first({}, Buffer.from([0xff, 0x0f, 0x5c, 1, 1, 7])),
  'a buffer that did not come': first({}, Buffer.from([0xff, 0x0f, 0x74, 0])),
};

describe('a peer that writes garbage', () => {
  rankTest('1. instead of an object: its receive fails, and the next one is well', 2, async (world) => {
    for (const [i, data] of Object.values(BAD).entries()) {
      if (world.rank === 0) {
        await forge(world, Purpose.Object, data, i);
        await world.sendObject(i, { dest: 1, tag: i });
      } else {
        await assert.rejects(world.recvObject({ source: 0, tag: i }), protocol, Object.keys(BAD)[i]);
        assert.equal((await world.recvObject({ source: 0, tag: i })).value, i);
      }
    }
    assert.deepEqual(world.inspect().requests, []);
  });

  rankTest('2. instead of the parts of an object', 2, async (world) => {
    const long = Buffer.concat([good, doubles(100_000)]);
    const cases: [Buffer, Uint8Array[]][] = [
      [first({ buffers: 1 }, long), [pattern(1, 99_999)]],
      [first({ buffers: 1 }, long), [pattern(1, 100_001)]],
      [first({ length: 50_000 }), [pattern(1, 50_000)]],
      [first({ length: 50_000 }), [pattern(1, 49_999)]],
      [first({ length: 50_000, buffers: 2 }), [pattern(1, 50_001), pattern(2, 10), pattern(3, 10)]],
      [first({ buffers: 2 }, Buffer.concat([good, doubles(-1, Number.NaN)])), [pattern(1, 10), pattern(2, 100_000)]],
    ];
    for (const [i, [header, parts]] of cases.entries()) {
      if (world.rank === 0) {
        const sent = [forge(world, Purpose.Object, header, i)];
        for (const part of parts) sent.push(forge(world, Purpose.ObjectParts, part, PART_TAG));
        await Promise.all(sent);
      } else {
        await assert.rejects(world.recvObject({ source: 0, tag: i }), protocol, `case ${i}`);
      }
    }
    await meet(world);
    assert.deepEqual(world.inspect().requests, []);
    assert.equal(world.iprobe(), null);
  });

  rankTest(
    '3. announces more than there is memory: the object is lost, and its sender goes on',
    NO_LIMIT,
    async (world) => {
      const huge = Buffer.concat([good, doubles(2 ** 52, 10)]);
      if (world.rank === 0) {
        await forge(world, Purpose.Object, first({ buffers: 2 }, huge));
        const parts = [pattern(1, 100), pattern(1, 100_000)].map((part) =>
          forge(world, Purpose.ObjectParts, part, PART_TAG),
        );
        await Promise.all(parts);
      } else {
        await assert.rejects(world.recvObject({ source: 0 }), coded('ERR_UINTR_NO_MEMORY', `${2 ** 52} bytes`));
      }
      await meet(world);
      assert.deepEqual(world.inspect().requests, []);
    },
  );

  rankTest('4. to a service: it goes on', 2, async (world) => {
    if (world.rank === 0) {
      for (const data of Object.values(BAD)) await forge(world, Purpose.Service, data, 5);
      await forge(world, Purpose.Service, first({ note: 0 }, good), 5);
      await forge(world, Purpose.Service, first({ note: 2 ** 32 - 1 }, good), 5);
      for (const size of [0, 3, 4, 5, 100_000]) await forge(world, Purpose.Reply, pattern(1, size), 0);
      assert.deepEqual(await world.request(1, 5, 'asked'), 'asked');
    } else {
      const server = world.serve(5, (value) => value);
      await meet(world);
      await server.close();
      return;
    }
    await meet(world);
  });

  rankTest('5. as an answer: who asked gets an error', 2, async (world) => {
    for (const [i, note] of [1, 1, 1, 7].entries()) {
      const value = ['no error', { name: 1 }, null, undefined][i];
      const body = clone(value, 0).bytes;
      if (world.rank === 0) {
        const id = await takeRequest(world, 5);
        await forge(world, Purpose.Reply, first({ note }, body), id);
        await meet(world);
      } else {
        await assert.rejects(world.request(0, 5, 'asked', {}), protocol);
        await meet(world);
      }
    }
  });

  rankTest('6. a request that was given up before it came is not handled', 2, async (world) => {
    if (world.rank === 0) {
      // Requests are numbered one after another.
      const given = new AbortController();
      const earlier = world.request(1, 6, 'earlier', { signal: given.signal });
      const { value: id } = await world.recvObject<number>({ source: 1 });
      given.abort();
      await assert.rejects(earlier, { name: 'AbortError' });
      // What says so overtakes a large request.
      await forge(world, Purpose.Reply, new Uint8Array(Uint32Array.of(id + 1).buffer), 0);
      await meet(world);
      await assert.rejects(world.request(1, 5, 'first'), { name: 'AbortError' });
      assert.equal(await world.request(1, 5, 'second'), 'second');
      await meet(world);
    } else {
      await world.sendObject(await takeRequest(world, 6), { dest: 0 });
      const seen: unknown[] = [];
      const server = world.serve(5, (value) => {
        seen.push(value);
        return value;
      });
      await meet(world);
      await meet(world);
      assert.deepEqual(seen, ['second']);
      await server.close();
    }
  });

  rankTest('7. of any kind never crashes what reads it', 1, () => {
    const outside = [new ArrayBuffer(70_000)];
    const value = {
      a: [1, 2n, 'é語', new Date(1)],
      m: new Map([[new Uint8Array(8), Buffer.from('x')]]),
      big: outside[0],
    };
    const { bytes } = clone(value, 0);
    assert.deepEqual(revive(bytes, outside), value);
    let state = 1;
    const random = (below: number): number => {
      state = (Math.imul(state, 1103515245) + 12345) & 0x7fffffff;
      return (state >>> 8) % below;
    };
    let failures = 0;
    for (let round = 0; round < 20_000; round += 1) {
      const bad = Buffer.from(bytes.subarray(0, random(4) === 0 ? random(bytes.length) : bytes.length));
      for (let i = random(4); i >= 0 && bad.length > 0; i -= 1) bad[random(bad.length)] = random(256);
      try {
        revive(bad, outside);
      } catch (error) {
        failures += 1;
        assert.ok(error instanceof Error || typeof (error as Error).message === 'string');
      }
    }
    assert.ok(failures > 1_000);
  });
});
