// Computations whose result a single changed bit of a register would change. Each is deterministic, takes about a
// millisecond, and never returns to the event loop.
import { createHash } from 'node:crypto';
import { instantiate } from './wasm.js';

export type Computation = () => string | Promise<string>;

const bits = (numbers: Float64Array | Float32Array): string =>
  createHash('sha1').update(new Uint8Array(numbers.buffer)).digest('hex');

function integers(): string {
  let x = 1;
  let y = 0x2545f491;
  for (let i = 0; i < 300_000; i += 1) {
    x = (Math.imul(x, 1664525) + 1013904223) | 0;
    y ^= x << 13;
    y ^= y >>> 17;
    y = (y + i) | 0;
  }
  return `${x} ${y}`;
}

function floats(): string {
  const bodies = new Float64Array(64).map((_, i) => Math.sin(i + 1));
  for (let step = 0; step < 40; step += 1) {
    for (let i = 0; i < bodies.length; i += 1) {
      let force = 0;
      for (let j = 0; j < bodies.length; j += 1) {
        const d = bodies[j]! - bodies[i]!;
        force += d / Math.sqrt(d * d + 0.01);
      }
      bodies[i] = bodies[i]! + force * 1e-3;
    }
  }
  return bits(bodies);
}

function arrays(): string {
  const a = new Float32Array(4_096).map((_, i) => i * 0.25);
  const b = new Float32Array(4_096).map((_, i) => 1 / (i + 1));
  for (let round = 0; round < 30; round += 1) {
    for (let i = 0; i < a.length; i += 1) a[i] = Math.fround(a[i]! * 0.99 + b[i]!);
    b.set(a.subarray(0, 2_048), 2_048);
    b.copyWithin(1, 0, 2_048);
  }
  return bits(a) + bits(b);
}

function bigints(): string {
  const modulus = 2n ** 521n - 1n;
  let base = 3n;
  for (let i = 0; i < 300; i += 1) base = (base * base + BigInt(i)) % modulus;
  return base.toString(36) + (base ** 3n / 7n ** 99n).toString(36);
}

function text(): string {
  const { gc } = globalThis as { gc?: (options: { type: string }) => void };
  const words: string[] = [];
  for (let i = 0; i < 400; i += 1) words.push(`w${(i * 7919) % 1009}-${String.fromCodePoint(0x3b1 + (i % 20))}`);
  const tree = words.map((word, i) => ({ word, at: [i, i / 3], next: { [word]: word.toUpperCase() } }));
  gc?.({ type: 'minor' });
  const copy = JSON.parse(JSON.stringify(tree)) as typeof tree;
  const joined = copy.map(({ word, at }) => word.replace(/(\d+)-(\p{L})/u, '$2_$1') + at.join()).join(' ');
  const seen = new Map([...joined.matchAll(/_(\d)(\d*)/g)].map(([all, first, rest]) => [all, `${rest}${first}`]));
  return createHash('sha1')
    .update(joined)
    .update(JSON.stringify([...seen]))
    .digest('hex');
}

async function* counter(to: number): AsyncGenerator<number> {
  for (let i = 0; i < to; i += 1) yield i;
}

async function microtasks(): Promise<string> {
  let sum = 0.5;
  for await (const i of counter(300)) sum = sum * 1.0001 + (await Promise.resolve(i / 7));
  const parts = await Promise.all(Array.from({ length: 100 }, async (_, i) => sum / ((await i) + 1)));
  return bits(Float64Array.from(parts));
}

/** Those that exist under the options that node was started with. */
export function computations(): Record<string, Computation> {
  const wasm = instantiate();
  return {
    integers,
    floats,
    arrays,
    bigints,
    text,
    microtasks,
    ...(wasm && {
      'wasm f64': () => bits(Float64Array.of(wasm.f64(150_000))),
      'wasm v128': () => `${wasm.v128(300_000)}`,
    }),
  };
}
