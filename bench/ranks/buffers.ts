// From what buffers a window of messages is sent. OSU sends one buffer again and again and receives into one; programs
// have distinct ones, which do not stay in the cache; and buffers of the shared heap need no copy by the kernel.
import { type Case, MiB } from '../lib/plan.js';
import type { Pair } from './rank.js';

/** What distinct buffers may take in each rank; beyond it they take turns. */
const distinctBytes = 512 * MiB;

export type Buffers = (pair: Pair, one: Case) => Uint8Array[];

export const oneBuffer: Buffers = (_, { bytes }) => [new Uint8Array(bytes)];
export const heapBuffer: Buffers = ({ world }, { bytes }) => [world.alloc(bytes)];
export const distinctBuffers: Buffers = (_, { bytes, window }) => {
  const count = Math.max(1, Math.min(window, Math.floor(distinctBytes / bytes)));
  return Array.from({ length: count }, () => new Uint8Array(bytes));
};
