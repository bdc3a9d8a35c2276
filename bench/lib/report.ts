// A measure's JSON lines as tables.
import type { MeasureLine, RatioLine, ResultLine } from './json.js';
import type { Part } from './parts.js';
import { formatBytes, formatNumber } from './table.js';

export interface Style {
  /** What stands above the figures of a size, where it is not the size. */
  column?(bytes: number): string | undefined;
  /** What the third figure of a cell says. */
  p99: string;
  better: 'less' | 'more';
  /** Which of the ratios are worth a row; all, if not given. */
  shows?(of: string, to: string): boolean;
  /** Which contestants one of ours is compared with as a group, by the best of them. */
  group?: { title: string; ids: readonly string[] };
}

export function only<K extends MeasureLine['bench']>(lines: MeasureLine[], kind: K) {
  return lines.filter((line): line is Extract<MeasureLine, { bench: K }> => line.bench === kind);
}

export function reportTimes(lines: MeasureLine[], style: Style): Part[] {
  return [...timeTables(lines, style), { notes: footnotes(lines) }];
}

/** Figures of each contestant by size, and ratios, where there are any. */
export function timeTables(lines: MeasureLine[], style: Style): Part[] {
  const results = only(lines, 'result');
  if (results.length === 0) return [];
  const sizes = unique(results.map((result) => result.bytes));
  const titles = new Map(results.map((result) => [result.contestant, result.title]));
  const header = sizes.map((bytes) => style.column?.(bytes) ?? formatBytes(bytes));
  const figures = [...titles].map(([id, title]) => [
    title,
    ...sizes.map((bytes) => cell(results.find((result) => result.contestant === id && result.bytes === bytes))),
  ]);
  const shown = only(lines, 'ratio').filter(({ of, to }) => style.shows?.(of, to) ?? true);
  const ratios = ratioRows(shown, titles, sizes, style);
  const tables = [
    { header: [`${results[0].figure.unit}: median (best; ${style.p99})`, ...header], rows: figures },
    { header: [`ratio of medians, ${style.better} is better`, ...header], rows: ratios },
  ];
  return tables.filter(({ rows }) => rows.length > 0).map((table) => ({ table }));
}

export function cell(result: ResultLine | undefined): string {
  if (result === undefined) return '–';
  const { median, best, p99 } = result.figure;
  return `${formatNumber(median)} (${formatNumber(best)}; ${formatNumber(p99)})`;
}

function ratioRows(ratios: RatioLine[], titles: Map<string, string>, sizes: number[], style: Style): string[][] {
  const { group, better } = style;
  const grouped = ({ to }: RatioLine) => group?.ids.includes(to) ?? false;
  // Over the best of a group a ratio is the worst for us.
  const worst = (values: number[]) => (better === 'less' ? Math.max(...values) : Math.min(...values));
  const row = (of: string, to: string | undefined, among: RatioLine[]) => [
    `${titles.get(of)} / ${to}`,
    ...sizes.map((bytes) =>
      multiple(
        among.filter((ratio) => ratio.bytes === bytes).map(({ value }) => value),
        worst,
      ),
    ),
  ];
  return unique(ratios.map((ratio) => ratio.of)).flatMap((of) => {
    const mine = ratios.filter((ratio) => ratio.of === of);
    const single = mine.filter((ratio) => !grouped(ratio));
    const rows = unique(single.map(({ to }) => to)).map((to) =>
      row(
        of,
        titles.get(to),
        single.filter((ratio) => ratio.to === to),
      ),
    );
    const best = mine.filter(grouped);
    return best.length === 0 ? rows : [...rows, row(of, group?.title, best)];
  });
}

function multiple(values: number[], of: (values: number[]) => number): string {
  return values.length === 0 ? '–' : `${formatNumber(of(values))} ×`;
}

/** What a reader has to know beside the figures: drivers, copies, windows that differ, what did not run. */
export function footnotes(lines: MeasureLine[]): string[] {
  const results = only(lines, 'result');
  const usual = results[0]?.window;
  return [
    ...ways(results),
    ...results
      .filter((result) => result.window !== usual)
      .map(
        ({ title, bytes, window }) =>
          `${title}, ${formatBytes(bytes)}: ${window} messages in a window, since it queues copies`,
      ),
    ...only(lines, 'note').map((line) => line.text),
    ...only(lines, 'skipped').map((line) => `not run: ${line.title}: ${line.reason}`),
  ];
}

/** Under which driver and by which copies ours ran; one line where all did alike. */
function ways(results: ResultLine[]): string[] {
  const ours = results.filter((result) => result.driver !== undefined);
  const way = (some: ResultLine[]) => {
    const drivers = unique(some.map(({ driver }) => driver)).join(', ');
    const copies = unique(some.flatMap(({ copy }) => copy ?? [])).join(', ');
    return copies === '' ? `driver ${drivers}` : `driver ${drivers}; copies by ${copies}`;
  };
  const titles = unique(ours.map(({ title }) => title));
  const each = titles.map((title) => way(ours.filter((result) => result.title === title)));
  if (unique(each).length === 1) return [`uintr: ${each[0]}`];
  return titles.map((title, i) => `${title}: ${each[i]}`);
}

export function unique<T>(values: T[]): T[] {
  return [...new Set(values)];
}
