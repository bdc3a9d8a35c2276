// One collective operation, to be started again and again on the same buffers. bench/peers/mpi/collectives.h is the same.
import type { Request, World } from '../../lib/index.js';
import type { Operation } from '../lib/collective-plan.js';

const root = 0;

export function operationOf(world: World, operation: Operation, bytes: number): () => Request<unknown> {
  switch (operation) {
    case 'barrier':
      return () => world.ibarrier();
    case 'bcast': {
      const buffer = new Uint8Array(bytes).fill(1);
      return () => world.ibcast(buffer, root);
    }
    case 'reduce': {
      const [from, into] = numbers(bytes);
      return () => world.ireduce(from, into, 'sum', root);
    }
    case 'allreduce': {
      const [from, into] = numbers(bytes);
      return () => world.iallreduce(from, into, 'sum');
    }
    case 'allgather': {
      const [from, into] = [new Uint8Array(bytes).fill(1), new Uint8Array(bytes * world.size)];
      return () => world.iallgather(from, into);
    }
    case 'alltoall': {
      const [from, into] = [new Uint8Array(bytes * world.size).fill(1), new Uint8Array(bytes * world.size)];
      return () => world.ialltoall(from, into);
    }
  }
}

function numbers(bytes: number): [Float64Array, Float64Array] {
  const count = Math.max(1, Math.floor(bytes / 8));
  return [new Float64Array(count).fill(1), new Float64Array(count)];
}
