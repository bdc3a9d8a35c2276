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
      unit: 'M/s',
    }),
    ...byRanks(counted.flatMap(costs), {
      ...look,
      name: 'counter-cost',
      title: 'What a million operations on one counter cost – less is better',
      subtitle: 'of all workers together, in native code, medians; both axes are logarithmic',
      unit: 'per million',
      within: [0.01, 1e7],
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
    one('processor time', 's per million', spent.cpuSeconds),
    one('voluntary switches', 'per million', spent.voluntary),
    one('involuntary switches', 'per million', spent.involuntary),
  ];
}
