// Measure: how long one end of a program takes to notify the other, by each mechanism there is.

import { ratios, runContest } from './lib/contest.js';
import type { Emit, ResultLine } from './lib/json.js';
import { chosen, type Measure, runAlone } from './lib/measure.js';
import { notifyPlan } from './lib/notify-plan.js';
import { reportNotify } from './lib/notify-report.js';
import type { Options } from './lib/options.js';
import type { NotifyLine, Way } from './lib/peer-lines.js';
import { roundsOf } from './lib/plan.js';
import { summarize } from './lib/stats.js';
import { isOurs } from './lib/timing.js';
import { mechanismNames, notifyContestants } from './peers/notify.js';
import { byContestant } from './plots/series.js';

const measure = 'notify';

interface Found {
  title: string;
  contestant: string;
  way: Way;
  line: NotifyLine;
  micros: number[];
}

async function run(options: Options, emit: Emit): Promise<void> {
  const contestants = chosen(options, notifyContestants(notifyPlan(options)));
  const found = new Map<string, Found>();
  await runContest({
    measure,
    contestants,
    rounds: roundsOf(options),
    emit,
    complete: (lines) => lines.filter((line) => line.bench === 'notify').length === 2,
    collect: ({ id, title }, line, round) => {
      if (line.bench !== 'notify') return;
      const { state, reason, oneWay = [], roundTrip = [] } = line;
      if (reason !== undefined) {
        if (round === 0) emit({ bench: 'skipped', measure, contestant: id, title: `${title}, ${state}`, reason });
        return;
      }
      const ways: [Way, number[]][] = [
        [`${state}, one way`, oneWay],
        [`${state}, round trip`, roundTrip],
      ];
      for (const [way, micros] of ways) {
        const one = found.get(`${id} ${way}`) ?? { title, contestant: id, way, line, micros: [] };
        one.micros.push(...micros);
        found.set(`${id} ${way}`, one);
      }
    },
  });
  const place = new Map(contestants.map(({ id }, index) => [id, index]));
  const results = [...found.values()].map(resultOf).sort((a, b) => place.get(a.contestant)! - place.get(b.contestant)!);
  for (const result of results) emit(result);
  for (const ratio of ratios(results, isOurs)) emit(ratio);
}

function resultOf({ contestant, title, way, line, micros }: Found): ResultLine {
  const time = summarize(micros);
  return {
    bench: 'result',
    measure,
    contestant,
    title,
    bytes: 0,
    scenario: way,
    time,
    figure: { unit: 'µs', median: time.median, best: time.min, p99: time.p99 },
    ...(line.driver !== undefined && { driver: line.driver }),
    ...(line.how !== undefined && { how: line.how }),
    ...(line.emulated && { emulated: true }),
  };
}

export const notify: Measure = {
  name: measure,
  title: 'from just before a notification until the program that is notified knows',
  peers: mechanismNames,
  run,
  report: reportNotify,
  plots: (lines) =>
    byContestant(lines, {
      name: measure,
      title: 'Notification: until the program that is notified knows – less is better',
      subtitle: 'medians, by what the notified end does; the axis is logarithmic',
      unit: 'µs',
      scale: 'log',
      columns: 2,
    }),
};

if (require.main === module) void runAlone(notify);
