// Measure: how long one run of the handler takes, and so how long a computation stands still, as the engine counts it.

import { type Contestant, runContest } from './lib/contest.js';
import { driversToCompare } from './lib/drivers.js';
import { add, boundOf, countOf } from './lib/histogram.js';
import type { Emit, MeasureLine, ResultLine } from './lib/json.js';
import { type Measure, runAlone } from './lib/measure.js';
import type { Options } from './lib/options.js';
import type { Part } from './lib/parts.js';
import type { HandlerLine } from './lib/peer-lines.js';
import { encodePlan, KiB, MiB, type Plan, roundsOf } from './lib/plan.js';
import { footnotes, only, unique } from './lib/report.js';
import { formatBytes, formatNumber } from './lib/table.js';
import { planFor } from './lib/timing.js';
import { counterRate } from './lib/tsc.js';
import { underDrivers } from './peers/uintr.js';
import { barPlot } from './plots/series.js';

const measure = 'handler';

async function run(options: Options, emit: Emit): Promise<void> {
  const plan = planFor(options, { sizes: [8, 64 * KiB, MiB, 16 * MiB], window: 1 });
  const rate = counterRate();
  const found = new Map<string, { contestant: Contestant; line: HandlerLine }>();
  await runContest({
    measure,
    contestants: contestantsFor(plan, rate !== undefined),
    rounds: roundsOf(options),
    emit,
    complete: (lines) => lines.filter(({ bench }) => bench === 'handler').length === plan.cases.length,
    collect: (contestant, line) => {
      if (line.bench !== 'handler') return;
      const key = `${contestant.id} ${line.bytes}`;
      const known = found.get(key)?.line.cycles ?? [];
      found.set(key, { contestant, line: { ...line, cycles: add(known, line.cycles) } });
    },
  });
  for (const { contestant, line } of found.values()) {
    if (countOf(line.cycles) > 0) emit(resultOf(contestant, line, rate!.cyclesPerMicro));
    else emit({ bench: 'note', measure, text: `${contestant.title}, ${formatBytes(line.bytes)}: no handler has run` });
  }
  if (rate) emit({ bench: 'note', measure, text: `${rate.cyclesPerMicro} cycles a microsecond, by ${rate.by}` });
}

function contestantsFor(plan: Plan, known: boolean): Contestant[] {
  const drivers = driversToCompare().filter((driver) => driver !== 'poll');
  const missing = () => (known ? undefined : 'the rate of the time-stamp counter is not known here');
  return underDrivers('handler', () => [encodePlan(plan)], drivers).map((one) => ({ ...one, missing }));
}

function resultOf({ id, title }: Contestant, { bytes, cycles, driver, copy }: HandlerLine, rate: number): ResultLine {
  const micros = (part: number) => boundOf(cycles, part) / rate;
  const time = { count: countOf(cycles), median: micros(0.5), min: micros(0), p99: micros(0.99) };
  return {
    bench: 'result',
    measure,
    contestant: id,
    title,
    bytes,
    time,
    figure: { unit: 'µs', median: time.median, best: time.min, p99: time.p99, p999: micros(0.999), worst: micros(1) },
    driver,
    copy,
  };
}

function report(lines: MeasureLine[]): Part[] {
  const results = only(lines, 'result');
  const tables = unique(results.map(({ title }) => title)).map((title) => {
    const some = results.filter((result) => result.title === title);
    const row = (name: string, of: (result: ResultLine) => number) => [
      name,
      ...some.map((one) => formatNumber(of(one))),
    ];
    const header = [`${title}: µs, at most`, ...some.map(({ bytes }) => formatBytes(bytes))];
    const rows = [
      row('half of all runs', ({ figure }) => figure.median),
      row('99 %', ({ figure }) => figure.p99),
      row('99.9 %', ({ figure }) => figure.p999!),
      row('all', ({ figure }) => figure.worst!),
      ['(runs)', ...some.map(({ time }) => time.count.toLocaleString('en-US'))],
    ];
    return { table: { header, rows } };
  });
  const bounds = tables.length > 0 ? ['Bounds: the engine counts by powers of two of cycles.'] : [];
  return [...tables, { notes: [...bounds, ...footnotes(lines)] }];
}

export const handler: Measure = {
  name: measure,
  title: 'time in one run of the handler, where both ends compute',
  peers: [],
  run,
  report,
  plots: (lines) => {
    const panels = only(lines, 'result').map((result) => {
      const bar = (title: string, value: number) => ({
        id: result.contestant,
        title,
        value,
        text: formatNumber(value),
      });
      const { median, p99, p999, worst } = result.figure;
      const bars = [bar('half of all runs', median), bar('99 %', p99), bar('99.9 %', p999!), bar('all', worst!)];
      return { heading: `${formatBytes(result.bytes)}, driver ${result.driver}`, bars };
    });
    return barPlot(
      {
        name: measure,
        title: 'One run of the handler: how long a computation stands still – less is better',
        subtitle: 'upper bounds, powers of two of cycles; the axis is logarithmic',
        unit: 'µs, at most',
        scale: 'log',
        columns: 4,
      },
      panels,
    );
  },
};

if (require.main === module) void runAlone(handler);
