// A worker of counter, a thread or a process: it counts as often as it is told, and says what that took.
import { isMainThread, parentPort, workerData } from 'node:worker_threads';
import { binding, type ThreadUsage } from '../../lib/binding.js';
import { AtomicCounter, Completion, SharedRegion } from '../../lib/sync.js';
import type { PrimitiveId, Series } from '../lib/counter-plan.js';
import { pinSelf } from '../lib/pin.js';
import { openPrimitive } from './counter-primitive.js';

export interface Setup {
  /** Its handle. */
  region: string;
  id: PrimitiveId;
  cpu?: number;
  /** Who has started this worker. */
  leader: number;
}

export interface Order {
  series: Series;
  n: 1 | -1;
  times: number;
  /**
   * When all stop before that, after what counts has begun. That is when all workers are at it, for one that is still
   * alone is as fast as nobody is later. What was counted is taken back at the end, so that the sum over all is 0 even so.
   */
  budgetMicros?: number;
}

/** From the worker's first operation to its last, in microseconds of the clock that all read alike. */
export interface Report extends ThreadUsage {
  began: number;
  ended: number;
  /** Operations. */
  done: number;
}

/** Operations in JavaScript between two looks at the clock. */
const chunk = 256;
/** Then a worker that shall end can. */
const sliceMs = 50;
/** Before the first ones that count: by then the loop is compiled. */
const warmUp = 4096;
/** A leader starts what is ready at once, so by then there is none. */
const patienceMs = 60_000;

const setup = isMainThread ? (JSON.parse(process.argv[2]) as Setup) : (workerData as Setup);
const region = SharedRegion.open(setup.region);
const [ready, start, end] = ['ready', 'start', 'end'].map((name) => new Completion(region, { name }));
const opening = new AtomicCounter(region, { name: 'opening' });
const primitive = openPrimitive(setup.id, region);

/** Operations done, as often as it shall, or until then; at least one. */
function count(series: Series, n: 1 | -1, times: number, until = Number.POSITIVE_INFINITY): number {
  let done = 0;
  for (let left = until - now(); done < times && (left > 0 || done === 0); left = until - now()) {
    done += series === 'JavaScript' ? inJavaScript(n, Math.min(chunk, times - done)) : inNative(n, times - done, left);
    if (isMainThread && process.ppid !== setup.leader) process.exit(1);
  }
  return done;
}

function inNative(n: number, times: number, micros = Number.POSITIVE_INFINITY): number {
  const done = primitive.native.run(n, times, Math.min(micros / 1000, sliceMs));
  if (done < 0) throw new Error('the lock says that an owner has died');
  return done;
}

function inJavaScript(n: 1 | -1, times: number): number {
  const operation = n > 0 ? primitive.increment : primitive.decrement;
  for (let i = 0; i < times; i++) operation();
  return times;
}

let warm = false;

function obey({ series, n, times, budgetMicros }: Order): Report {
  if (series === 'JavaScript' && !warm) {
    for (const one of [1, -1] as const) inJavaScript(one, warmUp);
    warm = true;
  }
  ready.complete();
  start.wait(patienceMs);
  const from = Number(opening.load());
  const ahead = budgetMicros === undefined ? 0 : count(series, n, Number.MAX_SAFE_INTEGER, from);
  const before = binding().threadUsage();
  const began = now();
  const done = count(series, n, times, budgetMicros && from + budgetMicros);
  const ended = now();
  const after = binding().threadUsage();
  if (budgetMicros !== undefined) takeBack(-n * (ahead + done));
  end.complete();
  return {
    began,
    ended,
    done,
    cpuMicros: after.cpuMicros - before.cpuMicros,
    voluntary: after.voluntary - before.voluntary,
    involuntary: after.involuntary - before.involuntary,
  };
}

/** In one operation, which may have to wait for more than a slice. */
function takeBack(n: number): void {
  while (inNative(n, 1) === 0);
}

function now(): number {
  return Number(process.hrtime.bigint()) / 1000;
}

/** Whoever leads says what went wrong. */
function answer(order: Order): Report | { failure: string } {
  try {
    return obey(order);
  } catch (error) {
    return { failure: (error as Error).message };
  }
}

pinSelf(setup.cpu);
if (parentPort) parentPort.on('message', (order: Order) => parentPort!.postMessage(answer(order)));
else process.on('message', (order: Order) => process.send!(answer(order)));
