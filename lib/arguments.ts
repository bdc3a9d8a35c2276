// Checks of arguments that every operation shares.
import { ANY_SOURCE, ANY_TAG, MAX_TAG, PROC_NULL } from './constants.js';
import { invalidArgument } from './errors.js';

/** Keys that an options object may have. */
export interface KeySet {
  readonly all: ReadonlySet<string>;
  /** Two of them, which most calls have and no others: to compare is faster than to look up. */
  readonly first: string;
  readonly second: string;
}

/** Fields of a Status are allowed everywhere, so that one can be passed as options as it is. */
const STATUS_KEYS = ['source', 'tag', 'byteLength'];

export function keySet(...keys: string[]): KeySet {
  const [first, second] = [...keys, ...STATUS_KEYS];
  return { all: new Set([...keys, ...STATUS_KEYS]), first: first!, second: second! };
}

export const SEND_KEYS: KeySet = keySet('dest', 'tag', 'signal', 'lend');
export const OBJECT_KEYS: KeySet = keySet('dest', 'tag', 'signal');
export const RECEIVE_KEYS: KeySet = keySet('source', 'tag', 'signal');

/** Throws unless `options` is an object (or undefined, for which it returns an empty one) with these keys only. */
export function checkOptions<T extends object>(options: T | undefined, known: KeySet): T {
  if (options === undefined) return {} as T;
  if (typeof options !== 'object' || options === null || Array.isArray(options)) {
    throw invalidArgument('options', 'an object', options);
  }
  for (const key in options) {
    if (key !== known.first && key !== known.second && !known.all.has(key)) {
      throw invalidArgument(key, `one of the options ${[...known.all].join(', ')}`, key);
    }
  }
  return options;
}

/** A rank of the communicator, or PROC_NULL. */
export function checkDest(value: unknown, size: number): number {
  if (typeof value === 'number' && Number.isInteger(value) && value < size && (value >= 0 || value === PROC_NULL))
    return value;
  throw invalidArgument('dest', `a rank (0 to ${size - 1}) or PROC_NULL`, value);
}

/** A rank of the communicator, ANY_SOURCE or PROC_NULL. */
export function checkSource(value: unknown, size: number): number {
  if (value === undefined) return ANY_SOURCE;
  if (typeof value === 'number' && Number.isInteger(value) && value < size && value >= PROC_NULL) return value;
  throw invalidArgument('source', `a rank (0 to ${size - 1}), ANY_SOURCE or PROC_NULL`, value);
}

export function checkSendTag(value: unknown, name = 'tag'): number {
  if (value === undefined) return 0;
  if (isTag(value)) return value;
  throw invalidArgument(name, `an integer from 0 to ${MAX_TAG}`, value);
}

export function checkRecvTag(value: unknown, name = 'tag'): number {
  if (value === undefined || value === ANY_TAG) return ANY_TAG;
  if (isTag(value)) return value;
  throw invalidArgument(name, `an integer from 0 to ${MAX_TAG} or ANY_TAG`, value);
}

/** `rank` of the world itself, for questions about it. */
export function checkRank(value: unknown, size: number, name = 'rank'): number {
  if (typeof value === 'number' && Number.isInteger(value) && value >= 0 && value < size) return value;
  throw invalidArgument(name, `a rank (0 to ${size - 1})`, value);
}

export function checkSignal(value: unknown): AbortSignal | undefined {
  if (value === undefined) return undefined;
  if (typeof value === 'object' && value !== null && 'aborted' in value && 'addEventListener' in value) {
    return value as AbortSignal;
  }
  throw invalidArgument('signal', 'an AbortSignal', value);
}

export function checkLend(value: unknown): boolean {
  return checkFlag('lend', value);
}

/** An option that is off where it is not given. */
export function checkFlag(name: string, value: unknown): boolean {
  if (value === undefined || typeof value === 'boolean') return value === true;
  throw invalidArgument(name, 'true or false', value);
}

/** Milliseconds; undefined is for ever. */
export function checkTimeout(value: unknown, name = 'timeoutMs'): number {
  if (value === undefined) return Number.POSITIVE_INFINITY;
  if (typeof value === 'number' && value >= 0) return value;
  throw invalidArgument(name, 'a number of milliseconds, 0 or more', value);
}

function isTag(value: unknown): value is number {
  return typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= MAX_TAG;
}
