// Measure: the kernel lab's experiment in user space: workers increment and decrement one counter, by each primitive of
// uintr/sync.

import { type Contestant, ratios, runContest } from './lib/contest.js';
import { counterPlans } from './lib/counter-plan.js';
import { reportCounter } from './lib/counter-report.js';
import { sceneOf, scenes } from './lib/counter-scenes.js';
import type { Emit, ResultLine } from './lib/json.js';
import { type Measure, runAlone } from './lib/measure.js';
import type { Options } from './lib/options.js';
import type { CounterLine, HeldLine } from './lib/peer-lines.js';
import { whyNotPinned } from './lib/pin.js';
import { roundsOf } from './lib/plan.js';
import { median, summarize } from './lib/stats.js';
import { counterContestants } from './peers/counter.js';
import { counterPlots } from './plots/counter.js';

const measure = 'counter';

interface Found {
  contestant: Contestant;
  scenario: string;
  lines: (CounterLine | HeldLine)[];
}

async function run(options: Options, emit: Emit): Promise<void> {
  const plans = counterPlans(options);
  const contestants = counterContestants(plans);
  const found = new Map<string, Found>();
  await runContest({
    measure,
    contestants,
    rounds: roundsOf(options),
    emit,
    // A leader ends well only when it has done all; a case that went wrong ends it.
    complete: (lines) => lines.some(({ bench }) => bench === 'counter'),
    collect: (contestant, line) => {
      if (line.bench !== 'counter' && line.bench !== 'held') return;
      const scenario = line.bench === 'held' ? scenes.held : sceneOf(line.series, contestant.scenario!);
      const key = `${contestant.id} ${scenario} ${line.workers}`;
      const one = found.get(key) ?? { contestant, scenario, lines: [] };
      one.lines.push(line);
      found.set(key, one);
    },
  });
  const results = [...found.values()].map(resultOf);
  for (const result of results) emit(result);
  const counted = results.filter(({ scenario }) => scenario !== scenes.held);
  const counters = counted.filter(({ contestant }) => ['uintr/atomic', 'uintr/per-cpu'].includes(contestant));
  for (const ratio of ratios(counted, (id) => id !== 'uintr/mutex')) emit(ratio);
  for (const ratio of ratios(counters, (id) => id === 'uintr/per-cpu')) emit(ratio);
  if (plans.every(({ cpu }) => cpu === undefined)) {
    emit({ bench: 'note', measure, text: `not run: workers on one processor: ${whyNotPinned()}` });
  }
}

function resultOf({ contestant: { id, title }, scenario, lines }: Found): ResultLine {
  const time = summarize(lines.map(({ micros }) => micros));
  const base = {
    bench: 'result' as const,
    measure,
    contestant: id,
    title,
    bytes: 0,
    scenario,
    ranks: lines[0].workers,
  };
  const counted = lines.filter((line) => line.bench === 'counter');
  if (counted.length === 0) {
    const burnt = summarize(lines.map(({ cpuMicros, micros }) => (100 * cpuMicros) / micros));
    return { ...base, time, figure: { unit: '%', median: burnt.median, best: burnt.min, p99: burnt.p99 } };
  }
  // Starts may differ in how many operations fitted, so times are those of one.
  const each = summarize(counted.map(({ micros, operations }) => micros / operations));
  const middle = (of: (line: CounterLine) => number) => median(counted.map(of));
  const perMillion = (of: (line: CounterLine) => number) => middle((line) => (1e6 * of(line)) / line.operations);
  return {
    ...base,
    time: each,
    figure: { unit: 'k/s', median: 1000 / each.median, best: 1000 / each.min, p99: 1000 / each.p99 },
    spent: {
      operations: middle(({ operations }) => operations),
      cpuSeconds: perMillion(({ cpuMicros }) => cpuMicros) / 1e6,
      voluntary: perMillion(({ voluntary }) => voluntary),
      involuntary: perMillion(({ involuntary }) => involuntary),
    },
  };
}

export const counter: Measure = {
  name: measure,
  title:
    'one counter, incremented by half of the workers and decremented by the others, with each primitive of uintr/sync',
  peers: [],
  run,
  report: reportCounter,
  plots: counterPlots,
};

if (require.main === module) void runAlone(counter);
