// Leads workers that count with one primitive: starts them together, waits for as many completions as there are workers,
// and checks that what half of them have added the other half has taken away.
import { AtomicCounter, Completion, SharedRegion } from '../../lib/sync.js';
import type { CounterPlan, PrimitiveId, Series } from '../lib/counter-plan.js';
import { print } from '../lib/peer-lines.js';
import { openPrimitive, type Primitive } from './counter-primitive.js';
import type { Order, Report } from './counter-worker.js';
import { Crew } from './crew.js';

const id = process.argv[2] as PrimitiveId;
const plan = JSON.parse(process.argv[3]) as CounterPlan;
const region = SharedRegion.create();
const [ready, start, end] = ['ready', 'start', 'end'].map((name) => new Completion(region, { name }));
/** When what counts begins, in microseconds of the clock that all read alike. */
const opening = new AtomicCounter(region, { name: 'opening' });
const primitive = openPrimitive(id, region);
const kind = plan.crew === 'threads' ? 'thread' : 'process';
const crew = new Crew(kind, { region: region.handle, id, cpu: plan.cpu, leader: process.pid });

/** For each worker, until all have had a turn. */
const wakeMicros = 4000n;

async function main(): Promise<void> {
  try {
    for (const workers of plan.workers) {
      crew.grow(workers);
      for (const series of plan.series) await run(workers, series);
    }
    if (plan.held && primitive.lock) await runHeld(primitive.lock, plan.held);
  } finally {
    await crew.end();
  }
}

async function run(workers: number, series: Series): Promise<void> {
  const times = Math.ceil(2 ** plan.exponent / workers);
  const reports = await runCase(ordersOf(workers, { series, times, budgetMicros: plan.budgetMicros }));
  const operations = reports.reduce((sum, { done }) => sum + done, 0);
  print({ bench: 'counter', series, workers, operations, ...totals(reports) });
}

/** Nobody who wants the lock gets it for so long, because who holds it sleeps: as if it had been preempted. */
async function runHeld(lock: NonNullable<Primitive['lock']>, { milliseconds, workers }: Held): Promise<void> {
  crew.grow(workers);
  const guard = lock.lock();
  const reports = await runCase(ordersOf(workers, { series: 'native code', times: 1 }), () => {
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, milliseconds);
    guard.unlock();
  });
  const { micros, cpuMicros } = totals(reports);
  print({ bench: 'held', workers, micros, cpuMicros });
}

type Held = NonNullable<CounterPlan['held']>;

function ordersOf(workers: number, what: Omit<Order, 'n'>): Order[] {
  return Array.from({ length: workers }, (_, i) => ({ ...what, n: i % 2 === 0 ? 1 : -1 }));
}

async function runCase(orders: Order[], meanwhile = () => {}): Promise<Report[]> {
  const reports = Promise.all(crew.do(orders));
  // A worker that is lost completes nothing any more.
  const lost = reports.then(() => new Promise<never>(() => {}));
  const all = (completion: Completion) => Promise.race([lost, Promise.all(orders.map(() => completion.waitAsync()))]);
  await all(ready);
  opening.exchange(process.hrtime.bigint() / 1000n + BigInt(orders.length) * wakeMicros);
  start.completeAll();
  meanwhile();
  await all(end);
  start.reinit();
  const found = await reports;
  check(orders.length);
  return found;
}

function check(workers: number): void {
  const value = primitive.value();
  if (value !== 0n) throw new Error(`the counter is ${value}, not 0, after ${workers} workers have counted`);
}

function totals(reports: Report[]) {
  const sum = (of: (report: Report) => number) => reports.reduce((total, report) => total + of(report), 0);
  return {
    micros: Math.max(...reports.map(({ ended }) => ended)) - Math.min(...reports.map(({ began }) => began)),
    cpuMicros: sum(({ cpuMicros }) => cpuMicros),
    voluntary: sum(({ voluntary }) => voluntary),
    involuntary: sum(({ involuntary }) => involuntary),
  };
}

void main().catch((error: Error) => {
  console.error(`error: ${error.message}`);
  process.exitCode = 1;
});
