// What every measure's lines have in common.
import type { MeasureLine, RatioLine, ResultLine } from '../../bench/lib/json.js';
import { of, type Ran } from './run.js';

/** Node's own, which are always there. */
export const channels = ['unix-socket', 'worker', 'worker-transfer', 'child-process'];

const summary = {
  count: expect.any(Number),
  median: expect.any(Number),
  min: expect.any(Number),
  p99: expect.any(Number),
};

/** The fields that every line of a kind has. */
const schema: Record<MeasureLine['bench'], object> = {
  machine: {
    cpu: expect.any(String),
    cores: expect.any(Number),
    kernel: expect.any(String),
    node: process.version,
    uintr: expect.any(String),
    driver: expect.stringMatching(/^(uintr|signal|poll)$/),
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

export function expectSchema(ran: Ran): void {
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
export function expectContestants(ran: Ran, ours: string[], others: string[]): void {
  const results = new Set(of(ran, 'result').map((line) => line.contestant));
  const skipped = new Set(of(ran, 'skipped').map((line) => line.contestant));
  for (const id of ours) expect(results).toContain(id);
  for (const id of others) expect(results.has(id) || skipped.has(id)).toBe(true);
}

export function expectRatiosOfThisRun(ran: Ran): void {
  const results = of(ran, 'result');
  const median = (id: string, { bytes, scenario }: RatioLine) =>
    results.find((one) => one.contestant === id && one.bytes === bytes && one.scenario === scenario)!.figure.median;
  const ratios = of(ran, 'ratio');
  const contestants = new Set(results.map(({ contestant }) => contestant));
  expect(ratios.length > 0).toBe([...contestants].some((id) => id !== 'uintr' && !id.startsWith('uintr/')));
  for (const ratio of ratios) expect(ratio.value).toBe(median(ratio.of, ratio) / median(ratio.to, ratio));
}

export function expectOrdered({ time }: ResultLine): void {
  expect(time.min).toBeLessThanOrEqual(time.median);
  expect(time.median).toBeLessThanOrEqual(time.p99);
}

/** Everybody who ran has a figure of each scenario at each size of `tiny`. */
export function expectScenarios(ran: Ran, scenarios: string[], unit: string): void {
  const results = of(ran, 'result');
  for (const id of new Set(results.map(({ contestant }) => contestant))) {
    const cases = results
      .filter(({ contestant }) => contestant === id)
      .map(({ bytes, scenario, figure }) => `${bytes} ${scenario} ${figure.unit}`);
    const expected = [8, 70000].flatMap((bytes) => scenarios.map((scenario) => `${bytes} ${scenario} ${unit}`));
    expect(cases.sort()).toEqual(expected.sort());
  }
}
