// What many bodies do with a world.
import { once } from 'node:events';
import type { World } from '../../lib/index.js';

/** A tag that the tests use for nothing else. */
const MEET = 2_000_000_000;

/**
 * Both ranks have come here, and what they sent each other before has arrived. A receive with any tag that is posted
 * meanwhile would get this message.
 */
export async function meet(world: World, peer = 1 - world.rank): Promise<void> {
  await Promise.all([
    world.send(new Uint8Array(0), { dest: peer, tag: MEET }),
    world.recv(new Uint8Array(0), { source: peer, tag: MEET }),
  ]);
}

/** The next 'peer-exit'; an event alone would not keep the process alive for it. */
export async function nextPeerExit(world: World): Promise<{ rank: number; cause: string }> {
  world.ref();
  const [info] = (await once(world, 'peer-exit')) as [{ rank: number; cause: string }];
  world.unref();
  return { ...info };
}

/** Collects garbage (needs --expose-gc), and lets finalizers run, which do so from the event loop. */
export async function collectGarbage(): Promise<void> {
  (globalThis as { gc?: () => void }).gc!();
  await new Promise((resolve) => setImmediate(resolve));
}
