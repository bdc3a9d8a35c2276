// Measure: what grows with the number of ranks: joining, an all-to-all, and shared memory, by pairs that talk.

import { type Contestant, runContest } from './lib/contest.js';
import { crowdNotes } from './lib/crowd.js';
import type { Emit, ResultLine } from './lib/json.js';
import { chosen, type Measure, runAlone } from './lib/measure.js';
import type { Options } from './lib/options.js';
import type { PairTimes, ScaleLine } from './lib/peer-lines.js';
import { roundsOf } from './lib/plan.js';
import { perPair, postedReceives, scalePlan, scaleRanks } from './lib/scale-plan.js';
import { reportScale } from './lib/scale-report.js';
import { summarize } from './lib/stats.js';
import { formatBytes } from './lib/table.js';
import { mpiPeers } from './peers/mpi.js';
import { scaleContestants } from './peers/scale.js';
import { byRanks } from './plots/series.js';

const measure = 'scale';

interface Found {
  contestant: Contestant;
  lines: ScaleLine[];
}

async function run(options: Options, emit: Emit): Promise<void> {
  const plan = scalePlan(options);
  const contestants = chosen(
    options,
    scaleRanks(options).flatMap((ranks) => scaleContestants(ranks, plan)),
  );
  const found = new Map<Contestant, Found>();
  await runContest({
    measure,
    contestants,
    rounds: roundsOf(options),
    emit,
    complete: (lines) => lines.filter(({ bench }) => bench === 'scale').length === 1,
    collect: (contestant, line) => {
      if (line.bench !== 'scale') return;
      const lines = found.get(contestant)?.lines ?? [];
      found.set(contestant, { contestant, lines: [...lines, line] });
    },
  });
  const ordered = contestants.flatMap((contestant) => found.get(contestant) ?? []);
  for (const one of ordered) for (const result of resultsOf(one)) emit(result);
  for (const note of crowdNotes(measure, scaleRanks(options), plan.cpus?.length)) emit(note);
}

function resultsOf({ contestant: { id, title }, lines }: Found): ResultLine[] {
  const { ranks, driver, alltoall } = lines[0];
  const result = (scenario: string, unit: 'µs' | 'KiB', bytes: number, values: number[]): ResultLine => {
    const { count, median, min, p99 } = summarize(values);
    const figure = { unit, median, best: min, p99 };
    const time = { count, median, min, p99 };
    return {
      bench: 'result',
      measure,
      contestant: id,
      title,
      bytes,
      scenario,
      ranks,
      time,
      figure,
      ...(driver && { driver }),
    };
  };
  const pairTimes = (of: (pair: PairTimes) => number[]) => lines.flatMap(({ pair }) => (pair ? of(pair) : []));
  const kibibytes = (of: (line: ScaleLine) => number) => lines.map((line) => of(line) / 1024);
  return [
    result(
      'to join',
      'µs',
      0,
      lines.map(({ join }) => join),
    ),
    ...alltoall.map(({ bytes }, i) =>
      result(
        `all-to-all, ${formatBytes(bytes)} to each`,
        'µs',
        bytes,
        lines.flatMap((line) => line.alltoall[i].micros),
      ),
    ),
    ...(lines[0].pair
      ? [
          result(
            '8 B message of a pair, the others silent',
            'µs',
            8,
            pairTimes(({ silent }) => silent),
          ),
          result(
            `the same beside ${postedReceives} posted receives`,
            'µs',
            8,
            pairTimes(({ posted }) => posted),
          ),
        ]
      : []),
    result(
      'shared memory of a rank that has not talked',
      'KiB',
      0,
      kibibytes(({ shared }) => shared.joined / ranks),
    ),
    result(
      'added by a pair that talks, of neighbours',
      'KiB',
      0,
      kibibytes(({ shared }) => perPair(ranks, shared).neighbours),
    ),
    result(
      'added by a pair that talks, of all',
      'KiB',
      0,
      kibibytes(({ shared }) => perPair(ranks, shared).all),
    ),
  ];
}

/** Shorter, for the plot. */
const headings: Record<string, string> = {
  'shared memory of a rank that has not talked': 'memory of a silent rank',
  'added by a pair that talks, of neighbours': 'memory of a pair, of neighbours',
  'added by a pair that talks, of all': 'memory of a pair, of all',
};

export const scale: Measure = {
  name: measure,
  title: 'many ranks on this machine: to join, all-to-all, shared memory',
  peers: mpiPeers,
  run,
  report: reportScale,
  plots: (lines) =>
    byRanks(lines, {
      name: measure,
      title: 'Many ranks on this machine – less is better',
      subtitle: 'medians over the number of ranks, which is logarithmic, as are the figures where none is 0',
      unit: 'µs',
      scale: 'log',
      heading: (scenario) => headings[scenario] ?? scenario,
    }),
};

if (require.main === module) void runAlone(scale);
