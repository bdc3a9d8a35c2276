// A window of sends, answered by one short reply. OSU sends one buffer again and again and receives into one buffer;
// programs have distinct ones, which do not stay in the cache; and buffers of the shared heap need no copy by the kernel.
import { Request } from '../../lib/index.js';
import { type Case, MiB } from '../lib/plan.js';
import { type Pair, type Rank, runRank } from './rank.js';

const replyTag = 2;

/** What distinct buffers may take in each rank; beyond it they take turns. */
const distinctBytes = 512 * MiB;

type Buffers = (pair: Pair, one: Case) => Uint8Array[];

const oneBuffer: Buffers = (_, { bytes }) => [new Uint8Array(bytes)];
const heapBuffer: Buffers = ({ world }, { bytes }) => [world.alloc(bytes)];
const distinctBuffers: Buffers = (_, { bytes, window }) => {
  const count = Math.max(1, Math.min(window, Math.floor(distinctBytes / bytes)));
  return Array.from({ length: count }, () => new Uint8Array(bytes));
};

function blocking(buffers: Buffers): Rank {
  return {
    perSample: (one) => one.window,
    leader(pair, one) {
      const { world, peer } = pair;
      const out = buffers(pair, one);
      const to = { dest: peer, tag: 0 };
      const reply = new Uint8Array(4);
      const requests = new Array<Request<unknown>>(one.window);
      return () => {
        for (let i = 0; i < one.window; i++) requests[i] = world.isend(out[i % out.length], to);
        Request.waitAll(requests);
        world.irecv(reply, { source: peer, tag: replyTag }).wait();
      };
    },
    follower(pair, one) {
      const { world, peer } = pair;
      const into = buffers(pair, one);
      const from = { source: peer, tag: 0 };
      const reply = new Uint8Array(4);
      const requests = new Array<Request<unknown>>(one.window);
      return () => {
        for (let i = 0; i < one.window; i++) requests[i] = world.irecv(into[i % into.length], from);
        Request.waitAll(requests);
        world.isend(reply, { dest: peer, tag: replyTag }).wait();
      };
    },
  };
}

const awaiting: Rank = {
  perSample: (one) => one.window,
  leader(pair, one) {
    const { world, peer } = pair;
    const [out] = oneBuffer(pair, one);
    const to = { dest: peer, tag: 0 };
    const reply = new Uint8Array(4);
    const window = Array.from({ length: one.window });
    return async () => {
      await Promise.all(window.map(() => world.isend(out, to)));
      await world.recv(reply, { source: peer, tag: replyTag });
    };
  },
  follower(pair, one) {
    const { world, peer } = pair;
    const [into] = oneBuffer(pair, one);
    const from = { source: peer, tag: 0 };
    const reply = new Uint8Array(4);
    const window = Array.from({ length: one.window });
    return async () => {
      await Promise.all(window.map(() => world.irecv(into, from)));
      await world.send(reply, { dest: peer, tag: replyTag });
    };
  },
};

void runRank({
  one: blocking(oneBuffer),
  distinct: blocking(distinctBuffers),
  heap: blocking(heapBuffer),
  await: awaiting,
});
