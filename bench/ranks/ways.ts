// By which driver and copies a case really ran: what a pair can do is one thing, what a buffer allows another.
import type { CopyKind, World } from '../../lib/index.js';

/** Asked after each case: its driver, and the kinds of copies of this rank since it was asked last. */
export function waysOf(world: World, peer: number): () => { driver: string; copy: string } {
  let before = bytesByKind(world);
  return () => {
    const now = bytesByKind(world);
    const used = [...now.keys()].filter((kind) => now.get(kind)! > before.get(kind)!);
    before = now;
    // Short messages travel in the ring, and the other end may have made all copies.
    return { driver: world.driver, copy: used.join(' and ') || world.copy(peer) };
  };
}

function bytesByKind(world: World): Map<CopyKind, number> {
  const copied = Object.entries(world.stats().copied) as [CopyKind, { asReceiver: number; asSender: number }][];
  return new Map(copied.map(([kind, { asReceiver, asSender }]) => [kind, asReceiver + asSender]));
}
