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

/** Nothing of any communicator but the world is left at this rank, save the receives that `mayStay`. */
export async function nothingLeft(world: World, mayStay: 'none' | 'sinks' = 'none'): Promise<void> {
  for (;;) {
    const ofWorld = [...Array(world.size).keys()].filter((source) => world.iprobe({ source }) !== null).length;
    const { requests, unexpectedEager, unexpectedRendezvous } = world.inspect();
    const left = requests.filter(({ kind, byteLength }) => mayStay === 'none' || kind !== 'receive' || byteLength > 0);
    if (left.length === 0 && unexpectedEager + unexpectedRendezvous === ofWorld) return;
    await new Promise((resolve) => setImmediate(resolve));
  }
}

/** All ranks have come here; each has at most one message of this on its way to another. */
export async function allMeet(world: World): Promise<void> {
  const others = [...Array(world.size).keys()].slice(1);
  if (world.rank === 0) {
    for (const source of others) await world.recv({ source, tag: 77 });
    for (const dest of others) await world.send(new Uint8Array(0), { dest, tag: 78 });
  } else {
    await world.send(new Uint8Array(0), { dest: 0, tag: 77 });
    await world.recv({ source: 0, tag: 78 });
  }
}
