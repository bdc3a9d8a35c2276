// Ping-pong between two ranks: blocking, by asking again and again, and by await. Each end receives into a buffer of its own, as OSU's does.
import type { Request } from '../../lib/index.js';
import { type Rank, runRank } from './rank.js';

const blocking: Rank = {
  perSample: (one) => 2 * one.batch,
  leader({ world, peer }, { bytes, batch }) {
    const { out, into, to, from } = endpoints(peer, bytes);
    return () => {
      for (let i = 0; i < batch; i++) {
        world.isend(out, to).wait();
        world.irecv(into, from).wait();
      }
    };
  },
  follower({ world, peer }, { bytes, batch }) {
    const { out, into, to, from } = endpoints(peer, bytes);
    return () => {
      for (let i = 0; i < batch; i++) {
        world.irecv(into, from).wait();
        world.isend(out, to).wait();
      }
    };
  },
};

/** As a program that asks and does nothing else. */
function untilDone(request: Request<unknown>): void {
  while (request.test() === undefined);
}

const polling: Rank = {
  perSample: blocking.perSample,
  leader({ world, peer }, { bytes, batch }) {
    const { out, into, to, from } = endpoints(peer, bytes);
    return () => {
      for (let i = 0; i < batch; i++) {
        untilDone(world.isend(out, to));
        untilDone(world.irecv(into, from));
      }
    };
  },
  follower({ world, peer }, { bytes, batch }) {
    const { out, into, to, from } = endpoints(peer, bytes);
    return () => {
      for (let i = 0; i < batch; i++) {
        untilDone(world.irecv(into, from));
        untilDone(world.isend(out, to));
      }
    };
  },
};

const awaiting: Rank = {
  perSample: blocking.perSample,
  leader({ world, peer }, { bytes, batch }) {
    const { out, into, to, from } = endpoints(peer, bytes);
    return async () => {
      for (let i = 0; i < batch; i++) {
        await world.send(out, to);
        await world.recv(into, from);
      }
    };
  },
  follower({ world, peer }, { bytes, batch }) {
    const { out, into, to, from } = endpoints(peer, bytes);
    return async () => {
      for (let i = 0; i < batch; i++) {
        await world.recv(into, from);
        await world.send(out, to);
      }
    };
  },
};

function endpoints(peer: number, bytes: number) {
  return {
    out: new Uint8Array(bytes),
    into: new Uint8Array(bytes),
    to: { dest: peer, tag: 0 },
    from: { source: peer, tag: 0 },
  };
}

void runRank({ wait: blocking, test: polling, await: awaiting });
