// What may be sent and received into: any view of any buffer, at any offset.
import { strict as assert } from 'node:assert';
import type { Bytes } from '../../lib/index.js';
import { assertAll, assertPattern, bytesOf, fill, pattern } from '../helpers/pattern.js';
import { rankTest } from '../helpers/rank-test.js';
import { collectGarbage } from '../helpers/worlds.js';

const SIZES = [8, 80_000];

function wasmMemory(): ArrayBuffer {
  const { WebAssembly: wasm } = globalThis as unknown as {
    WebAssembly: { Memory: new (options: { initial: number }) => { buffer: ArrayBuffer } };
  };
  return new wasm.Memory({ initial: 4 }).buffer;
}

/** Makes a buffer of `size` bytes, a multiple of 8. */
const KINDS: Record<string, (size: number) => Bytes> = {
  Uint8Array: (size) => new Uint8Array(size),
  Uint8ClampedArray: (size) => new Uint8ClampedArray(size),
  Int8Array: (size) => new Int8Array(size),
  Uint16Array: (size) => new Uint16Array(size / 2),
  Int16Array: (size) => new Int16Array(size / 2),
  Uint32Array: (size) => new Uint32Array(size / 4),
  Int32Array: (size) => new Int32Array(size / 4),
  Float32Array: (size) => new Float32Array(size / 4),
  Float64Array: (size) => new Float64Array(size / 8),
  BigInt64Array: (size) => new BigInt64Array(size / 8),
  BigUint64Array: (size) => new BigUint64Array(size / 8),
  DataView: (size) => new DataView(new ArrayBuffer(size)),
  ArrayBuffer: (size) => new ArrayBuffer(size),
  SharedArrayBuffer: (size) => new SharedArrayBuffer(size),
  'view of a SharedArrayBuffer': (size) => new Uint16Array(new SharedArrayBuffer(size + 8), 8),
  'pooled Buffer': (size) => Buffer.from(new Uint8Array(size)),
  'view of WebAssembly memory': (size) => new Uint8Array(wasmMemory(), 24, size),
};

describe('a message', () => {
  rankTest('1. may lie in, and be received into, every kind of buffer', 2, async (world) => {
    for (const [kind, make] of Object.entries(KINDS)) {
      for (const [i, size] of SIZES.entries()) {
        const buffer = make(size);
        assert.equal(buffer.byteLength, size, kind);
        if (world.rank === 0) {
          await world.send(fill(buffer, i), { dest: 1 });
        } else {
          const status = await world.recv(buffer, { source: 0 });
          assert.equal(status.byteLength, size, kind);
          assertPattern(buffer, i);
        }
      }
    }
  });

  rankTest('2. is the bytes of the view, and touches nothing around it', 2, async (world) => {
    for (const size of [1, 64, 5_000, 100_001]) {
      for (const offset of [0, 1, 3, 8, 63, 4095]) {
        const whole = new Uint8Array(offset + size + 77).fill(0x55);
        const part = new Uint8Array(whole.buffer, offset, size);
        if (world.rank === 0) {
          await world.send(fill(part, offset), { dest: 1 });
        } else {
          await world.recv(part);
          assertPattern(part, offset);
          assertAll(whole.subarray(0, offset), 0x55);
          assertAll(whole.subarray(offset + size), 0x55);
        }
      }
    }
  });

  rankTest('3. has no element type: floats may be received as bytes', 2, async (world) => {
    if (world.rank === 0) {
      await world.send(Float64Array.of(Math.PI, -0, Number.NaN), { dest: 1 });
    } else {
      const bytes = new Uint8Array(24);
      await world.recv(bytes);
      assert.deepEqual([...new Float64Array(bytes.buffer)], [Math.PI, -0, Number.NaN]);
    }
  });

  rankTest('4. received without a buffer, can be sent on as it is', 3, async (world) => {
    for (const size of SIZES) {
      if (world.rank === 0) await world.send(pattern(9, size), { dest: 1 });
      if (world.rank === 1) await world.send((await world.recv()).data, { dest: 2 });
      if (world.rank === 2) assertPattern((await world.recv({ source: 1 })).data, 9);
    }
  });

  rankTest(
    '5. is what the buffer held when it was sent, even if the buffer changes after the send is done',
    2,
    async (world) => {
      const sizes = [16, 2_000, 8_192, 200_000];
      if (world.rank === 0) {
        const buffer = new Uint8Array(200_000);
        for (const [i, size] of sizes.entries()) {
          await world.send(fill(buffer.subarray(0, size), i), { dest: 1 });
          buffer.fill(0xff);
        }
      } else {
        for (const [i] of sizes.entries()) assertPattern((await world.recv()).data, i);
      }
    },
  );

  rankTest('6. may be sent to several ranks from one buffer at a time', 4, async (world) => {
    const size = 700_000;
    if (world.rank === 0) {
      const buffer = pattern(4, size);
      await Promise.all([1, 2, 3].map((dest) => world.isend(buffer, { dest })));
    } else {
      const into = new Uint8Array(size);
      await world.recv(into, { source: 0 });
      assertPattern(into, 4);
    }
  });

  rankTest(
    '7. keeps its buffer from being collected while it is in flight',
    { nodeOptions: ['--expose-gc'] },
    async (world) => {
      const peer = 1 - world.rank;
      const requests = Array.from({ length: 20 }, (_, i) => world.isend(pattern(i, 100_000), { dest: peer, tag: i }));
      await collectGarbage();
      const garbage = Array.from({ length: 50 }, () => new Uint8Array(100_000).fill(0xdd));
      await collectGarbage();
      for (let i = 0; i < 20; i += 1) assertPattern((await world.recv({ source: peer, tag: i })).data, i);
      await Promise.all(requests);
      assert.equal(bytesOf(garbage[49]!)[0], 0xdd);
    },
  );
});
