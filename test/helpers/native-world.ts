// A world as the addon has it, for what the package's own classes do not offer by themselves.
import { binding, type NativeWorld } from '../../lib/binding.js';
import {
  ANY,
  BATCH,
  CONTEXT,
  FLAGS,
  PEER,
  R_ERROR,
  R_HANDLE,
  R_LENGTH,
  R_SOURCE,
  R_TAG,
  RECORD_WORDS,
  read64,
  SLOT_MASK,
  TAG,
} from '../../lib/exchange.js';
import { nativeOptions } from '../../lib/join.js';
import { resolveOptions } from '../../lib/options.js';
import type { Tools } from './registry.js';

type Bytes = NodeJS.ArrayBufferView | ArrayBuffer;

/** How an operation ended. */
export interface Outcome {
  /** src-native/engine/types.h, enum Error */
  error: number;
  source: number;
  /** The record that failed. */
  tag: number;
  /** Of the message that was not expected, in bytes. */
  length: number;
}

export class NativeRank {
  readonly native: NativeWorld;
  readonly words: Int32Array;
  readonly #outcomes = new Map<number, Outcome>();

  constructor(native: NativeWorld) {
    this.native = native;
    this.words = new Int32Array(native.exchange);
  }

  /** Joins the world of the test, as its environment says. */
  static join(t: Tools): Promise<NativeRank> {
    const { name, size, rank } = t.joinOptions;
    return new Promise((resolve, reject) => {
      let joined: NativeRank;
      binding().join(
        { ...nativeOptions(resolveOptions({}, process.env)), name, size: size!, rank },
        (count) => joined.take(count),
        (failure, world) => {
          if (world === undefined) return reject(new Error(failure!.message));
          joined = new NativeRank(world);
          resolve(joined);
        },
      );
    });
  }

  #arguments(peer: number, tag: number, context: number, flags: number): void {
    this.words[PEER] = peer;
    this.words[TAG] = tag;
    this.words[CONTEXT] = context;
    this.words[FLAGS] = flags;
  }

  send(data: Bytes, dest: number, tag: number, context = 0): number {
    this.#arguments(dest, tag, context, 0);
    return this.native.postSend(data);
  }

  receive(into: Bytes, tag: number, context = 0): number {
    this.#arguments(ANY, tag, context, 0);
    return this.native.postRecv(into);
  }

  /** `records` of 8 numbers each; those that are missing are 0. */
  collective(records: number[][], buffers: Bytes[], tag = 1, context = 1): number {
    const ops = new Float64Array(records.length * 8);
    for (const [i, record] of records.entries()) ops.set(record, i * 8);
    this.#arguments(0, tag, context, 0);
    return this.native.postSchedule(ops, buffers);
  }

  take(count: number): void {
    for (let i = 0; i < count; i += 1) {
      const at = BATCH + i * RECORD_WORDS;
      const slot = this.words[at + R_HANDLE]! & SLOT_MASK;
      const outcome = {
        error: this.words[at + R_ERROR]!,
        source: this.words[at + R_SOURCE]!,
        tag: this.words[at + R_TAG]!,
        length: read64(this.words, at + R_LENGTH),
      };
      if (this.words[at + R_HANDLE] !== -1) this.#outcomes.set(slot, outcome);
    }
  }

  /** One look. Whether the operation is over. */
  over(slot: number): boolean {
    if (!this.#outcomes.has(slot)) this.take(this.native.progress());
    return this.#outcomes.has(slot);
  }

  /** Blocks until the operation in this slot is over; one that has none was over at once. */
  wait(slot: number): Outcome | undefined {
    while (slot >= 0 && !this.#outcomes.has(slot)) this.take(this.native.waitSlice(50));
    const outcome = this.#outcomes.get(slot);
    this.#outcomes.delete(slot);
    return outcome;
  }

  close(): Promise<void> {
    this.native.beginClose();
    while (!this.native.quiescent()) this.take(this.native.waitSlice(50));
    return new Promise((resolve) => this.native.close(resolve));
  }
}
