// What is to be carried out, whoever does it: the engine (offloaded.ts), or JavaScript (execution.ts).
import type { Passed } from '../bytes.js';
import type { Core } from '../core.js';
import { UintrError } from '../errors.js';
import type { Group } from '../group.js';
import type { Check } from './check.js';
import type { OpFunction } from './operators.js';
import type { Schedule } from './schedule.js';

export interface Plan {
  readonly schedule: Schedule;
  /** Its. */
  readonly records: Float64Array;
  /** As records name them, from 1 on. */
  readonly buffers: readonly Passed[];
  /** What the ranks have to agree on. */
  readonly check: Check;
  /** The operation of a reduction, where it is a function. */
  readonly combine: OpFunction | undefined;
}

/** Which messages are its own. */
export interface Envelope {
  readonly core: Core;
  readonly group: Group;
  readonly context: number;
  readonly tag: number;
}

export interface Ends {
  /** Takes note of what other ranks have told, which may end this. */
  hear(): void;
  /** It will end with this error, as soon as no other rank touches its buffers. */
  failing(error: unknown): void;
  /** It is over. */
  over(error: unknown): void;
}

/** A plan that is being carried out. */
export interface Run {
  /** Its place in the order of the collectives. */
  readonly sequence: number;
  start(): void;
  /** Ends it with this error: takes back what nobody has matched, and waits for the rest. */
  fail(error: unknown): void;
}

/** @throws ERR_UINTR_NO_MEMORY */
export function scratchOf({ schedule }: Plan, { group: { rank } }: Envelope): Uint8Array {
  try {
    return schedule.memory();
  } catch (cause) {
    throw new UintrError('ERR_UINTR_NO_MEMORY', 'no memory for what a collective operation works in', { rank, cause });
  }
}

/** What is wrong with a message of `byteLength` bytes that has come for the receive at `at` in the records, if anything. */
export function mismatchOf(
  { records, check }: Plan,
  { group }: Envelope,
  scratch: Uint8Array,
  at: number,
  byteLength: number,
): UintrError | undefined {
  const from = group.toGroup(records[at + 1]!)!;
  const room = records[at + 4]!;
  if (byteLength > room) return check.tooLong(from);
  const compared = records[at + 7] !== 0;
  if (!compared) return byteLength === room ? undefined : check.wrongLength(from, byteLength, room);
  const offset = records[at + 3]!;
  return check.compare(scratch.subarray(offset, offset + byteLength), from);
}
