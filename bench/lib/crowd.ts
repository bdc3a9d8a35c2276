// More ranks than processors.
import { availableParallelism } from 'node:os';
import type { NoteLine } from './json.js';

/** What to know about figures of more ranks than there are processors; nothing where there are none. */
export function crowdNotes(measure: string, ranks: number[], processors = availableParallelism()): NoteLine[] {
  const crowds = ranks.filter((count) => count > processors);
  if (crowds.length === 0) return [];
  const who = `${crowds.join(', ')} ranks share ${processors} processor${processors === 1 ? '' : 's'}`;
  return [{ bench: 'note', measure, text: `${who}: who spins there keeps others from running` }];
}
