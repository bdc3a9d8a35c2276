// Bad arguments: a coded error that names the argument and the value, thrown before anything happens.
import { strict as assert } from 'node:assert';
import { ANY_TAG, type Bytes, type World } from '../../lib/index.js';
import { coded, invalid } from '../helpers/errors.js';
import { rankTest } from '../helpers/rank-test.js';

const data = new Uint8Array(8);
// What TypeScript would not let through.
const loose = (world: World) =>
  world as unknown as Record<'isend' | 'issend' | 'irecv', (...args: unknown[]) => { cancel(): boolean }> &
    Record<'send' | 'ssend' | 'recv', (...args: unknown[]) => Promise<unknown>>;

const detached = (): ArrayBuffer => {
  const buffer = new ArrayBuffer(8);
  structuredClone(buffer, { transfer: [buffer] });
  return buffer;
};
type Resizable<T> = new (length: number, options: { maxByteLength: number }) => T;
const resizable = () => new (ArrayBuffer as unknown as Resizable<ArrayBuffer>)(8, { maxByteLength: 16 });
const growable = () => new (SharedArrayBuffer as unknown as Resizable<SharedArrayBuffer>)(8, { maxByteLength: 16 });

const BAD_BUFFERS: Record<string, () => unknown> = {
  'a string': () => 'text',
  'a number': () => 42,
  null: () => null,
  'an array': () => [1, 2, 3],
  'an object': () => ({ byteLength: 8 }),
  'a detached ArrayBuffer': detached,
  'a view of a detached ArrayBuffer': () => {
    const view = new Uint8Array(8);
    structuredClone(view.buffer, { transfer: [view.buffer] });
    return view;
  },
  'a DataView of a detached ArrayBuffer': () => {
    const view = new DataView(new ArrayBuffer(8));
    structuredClone(view.buffer, { transfer: [view.buffer] });
    return view;
  },
  'a resizable ArrayBuffer': resizable,
  'a view of a resizable ArrayBuffer': () => new Uint8Array(resizable()),
  'a growable SharedArrayBuffer': growable,
  'a view of a growable SharedArrayBuffer': () => new Uint8Array(growable()),
};

describe('a destination', () => {
  rankTest('1. has to be a rank of the world or PROC_NULL', 2, async (world) => {
    for (const dest of [2, 1_000, -7, 1.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 32, '1', null, 1n]) {
      for (const post of ['isend', 'issend'] as const) {
        assert.throws(() => loose(world)[post](data, { dest }), invalid('dest', `${dest}`));
      }
      for (const post of ['send', 'ssend'] as const) {
        await assert.rejects(loose(world)[post](data, { dest }), invalid('dest', `${dest}`));
      }
    }
  });

  rankTest('2. has to be given', 2, async (world) => {
    for (const options of [{}, { dest: undefined }, { tag: 1 }]) {
      assert.throws(() => loose(world).isend(data, options), invalid('dest'));
      await assert.rejects(loose(world).send(data, options), invalid('dest'));
    }
    assert.throws(() => loose(world).isend(data), coded('ERR_UINTR_INVALID_ARGUMENT'));
    assert.throws(() => loose(world).isend(data, 1), coded('ERR_UINTR_INVALID_ARGUMENT'));
  });
});

describe('a source', () => {
  rankTest('3. has to be a rank of the world, ANY_SOURCE or PROC_NULL', 2, async (world) => {
    for (const source of [2, 1_000, -7, 0.5, Number.NaN, '0', null]) {
      assert.throws(() => loose(world).irecv(data, { source }), invalid('source', `${source}`));
      assert.throws(() => loose(world).irecv({ source }), invalid('source', `${source}`));
      await assert.rejects(loose(world).recv(data, { source }), invalid('source', `${source}`));
      await assert.rejects(loose(world).recv({ source }), invalid('source', `${source}`));
    }
  });
});

describe('a tag', () => {
  rankTest('4. is an integer from 0 to 2^31-1', 2, async (world) => {
    for (const tag of [-7, 2 ** 31, 2 ** 32, 1.5, Number.NaN, '3', null, {}]) {
      const value = typeof tag === 'object' ? undefined : `${tag}`;
      assert.throws(() => loose(world).isend(data, { dest: 0, tag }), invalid('tag', value));
      await assert.rejects(loose(world).send(data, { dest: 0, tag }), invalid('tag', value));
      assert.throws(() => loose(world).irecv(data, { tag }), invalid('tag', value));
    }
    await Promise.all(
      [0, 2 ** 31 - 1].flatMap((tag) => {
        const peer = 1 - world.rank;
        return [world.send(data, { dest: peer, tag }), world.recv(new Uint8Array(8), { source: peer, tag })];
      }),
    );
  });

  rankTest('5. of a send cannot be ANY_TAG', 1, (world) => {
    assert.throws(() => world.isend(data, { dest: 0, tag: ANY_TAG }), invalid('tag'));
  });
});

describe('options', () => {
  rankTest('6. with an unknown key are refused, by its name', 1, async (world) => {
    for (const key of ['tagg', 'destination', 'to', 'timeout']) {
      assert.throws(() => loose(world).isend(data, { dest: 0, [key]: 1 }), invalid(key));
      assert.throws(() => loose(world).irecv(data, { [key]: 1 }), invalid(key));
      assert.throws(() => loose(world).irecv({ [key]: 1 }), invalid(key));
      await assert.rejects(loose(world).send(data, { dest: 0, [key]: 1 }), invalid(key));
      await assert.rejects(loose(world).recv({ [key]: 1 }), invalid(key));
    }
  });

  rankTest('7. may be a Status, for an answer to where something came from', 1, async (world) => {
    await world.send(data, { dest: 0, tag: 3 });
    const status = await world.recv(new Uint8Array(8));
    await world.send(data, { ...status, dest: status.source });
    assert.deepEqual(await world.recv(new Uint8Array(8), status), status);
  });
});

describe('a buffer', () => {
  rankTest('8. of another kind is refused for a send', 1, async (world) => {
    for (const [kind, make] of Object.entries(BAD_BUFFERS)) {
      assert.throws(() => loose(world).isend(make(), { dest: 0 }), invalid('data'), kind);
      await assert.rejects(loose(world).send(make(), { dest: 0 }), invalid('data'), kind);
    }
    assert.throws(() => loose(world).isend(undefined, { dest: 0 }), invalid('data'));
    assert.equal(world.iprobe(), null);
  });

  rankTest('9. of another kind is refused for a receive', 1, async (world) => {
    for (const [kind, make] of Object.entries(BAD_BUFFERS)) {
      assert.throws(() => loose(world).irecv(make(), { source: 0 }), invalid('into'), kind);
      await assert.rejects(loose(world).recv(make(), { source: 0 }), invalid('into'), kind);
    }
  });

  rankTest('10. that is forgotten is not a receive without a buffer', 1, async (world) => {
    for (const into of [undefined, [], [new Uint8Array(8)]]) {
      assert.throws(() => loose(world).irecv(into, { source: 0 }), invalid('into'));
      await assert.rejects(loose(world).recv(into, { source: 0 }), invalid('into'));
    }
  });

  rankTest('11. of a fixed length is accepted though other buffers are resizable', 1, async (world) => {
    const buffers: Bytes[] = [new ArrayBuffer(8), new SharedArrayBuffer(8), new DataView(new ArrayBuffer(8))];
    for (const buffer of buffers) {
      await world.send(buffer, { dest: 0 });
      assert.equal((await world.recv(buffer)).byteLength, 8);
    }
  });
});

describe('a bad argument', () => {
  rankTest(
    '12. is thrown by what returns a request or a value, and rejected by what returns a promise',
    1,
    async (world) => {
      const promise = loose(world).send(data, { dest: 5 });
      assert.ok(promise instanceof Promise);
      await assert.rejects(promise, invalid('dest', '5'));
      assert.throws(() => world.isAlive(5), invalid('rank', '5'));
      assert.throws(() => world.copy(-1), invalid('peer', '-1'));
    },
  );

  rankTest('13. of close() is refused, and the world stays open', 1, async (world) => {
    for (const timeoutMs of [-1, Number.NaN, 'soon']) {
      await assert.rejects(world.close({ timeoutMs: timeoutMs as number }), invalid('timeoutMs', `${timeoutMs}`));
    }
    await assert.rejects(world.close({ timeout: 5 } as object), invalid('timeout'));
    await world.send(data, { dest: 0 });
    await world.recv(new Uint8Array(8));
  });

  rankTest('14. is a UintrError, an Error with its code in the first line of the stack', 1, async (world) => {
    const { UintrError } = await import('../../lib/index.js');
    try {
      world.isend(data, { dest: 9 });
      assert.fail('not refused');
    } catch (error) {
      assert.ok(error instanceof UintrError);
      assert.ok(error instanceof Error);
      assert.equal(error.code, 'ERR_UINTR_INVALID_ARGUMENT');
    }
  });
});
