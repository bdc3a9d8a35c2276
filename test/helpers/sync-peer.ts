// What a peer of the uintr/sync tests runs, a process or a worker: it does what it is told, one order after another, and
// answers with what came of each. Run by helpers/sync.ts.
import { closeSync } from 'node:fs';
import { parentPort } from 'node:worker_threads';
import * as api from '../../lib/sync.js';

const sync: Record<string, unknown> = { ...api };

/** A call of a method (or a getter, without `args`) of something that has a number here. */
export interface Order {
  id: number;
  /** The number; a class of uintr/sync for static methods; or 'peer' for what is below. */
  on: number | keyof typeof api | 'peer';
  method: string;
  args?: unknown[];
}

export interface Answer {
  id: number;
  value?: unknown;
  error?: { code?: string; message: string };
}

/** What stays here and has a number in the answer. */
const kept: unknown[] = [];

function number(value: object): { number: number; ownerDied?: boolean } {
  if (!kept.includes(value)) kept.push(value);
  const { ownerDied } = value as { ownerDied?: boolean };
  return { number: kept.indexOf(value), ...(ownerDied !== undefined && { ownerDied }) };
}

const word = (memory: SharedArrayBuffer): Int32Array => new Int32Array(memory);

/** Everything but calls of the api. */
const peer = {
  /** So often a plain change of what the lock guards: a word that it shares, or a counter that is read and then written. */
  bump(lockNumber: number, guarded: SharedArrayBuffer | number, times: number): void {
    const lock = kept[lockNumber] as api.Mutex;
    const counter = typeof guarded === 'number' ? (kept[guarded] as api.AtomicCounter) : undefined;
    const words = counter === undefined ? word(guarded as SharedArrayBuffer) : undefined;
    for (let i = 0; i < times; i += 1) {
      const guard = lock.lock();
      if (words !== undefined) words[0] = words[0]! + 1;
      else counter!.exchange(counter!.load() + 1n);
      guard.unlock();
    }
  },
  /** The same by lockAsync(). */
  async bumpAsync(lockNumber: number, counterNumber: number, times: number): Promise<void> {
    const lock = kept[lockNumber] as api.Mutex;
    const counter = kept[counterNumber] as api.AtomicCounter;
    for (let i = 0; i < times; i += 1) {
      const guard = await lock.lockAsync();
      counter.exchange(counter.load() + 1n);
      guard.unlock();
    }
  },
  /** So often `method` with these arguments. */
  repeat(object: number, method: string, args: unknown[], times: number): void {
    const target = kept[object] as Record<string, (...args: unknown[]) => void>;
    for (let i = 0; i < times; i += 1) target[method]!(...args);
  },
  /** Begins something that is not waited for. */
  begin(object: number, method: string, ...args: unknown[]): void {
    const target = kept[object] as Record<string, (...args: unknown[]) => Promise<unknown>>;
    target[method]!(...args).catch(() => {});
  },
  /** The same, and ends in the moment in which it is over. */
  exitWith(object: number, method: string): void {
    const target = kept[object] as Record<string, () => Promise<unknown>>;
    target[method]!().then(() => process.exit(0));
  },
  /** Begins something, and ends when that has come for it and cannot have been told; `flag`: when this is not 0 any more. */
  exitUntold(object: number, method: string, flag?: number): void {
    const target = kept[object] as api.Mutex | api.Completion;
    (target as unknown as Record<string, () => Promise<unknown>>)[method]!().catch(() => {});
    // The order is answered first, so that who gave it knows that this has begun.
    setImmediate(() => {
      if (target instanceof api.Completion)
        while ((kept[flag!] as api.AtomicCounter).load() === 0n || target.done !== 0);
      else while (target.holder?.pid !== process.pid);
      // The helper has it, and says so to its own thread next.
      const until = performance.now() + 50;
      while (performance.now() < until);
      process.exit(0);
    });
  },
  /** Takes a lock, or waits for a completion, without an answer; counts right before. */
  beginBlocking(object: number, counter: number): void {
    setImmediate(() => {
      (kept[counter] as api.AtomicCounter).increment();
      const target = kept[object] as api.Mutex | api.Completion;
      if (target instanceof api.Completion) target.wait();
      else target.lock();
    });
  },
  /** Drops everything that it has. */
  async forget(): Promise<void> {
    kept.length = 0;
    for (let i = 0; i < 20; i += 1) {
      (globalThis as { gc?: () => void }).gc!();
      await new Promise((resolve) => setImmediate(resolve));
    }
  },
  exitOn(signal: NodeJS.Signals): void {
    process.on(signal, () => process.exit(7));
  },
  pid: () => process.pid,
  exit: () => process.exit(0),
  throw: () =>
    setImmediate(() => {
      throw new Error('as planned');
    }),
  /** Ends as a thread or process does that has nothing left to do. */
  end(): void {
    setImmediate(() => (parentPort ? parentPort.close() : process.disconnect()));
  },
  closeFd: (fd: number) => closeSync(fd),
};

async function obey({ on, method, args }: Order): Promise<unknown> {
  const target = (on === 'peer' ? peer : typeof on === 'number' ? kept[on] : sync[on]) as unknown as Record<
    string,
    unknown
  >;
  if (method === 'new') {
    const [place, ...more] = args!;
    const where = typeof place === 'number' ? kept[place] : place;
    return new (target as unknown as new (...args: unknown[]) => object)(where, ...more);
  }
  if (args === undefined) return target[method];
  return (target[method] as (...args: unknown[]) => unknown).apply(target, args);
}

function answer(message: Answer): void {
  if (parentPort) parentPort.postMessage(message);
  else process.send!(message);
}

const isOurs = (value: unknown): value is object =>
  typeof value === 'object' &&
  value !== null &&
  (value.constructor.name === 'LockGuard' || Object.values(sync).some((one) => value instanceof (one as never)));

(parentPort ?? process).on('message', (order: Order) => {
  obey(order).then(
    (value) => answer({ id: order.id, value: isOurs(value) ? number(value) : value }),
    ({ code, message }) => answer({ id: order.id, error: { code, message } }),
  );
});
