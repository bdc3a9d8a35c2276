// A window of messages each way at the same time, as OSU's osu_bibw: both ends are alike, and nobody replies.
import { Request } from '../../lib/index.js';
import type { Case } from '../lib/plan.js';
import { type Buffers, distinctBuffers, heapBuffer, oneBuffer } from './buffers.js';
import { type Pair, type Rank, runRank } from './rank.js';

function bothWays(make: (pair: Pair, one: Case) => () => void | Promise<void>): Rank {
  return { perSample: (one) => one.window, leader: make, follower: make };
}

function blocking(buffers: Buffers): Rank {
  return bothWays((pair, one) => {
    const { world, peer } = pair;
    const [out, into] = [buffers(pair, one), buffers(pair, one)];
    const [to, from] = [
      { dest: peer, tag: 0 },
      { source: peer, tag: 0 },
    ];
    const requests = new Array<Request<unknown>>(2 * one.window);
    return () => {
      for (let i = 0; i < one.window; i++) requests[i] = world.irecv(into[i % into.length], from);
      for (let i = 0; i < one.window; i++) requests[one.window + i] = world.isend(out[i % out.length], to);
      Request.waitAll(requests);
    };
  });
}

const awaiting = bothWays((pair, one) => {
  const { world, peer } = pair;
  const [[out], [into]] = [oneBuffer(pair, one), oneBuffer(pair, one)];
  const [to, from] = [
    { dest: peer, tag: 0 },
    { source: peer, tag: 0 },
  ];
  const window = Array.from({ length: one.window });
  return async () => {
    const received = window.map(() => world.irecv(into, from));
    await Promise.all([...received, ...window.map(() => world.isend(out, to))]);
  };
});

void runRank({
  one: blocking(oneBuffer),
  distinct: blocking(distinctBuffers),
  heap: blocking(heapBuffer),
  await: awaiting,
});
