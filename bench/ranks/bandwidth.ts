// A window of sends, answered by one short reply, as OSU's osu_bw.
import { Request } from '../../lib/index.js';
import { type Buffers, distinctBuffers, heapBuffer, oneBuffer } from './buffers.js';
import { type Rank, runRank } from './rank.js';

const replyTag = 2;

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

/** The receiver looks at nothing, and releases each message at once: the handing over alone, as with a transfer list. */
const lending: Rank = {
  perSample: (one) => one.window,
  leader(pair, one) {
    const { world, peer } = pair;
    const [out] = heapBuffer(pair, one);
    const to = { dest: peer, tag: 0, lend: true };
    const reply = new Uint8Array(4);
    const window = Array.from({ length: one.window });
    return () => {
      Request.waitAll(window.map(() => world.isend(out, to)));
      world.irecv(reply, { source: peer, tag: replyTag }).wait();
    };
  },
  follower(pair, one) {
    const { world, peer } = pair;
    const from = { source: peer, tag: 0 };
    const reply = new Uint8Array(4);
    const window = Array.from({ length: one.window });
    return () => {
      for (const request of window.map(() => world.irecv(from))) request.wait().release();
      world.isend(reply, { dest: peer, tag: replyTag }).wait();
    };
  },
};

const awaiting: Rank = {
  perSample: (one) => one.window,
  leader(pair, one) {
    const { world, peer } = pair;
    const [out] = oneBuffer(pair, one);
    const to = { dest: peer, tag: 0 };
    const reply = new Uint8Array(4);
    const window = Array.from({ length: one.window });
    return async () => {
      await Promise.all(window.map(() => world.send(out, to)));
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
      await Promise.all(window.map(() => world.recv(into, from)));
      await world.send(reply, { dest: peer, tag: replyTag });
    };
  },
};

void runRank({
  one: blocking(oneBuffer),
  distinct: blocking(distinctBuffers),
  heap: blocking(heapBuffer),
  await: awaiting,
  lent: lending,
});
