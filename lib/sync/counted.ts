// What both counters check, and answer when their region is closed.
import type { NativeCounter } from '../binding.js';
import { invalidArgument } from '../errors.js';
import { type Closable, regionClosed } from './region.js';

export class CounterState implements Closable {
  readonly native: NativeCounter;
  constructor(native: NativeCounter) {
    this.native = native;
  }
  // The addon's answers tell.
  regionClosed(): void {}
}

export function checkCount(value: unknown, name = 'n'): number | bigint {
  if (typeof value === 'bigint' || Number.isSafeInteger(value)) return value as number | bigint;
  throw invalidArgument(name, 'a safe integer or a bigint', value);
}

/** @throws ERR_UINTR_CLOSED where the addon has answered that */
export function checkDone<T>(answer: T | undefined | false): T {
  if (answer === undefined || answer === false) throw regionClosed();
  return answer;
}
