// By which copies a case really ran: what a pair can do is one thing, what a buffer allows another.
import type { CopyKind, World } from '../../lib/index.js';

const kinds: CopyKind[] = ['direct', 'heap', 'cma', 'pipeline'];

/** What this rank copied since it was asked last: bytes of each kind. */
export function copyCounter(world: World): () => Float64Array {
  let before = copied(world);
  return () => {
    const now = copied(world);
    const since = now.map((bytes, kind) => bytes - before[kind]);
    before = now;
    return since;
  };
}

function copied(world: World): Float64Array {
  const { copied } = world.stats();
  return Float64Array.from(kinds, (kind) => copied[kind].asReceiver + copied[kind].asSender);
}

/** The kinds of copies that both ends made; `usual` where there were none, since short messages travel in the ring. */
export function kindsOf(mine: Float64Array, theirs: Float64Array, usual: CopyKind): string {
  return kinds.filter((_, kind) => mine[kind] + theirs[kind] > 0).join(' and ') || usual;
}

export const kindCount = kinds.length;
