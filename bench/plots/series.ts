// What a measure found, as panels: by length of the message, by number of ranks, or one bar for each contestant.
import type { MeasureLine, ResultLine } from '../lib/json.js';
import { only, unique } from '../lib/report.js';
import { formatNumber } from '../lib/table.js';
import { bytesAxis, ranksAxis, valueAxis } from './axes.js';
import type { Axis, Bar, BarPanel, Level, Line, LinePanel, Plot } from './plot.js';

/** What the panels of a plot have in common. */
export interface Look {
  name: string;
  title: string;
  subtitle: string;
  /** Of the figures. */
  unit: string;
  scale: Axis['scale'];
  columns?: number;
  /** Above the panel of a scenario; itself, if not given, and nothing where there is only one. */
  heading?(scenario: string): string;
  /** Of contestants or cases that would make the plot unreadable. */
  keeps?(result: ResultLine): boolean;
  /** Of scenarios; as they were found, if not given. */
  order?(a: string, b: string): number;
  level?: Level;
  /** The figure drawn; the median, if not given. */
  figure?(result: ResultLine): number | undefined;
  /** Figures that are out of this are drawn at its edge: one of them would make all others a flat line. */
  within?: [number, number];
}

interface Drawn {
  result: ResultLine;
  value: number;
  /** Its figure is beyond `within`. */
  atEdge: boolean;
}

const scenarioOf = ({ result }: Drawn) => result.scenario ?? '';

function drawnOf(lines: MeasureLine[], { keeps = () => true, figure = medianOf, within }: Look): Drawn[] {
  return only(lines, 'result').flatMap((result) => {
    const value = keeps(result) && !result.emulated ? figure(result) : undefined;
    if (value === undefined || !Number.isFinite(value)) return [];
    const shown = within ? Math.min(Math.max(value, within[0]), within[1]) : value;
    return [{ result, value: shown, atEdge: shown !== value }];
  });
}

const medianOf = ({ figure }: ResultLine) => figure.median;

/** Figures over the length of a message, a panel for each scenario; no plot where nothing was found. */
export function byBytes(lines: MeasureLine[], look: Look): Plot[] {
  const axis = (some: Drawn[]) =>
    bytesAxis(
      'message length',
      some.map(({ result }) => result.bytes),
    );
  return linePanels(lines, look, axis, ({ bytes }) => Math.max(bytes, 1));
}

/** Figures over the number of ranks, or of what look.ranks says. */
export function byRanks(lines: MeasureLine[], look: Look & { ranks?: string }): Plot[] {
  const { ranks: title = 'ranks' } = look;
  const axis = (some: Drawn[]) =>
    ranksAxis(
      title,
      some.map(({ result }) => result.ranks ?? 1),
    );
  return linePanels(lines, look, axis, ({ ranks }) => ranks ?? 1);
}

function linePanels(
  lines: MeasureLine[],
  look: Look,
  xAxis: (some: Drawn[]) => Axis,
  at: (result: ResultLine) => number,
): Plot[] {
  const drawn = drawnOf(lines, look);
  const scenarios = unique(drawn.map(scenarioOf)).sort(look.order ?? (() => 0));
  const levels = look.level ? [look.level.at] : [];
  const sameUnit = unique(drawn.map(({ result }) => result.figure.unit)).length <= 1;
  const shared = valueAxis(look.unit, [...drawn.map(({ value }) => value), ...levels], look.scale);
  const panels = scenarios.map((scenario): LinePanel => {
    const some = drawn.filter((one) => scenarioOf(one) === scenario);
    const values = some.map(({ value }) => value);
    return {
      kind: 'lines',
      ...(scenarios.length > 1 && { heading: look.heading?.(scenario) ?? scenario }),
      x: xAxis(some),
      // Panels compare with each other where they can.
      y: sameUnit ? shared : valueAxis(some[0].result.figure.unit, values, look.scale),
      lines: contestantsOf(some).map(({ id, title }): Line => {
        const points = some
          .filter(({ result }) => result.contestant === id)
          .map(({ result, value }): [number, number] => [at(result), value]);
        return { id, title, points: points.sort((a, b) => a[0] - b[0]) };
      }),
      ...(look.level && { level: look.level }),
    };
  });
  const edge = drawn.some(({ atEdge }) => atEdge) ? `; beyond ${look.within?.join(' … ')} at the edge` : '';
  return plotOf({ ...look, subtitle: look.subtitle + edge }, panels);
}

/** A bar for each contestant, and a panel for each scenario. */
export function byContestant(lines: MeasureLine[], look: Look): Plot[] {
  const drawn = drawnOf(lines, look);
  const scenarios = unique(drawn.map(scenarioOf));
  const rows = contestantsOf(drawn);
  const panels = scenarios.map((scenario) => {
    const bars = rows.map(({ id, title }): Bar => {
      const one = drawn.find((some) => some.result.contestant === id && scenarioOf(some) === scenario);
      return { id, title, ...(one && { value: one.value }), text: one ? formatNumber(one.value) : '' };
    });
    return { heading: scenarios.length > 1 ? (look.heading?.(scenario) ?? scenario) : undefined, bars };
  });
  return barPlot(look, panels);
}

/** Panels of bars over one axis. */
export function barPlot(look: Look, panels: { heading?: string; bars: Bar[] }[]): Plot[] {
  const values = panels.flatMap(({ bars }) => bars.flatMap(({ value }) => value ?? []));
  if (values.length === 0) return [];
  const x = valueAxis(look.unit, [...values, ...(look.level ? [look.level.at] : [])], look.scale);
  return plotOf(
    look,
    panels.map(
      ({ heading, bars }): BarPanel => ({
        kind: 'bars',
        ...(heading !== undefined && { heading }),
        x,
        bars,
        ...(look.level && { level: look.level }),
      }),
    ),
  );
}

function plotOf({ name, title, subtitle, columns = 3 }: Look, panels: (LinePanel | BarPanel)[]): Plot[] {
  if (panels.length === 0) return [];
  return [{ name, title, subtitle, panels, columns: Math.min(columns, panels.length) }];
}

function contestantsOf(drawn: Drawn[]): { id: string; title: string }[] {
  const titles = new Map(drawn.map(({ result }) => [result.contestant, result.title]));
  return [...titles].map(([id, title]) => ({ id, title }));
}

/** The largest message that was measured. */
export function largest(lines: MeasureLine[]): number {
  return Math.max(0, ...only(lines, 'result').map(({ bytes }) => bytes));
}
