// Notification as tables: by mechanism, and by what the notified end does meanwhile.
import type { MeasureLine } from './json.js';
import type { Part } from './parts.js';
import type { State, Way } from './peer-lines.js';
import { cell, only, unique } from './report.js';
import { formatNumber } from './table.js';

const ways: Way[] = ['running, one way', 'running, round trip', 'asleep, one way', 'asleep, round trip'];
const states: State[] = ['running', 'asleep'];

export function reportNotify(lines: MeasureLine[]): Part[] {
  const results = only(lines, 'result');
  const ids = unique(results.map(({ contestant }) => contestant));
  const titleOf = (id: string) => results.find(({ contestant }) => contestant === id)!.title;
  const of = (id: string, way: Way) => results.find((one) => one.contestant === id && one.scenario === way);

  const figures = ids.map((id) => [
    titleOf(id),
    ...ways.map((way) => {
      const result = of(id, way);
      return result?.emulated ? `${cell(result)} emulated` : cell(result);
    }),
  ]);
  const ratios = only(lines, 'ratio');
  const compared = unique(ratios.map(({ of, to }) => `${of} ${to}`)).map((pair) => {
    const [of, to] = pair.split(' ');
    const values = ways.map(
      (way) => ratios.find((one) => one.of === of && one.to === to && one.scenario === way)?.value,
    );
    return [
      `${titleOf(of)} / ${titleOf(to)}`,
      ...values.map((value) => (value === undefined ? '–' : `${formatNumber(value)} ×`)),
    ];
  });
  const how = ids.map((id) => [titleOf(id), ...states.map((state) => of(id, `${state}, one way`)?.how ?? '–')]);

  const tables = [
    ['µs: median (best; 99 % take at most)', ways, figures] as const,
    ['ratio of medians, less is better', ways, compared] as const,
    ['how the notified end gets to know', states, how] as const,
  ];
  const shown = tables.filter(([, , rows]) => rows.length > 0);
  return [
    ...shown.map(([title, columns, rows]) => ({ table: { header: [title, ...columns], rows } })),
    { notes: notes(lines) },
  ];
}

function notes(lines: MeasureLine[]): string[] {
  const drivers = unique(only(lines, 'result').flatMap(({ driver }) => driver ?? []));
  return [
    ...(only(lines, 'result').some((line) => line.emulated)
      ? ['emulated: not by the processor, so these times say nothing of user interrupts']
      : []),
    ...drivers.map((driver) => `uintr: driver ${driver}`),
    ...only(lines, 'skipped').map((line) => `not run: ${line.title}: ${line.reason}`),
  ];
}
