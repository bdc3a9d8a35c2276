// Ping-pong between two ranks: blocking, and by await. Each end receives into a buffer of its own, as OSU's does.
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

void runRank({ wait: blocking, await: awaiting });
