// What grows with the number of ranks, as a table for each of its scenarios.
import type { MeasureLine } from './json.js';
import type { Part } from './parts.js';
import { footnotes, only, unique } from './report.js';
import { formatNumber } from './table.js';

export function reportScale(lines: MeasureLine[]): Part[] {
  const results = only(lines, 'result');
  const counts = unique(results.map(({ ranks }) => ranks!)).sort((a, b) => a - b);
  const titles = unique(results.map(({ title }) => title));
  const tables = unique(results.map(({ scenario }) => scenario!)).map((scenario) => {
    const some = results.filter((result) => result.scenario === scenario);
    const rows = titles.map((title) => [
      title,
      ...counts.map((ranks) => {
        const one = some.find((result) => result.title === title && result.ranks === ranks);
        return one === undefined ? '–' : formatNumber(one.figure.median);
      }),
    ]);
    const header = [`${scenario}: ${some[0].figure.unit}, median`, ...counts.map((ranks) => `${ranks} ranks`)];
    return { table: { header, rows } };
  });
  return [...tables, { notes: footnotes(lines) }];
}
