// What measures have in common whose figure is not a time: figures of every contestant for the same cases, in scenarios.
import { type Contest, type Contestant, ratios, runContest } from './contest.js';
import type { Emit, Line, RatioLine, ResultLine, Unit } from './json.js';
import { summarize } from './stats.js';

/** What one line of a contestant comes to. */
export interface Sampled {
  bytes: number;
  scenario?: string;
  figures: number[];
  /** Microseconds they were made of. */
  times: number[];
  driver?: string;
  copy?: string;
}

export interface Figures {
  measure: string;
  unit: Unit;
  better: 'less' | 'more';
  contestants: Contestant[];
  rounds: number;
  emit: Emit;
  /** Of how many lines `read` must make something. */
  linesOf(contestant: Contestant): number;
  read(line: Line): Sampled | undefined;
  prepare?: Contest['prepare'];
  around?: Contest['around'];
  /** Of which contestants ratios over the others are made; of none, if not given. */
  isSubject?(id: string): boolean;
}

export async function compareFigures(what: Figures): Promise<ResultLine[]> {
  const { measure, contestants, rounds, emit, prepare, around, isSubject } = what;
  const found = new Map<string, { contestant: Contestant; all: Sampled }>();
  await runContest({
    measure,
    contestants,
    rounds,
    emit,
    prepare,
    around,
    complete: (lines, contestant) =>
      lines.filter((line) => what.read(line) !== undefined).length === what.linesOf(contestant),
    collect: (contestant, line) => {
      const one = what.read(line);
      if (one === undefined) return;
      const key = `${contestant.id} ${one.bytes} ${one.scenario}`;
      const known = found.get(key);
      if (known === undefined) found.set(key, { contestant, all: one });
      known?.all.figures.push(...one.figures);
      known?.all.times.push(...one.times);
    },
  });
  const place = new Map(contestants.map(({ id }, index) => [id, index]));
  const results = [...found.values()]
    .map(({ contestant, all }) => resultOf(what, contestant, all))
    .sort((a, b) => place.get(a.contestant)! - place.get(b.contestant)!);
  for (const result of results) emit(result);
  const compared: RatioLine[] = isSubject === undefined ? [] : ratios(results, isSubject);
  for (const ratio of compared) emit(ratio);
  return results;
}

function resultOf({ measure, unit, better }: Figures, { id, title }: Contestant, all: Sampled): ResultLine {
  const { bytes, scenario, figures, times, driver, copy } = all;
  // The best is the least, or the most; p99 is reached by 99 %, from the other end.
  const sign = better === 'less' ? 1 : -1;
  const { median, min, p99 } = summarize(figures.map((figure) => sign * figure));
  return {
    bench: 'result',
    measure,
    contestant: id,
    title,
    bytes,
    ...(scenario !== undefined && { scenario }),
    time: summarize(times),
    figure: { unit, median: sign * median, best: sign * min, p99: sign * p99 },
    ...(driver !== undefined && { driver }),
    ...(copy !== undefined && { copy }),
  };
}
