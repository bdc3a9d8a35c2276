// Under which drivers a measure of progress runs ours.
import { support } from '../../lib/index.js';

/** `poll` shows what remains without interrupts. */
export function driversToCompare(): string[] {
  return [...(support().drivers.uintr.ok ? ['uintr'] : []), 'signal', 'poll'];
}
