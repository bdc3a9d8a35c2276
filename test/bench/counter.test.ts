// What `uintr bench counter` starts, and what it says of what was found.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readdirSync, readlinkSync, readSync } from 'node:fs';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { type CounterPlan, counterPlans, limitOf } from '../../bench/lib/counter-plan.js';
import { readCounter } from '../../bench/lib/counter-reading.js';
import { scenes } from '../../bench/lib/counter-scenes.js';
import type { ResultLine } from '../../bench/lib/json.js';
import { AtomicCounter, Completion, SharedRegion, SpinLock } from '../../lib/sync.js';
import { of, run } from './run.js';

const ranks = join(__dirname, '..', '..', 'bench', 'ranks');
const small: CounterPlan = { crew: 'threads', workers: [2, 4], series: ['native code', 'JavaScript'], exponent: 12 };

describe('the plan', () => {
  test('with an exponent, that many operations, and otherwise as many as there is time for', () => {
    const [lab] = counterPlans({ quick: false, exponent: 29, ranks: [16] });
    expect(lab).toMatchObject({ exponent: 29, workers: [16] });
    expect(lab.budgetMicros).toBeUndefined();
    expect(counterPlans({ quick: false, exponent: 29, budget: 7 })[0].budgetMicros).toBe(7000);
    expect(counterPlans({ quick: true })[0].budgetMicros).toBeGreaterThan(0);
  });

  test('however far they count, there is a time by which they have hung', () => {
    const limits = [20, 29, 40].map((exponent) => limitOf(counterPlans({ quick: false, exponent })[0]));
    expect(limits).toEqual([...limits].sort((a, b) => a - b));
    expect(limits[2]).toBeLessThan(2 ** 31);
  });

  test('half of the workers increment, so there is an even number of them', () => {
    expect(counterPlans({ quick: true, ranks: [2, 3, 4, 5] })[0].workers).toEqual([2, 4, 6]);
  });
});

describe('who leads the workers', () => {
  const lead = (plan: CounterPlan) => run('ranks/counter', ['atomic', JSON.stringify(plan)]);

  test('has them count as often as it is told', () => {
    const ran = lead(small);
    expect(ran).toMatchObject({ status: 0, stderr: '' });
    const found = of(ran, 'counter').map(({ workers, series, operations }) => ({ workers, series, operations }));
    const cases = [2, 4].flatMap((workers) => small.series.map((series) => ({ workers, series, operations: 4096 })));
    expect(found).toEqual(cases);
  });

  test('has them stop when the time is over', () => {
    const ran = lead({ ...small, crew: 'processes', exponent: 40, budgetMicros: 1000 });
    expect(ran).toMatchObject({ status: 0, stderr: '' });
    for (const { operations } of of(ran, 'counter')) {
      expect(operations).toBeGreaterThan(0);
      expect(operations).toBeLessThan(2 ** 40);
    }
  });

  test('fails if the counter is not 0 in the end, and says what it is', async () => {
    const plan: CounterPlan = { ...small, exponent: 40, budgetMicros: 300_000 };
    const leader = spawn(process.execPath, [join(ranks, 'counter.js'), 'atomic', JSON.stringify(plan)], {
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    let said = '';
    leader.stderr.on('data', (data) => {
      said += data;
    });
    const ended = once(leader, 'close');
    // Somebody else adds to the leader's counter.
    using region = SharedRegion.open(await handleOfRegionIn(leader.pid!));
    new AtomicCounter(region, { name: 'counter' }).add(7);
    expect(await ended).toEqual([1, null]);
    expect(said).toBe('error: the counter is 7, not 0, after 2 workers have counted\n');
  });
});

/** As soon as it has one. */
async function handleOfRegionIn(pid: number): Promise<string> {
  for (;;) {
    const folder = `/proc/${pid}/fd`;
    for (const name of readdirSync(folder)) {
      const identity = identityOf(join(folder, name));
      if (identity !== 0n) return `uintr:${pid}:${name}:0:${identity.toString(16).padStart(16, '0')}`;
    }
    await new Promise((next) => setImmediate(next));
  }
}

/** 0: it is no region, or not yet. */
function identityOf(path: string): bigint {
  try {
    if (!readlinkSync(path).startsWith('/memfd:uintr-region')) return 0n;
    const word = new BigUint64Array(1);
    const fd = openSync(path, 'r');
    readSync(fd, word, 0, 8, 0);
    closeSync(fd);
    return word[0];
  } catch {
    // Closed since.
    return 0n;
  }
}

test('a worker that waits for a lock in native code can be terminated', async () => {
  using region = SharedRegion.create();
  const [ready, start] = ['ready', 'start'].map((name) => new Completion(region, { name }));
  const lock = new SpinLock(region, { name: 'counter' });
  using _held = lock.lock();
  const workerData = { region: region.handle, id: 'spinlock', leader: process.pid };
  const worker = new Worker(join(ranks, 'counter-worker.js'), { workerData });
  worker.postMessage({ series: 'native code', n: 1, times: 1 });
  await ready.waitAsync();
  start.completeAll();
  expect(await worker.terminate()).toBe(1);
});

describe('what the figures say', () => {
  const figures: Record<string, number> = {
    mutex: 10,
    adaptive: 11,
    spinlock: 10,
    ticket: 10,
    atomic: 40,
    'per-cpu': 40,
  };

  function results(changed: Record<string, number>, scenario = scenes.processes): ResultLine[] {
    return Object.entries({ ...figures, ...changed }).map(([id, median]) => ({
      bench: 'result',
      measure: 'counter',
      contestant: `uintr/${id}`,
      title: id,
      bytes: 0,
      scenario,
      ranks: 4,
      time: { count: 1, median: 1 / median, min: 1 / median, p99: 1 / median },
      figure: { unit: 'k/s', median, best: median, p99: median },
      spent: { operations: 1e6, cpuSeconds: 0.1, voluntary: 0, involuntary: 5 },
    }));
  }
  const said = (changed: Record<string, number>, scenario?: string) =>
    readCounter(results(changed, scenario)).join('\n');

  test('who wins, spinning or sleeping, or neither', () => {
    expect(said({ spinlock: 20 })).toMatch(
      /counts 2\.00 × \(4 workers\) as fast as the mutex\. Spinning wins with 4 workers/,
    );
    expect(said({ spinlock: 20 })).not.toContain('Sleeping wins');
    expect(said({ spinlock: 5 })).toMatch(/0\.500 × .* Sleeping wins with 4 workers/);
    expect(said({})).toMatch(/1\.00 × .* Neither wins/);
  });

  test('what order costs, if it does', () => {
    expect(said({ ticket: 0.1 })).toMatch(/The ticket lock counts 1\/100 × \(4 workers\) as fast as the spinlock/);
    expect(said({})).not.toContain('ticket');
  });

  test('whether the per-CPU counter is as fast as it should be', () => {
    expect(said({ 'per-cpu': 240 })).toMatch(/6\.00 × .* a line that no other processor writes/);
    expect(said({ 'per-cpu': 60 })).toMatch(/1\.50 × .* every 25\.0 ns/);
  });

  test('what a holder costs that does not run', () => {
    expect(said({ spinlock: 200, mutex: 0.5 }, scenes.held)).toMatch(
      /4 that wait for the spinlock use 200 % .* 0\.500 %/,
    );
    expect(said({ spinlock: 5 }, scenes.onOne)).toMatch(/could not become free/);
    expect(said({ spinlock: 10 }, scenes.onOne)).toMatch(/It loses little/);
  });

  test('nothing of what was not found', () => {
    expect(readCounter([])).toEqual([]);
    for (const scenario of Object.values(scenes)) {
      for (const id of Object.keys(figures)) {
        const one = results({}, scenario).filter(({ contestant }) => contestant === `uintr/${id}`);
        expect(readCounter(one).join()).not.toMatch(/NaN|undefined|Infinity/);
      }
    }
  });
});
