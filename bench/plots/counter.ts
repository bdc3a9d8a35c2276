// Counter as pictures: how much is counted, and what it costs, by the number of workers.
import { scenes } from '../lib/counter-scenes.js';
import type { MeasureLine, ResultLine, Unit } from '../lib/json.js';
import { only } from '../lib/report.js';
import type { Plot } from './plot.js';
import { byRanks } from './series.js';

export function counterPlots(lines: MeasureLine[]): Plot[] {
  const counted = only(lines, 'result').filter(({ scenario }) => scenario !== scenes.held);
  const look = { scale: 'log' as const, ranks: 'workers' };
  return [
    ...byRanks(counted, {
      ...look,
      name: 'counter',
      title: 'One counter, incremented and decremented – more is better',
      subtitle: 'operations of all workers together, medians; both axes are logarithmic',
      unit: 'thousands a second',
    }),
    ...byRanks(counted.flatMap(costs), {
      ...look,
      name: 'counter-cost',
      title: 'What operations on one counter cost – less is better',
      subtitle: 'processor time of one, context switches of a thousand; in native code, medians',
      unit: 'per thousand',
      within: [0.001, 10_000],
    }),
  ];
}

/** As figures of their own. */
function costs(result: ResultLine): ResultLine[] {
  const { spent, scenario } = result;
  const where = scenario === scenes.threads ? 'threads' : scenario === scenes.processes ? 'processes' : undefined;
  if (spent === undefined || where === undefined) return [];
  const one = (what: string, unit: Unit, value: number): ResultLine => ({
    ...result,
    scenario: `${what}, ${where}`,
    figure: { unit, median: value, best: value, p99: value },
  });
  return [
    // Seconds for a million are microseconds for one.
    one('processor time', 'µs', spent.cpuSeconds),
    one('voluntary switches', 'per thousand', spent.voluntary / 1000),
    one('involuntary switches', 'per thousand', spent.involuntary / 1000),
  ];
}
