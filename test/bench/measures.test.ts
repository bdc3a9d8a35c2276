import type { Line, RatioLine, ResultLine } from '../../bench/lib/json.js';
import { of, type Ran, run, tiny } from './run.js';

const summary = {
  count: expect.any(Number),
  median: expect.any(Number),
  min: expect.any(Number),
  p99: expect.any(Number),
};

/** The fields that every line of a kind has. */
const schema: Record<Exclude<Line['bench'], 'samples' | 'overlap' | 'notify'>, object> = {
  machine: {
    cpu: expect.any(String),
    cores: expect.any(Number),
    kernel: expect.any(String),
    node: process.version,
  },
  progress: {
    measure: expect.any(String),
    step: expect.any(Number),
    steps: expect.any(Number),
    what: expect.any(String),
  },
  skipped: {
    measure: expect.any(String),
    contestant: expect.any(String),
    title: expect.any(String),
    reason: expect.stringMatching(/\w/),
  },
  result: {
    measure: expect.any(String),
    contestant: expect.any(String),
    title: expect.any(String),
    bytes: expect.any(Number),
    time: summary,
    figure: { unit: expect.any(String), median: expect.any(Number), best: expect.any(Number), p99: expect.any(Number) },
  },
  ratio: {
    measure: expect.any(String),
    bytes: expect.any(Number),
    of: expect.stringMatching(/^uintr(\/|$)/),
    to: expect.any(String),
    value: expect.any(Number),
  },
  note: { measure: expect.any(String), text: expect.any(String) },
  reference: { measure: expect.any(String), bytes: expect.any(Number), by: expect.any(String), time: summary },
};

function expectSchema(ran: Ran): void {
  expect(ran.stderr).toBe('');
  expect(ran.status).toBe(0);
  // Nothing but lines on stdout.
  expect(ran.lines).toHaveLength(ran.texts.length);
  for (const line of ran.lines) {
    expect(schema).toHaveProperty(line.bench);
    expect(line).toMatchObject(schema[line.bench as keyof typeof schema]);
  }
  expect(of(ran, 'machine')).toHaveLength(1);
}

/** All of ours ran, and each other contestant ran or says why not. */
function expectContestants(ran: Ran, ours: string[], others: string[]): void {
  const results = new Set(of(ran, 'result').map((line) => line.contestant));
  const skipped = new Set(of(ran, 'skipped').map((line) => line.contestant));
  for (const id of ours) expect(results).toContain(id);
  for (const id of others) expect(results.has(id) || skipped.has(id)).toBe(true);
}

function expectRatiosOfThisRun(ran: Ran): void {
  const results = of(ran, 'result');
  const median = (id: string, { bytes, scenario }: RatioLine) =>
    results.find((one) => one.contestant === id && one.bytes === bytes && one.scenario === scenario)!.figure.median;
  const ratios = of(ran, 'ratio');
  expect(ratios.length).toBeGreaterThan(0);
  for (const ratio of ratios) expect(ratio.value).toBe(median(ratio.of, ratio) / median(ratio.to, ratio));
}

function expectOrdered({ time }: ResultLine): void {
  expect(time.min).toBeLessThanOrEqual(time.median);
  expect(time.median).toBeLessThanOrEqual(time.p99);
}

describe('each measure, at tiny sizes', () => {
  test('latency', () => {
    const ran = run('latency', tiny);
    expectSchema(ran);
    expectContestants(
      ran,
      ['uintr/wait', 'uintr/await', 'uintr/await-asleep', 'unix-socket', 'worker', 'child-process'],
      ['openmpi'],
    );
    expectRatiosOfThisRun(ran);
    for (const line of of(ran, 'result')) {
      expectOrdered(line);
      expect(line.figure).toMatchObject({ unit: 'µs', median: line.time.median });
      expect(line.driver !== undefined).toBe(line.contestant.startsWith('uintr/'));
    }
  });

  test('bandwidth', () => {
    const ran = run('bandwidth', tiny);
    expectSchema(ran);
    expectContestants(
      ran,
      ['uintr/one', 'uintr/heap', 'uintr/distinct', 'uintr/await', 'unix-socket', 'worker', 'child-process'],
      ['openmpi', 'openmpi/distinct'],
    );
    expectRatiosOfThisRun(ran);
    for (const line of of(ran, 'result')) {
      expectOrdered(line);
      expect(line.figure.unit).toBe('GB/s');
      expect(line.figure.median).toBeCloseTo(line.bytes / line.time.median / 1000, 10);
    }
  });

  test('overlap', () => {
    const ran = run('overlap', tiny);
    expectSchema(ran);
    expectContestants(ran, ['uintr/signal', 'uintr/poll'], ['openmpi']);
    expect(of(ran, 'reference').map(({ bytes }) => bytes)).toEqual([8, 70000]);
    const signal = of(ran, 'result').filter(({ contestant }) => contestant === 'uintr/signal');
    expect(signal.map(({ bytes, scenario }) => `${bytes} ${scenario}`).sort()).toEqual(
      ['70000 both', '70000 receiver', '70000 sender', '8 both', '8 receiver', '8 sender'].sort(),
    );
    for (const line of signal) expect(line).toMatchObject({ driver: 'signal', figure: { unit: 'exposed' } });
  });

  test('overlap without Open MPI compares with our own transfer by one end, and says so', () => {
    const ran = run('overlap', [...tiny, '--peers', '']);
    expectSchema(ran);
    for (const { by } of of(ran, 'reference')) expect(by).toMatch(/^uintr, one end copying by \w+$/);
    expect(of(ran, 'note').map(({ text }) => text)).toEqual([expect.stringContaining("not Open MPI's")]);
  });

  test('notify', () => {
    const ran = run('notify', tiny);
    expectSchema(ran);
    const others = ['tgkill', 'eventfd', 'pipe', 'unix-socket', 'futex', 'spin', 'uipi'];
    expectContestants(ran, ['uintr', 'uintr/doorbell'], others);
    expectRatiosOfThisRun(ran);
    const results = of(ran, 'result');
    const ways = (id: string) => results.filter((one) => one.contestant === id).map(({ scenario }) => scenario);
    const running = ['running, one way', 'running, round trip'];
    const asleep = ['asleep, one way', 'asleep, round trip'];
    for (const id of new Set(results.map(({ contestant }) => contestant))) {
      const skipped = of(ran, 'skipped').some(({ contestant }) => contestant === id);
      expect(ways(id)).toEqual(skipped ? running : [...running, ...asleep]);
    }
    for (const id of ['uintr', 'uintr/doorbell']) expect(ways(id)).toEqual([...running, ...asleep]);
    expect(ways('spin')).not.toContain('asleep, one way');
    for (const line of results) {
      expectOrdered(line);
      expect(line).toMatchObject({ bytes: 0, how: expect.stringMatching(/\w/), figure: { unit: 'µs' } });
    }
  });
});
