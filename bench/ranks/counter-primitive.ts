// One primitive of the region that all workers of counter share, as each of them has it.
import { binding, failed, type NativeCounting } from '../../lib/binding.js';
import { Kind } from '../../lib/sync/primitive.js';
import { AtomicCounter, Mutex, PerCpuCounter, type SharedRegion, SpinLock } from '../../lib/sync.js';
import type { PrimitiveId } from '../lib/counter-plan.js';

export interface Primitive {
  native: NativeCounting;
  /** Adds 1, or -1, by calls from JavaScript. */
  increment(): void;
  decrement(): void;
  /** What has been counted, for whom nobody counts meanwhile. */
  value(): bigint;
  lock?: Mutex | SpinLock;
}

const name = 'counter';
const kinds: Record<PrimitiveId, number> = {
  mutex: Kind.Mutex,
  adaptive: Kind.AdaptiveMutex,
  spinlock: Kind.SpinLock,
  ticket: Kind.TicketLock,
  atomic: Kind.AtomicCounter,
  'per-cpu': Kind.PerCpuCounter,
};

export function openPrimitive(id: PrimitiveId, region: SharedRegion): Primitive {
  const native = binding().openCounting({ region: region.handle, kind: kinds[id], name });
  if (failed(native)) throw new Error(native.message);
  switch (id) {
    case 'mutex':
    case 'adaptive':
      return guarding(new Mutex(region, { name, adaptive: id === 'adaptive' }), native);
    case 'spinlock':
    case 'ticket':
      return guarding(new SpinLock(region, { name, ticket: id === 'ticket' }), native);
    case 'atomic': {
      const counter = new AtomicCounter(region, { name });
      return {
        native,
        increment: () => counter.increment(),
        decrement: () => counter.decrement(),
        value: () => counter.load(),
      };
    }
    case 'per-cpu': {
      const counter = new PerCpuCounter(region, { name });
      return {
        native,
        increment: () => counter.increment(),
        decrement: () => counter.decrement(),
        value: () => counter.sum(),
      };
    }
  }
}

/** A plain word, which nothing but the lock keeps right. */
function guarding(lock: Mutex | SpinLock, native: NativeCounting): Primitive {
  const word = new BigInt64Array(native.guarded!);
  return {
    native,
    lock,
    increment: () => {
      lock.lock();
      word[0]++;
      lock.unlock();
    },
    decrement: () => {
      lock.lock();
      word[0]--;
      lock.unlock();
    },
    value: () => word[0],
  };
}
