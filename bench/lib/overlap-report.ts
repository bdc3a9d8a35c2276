// Exposed communication as tables: who computes, by contestant and size.
import type { MeasureLine, Scenario } from './json.js';
import { cell, footnotes, only, unique } from './report.js';
import { formatBytes, formatNumber, renderTable } from './table.js';

const computes: Record<Scenario, string> = {
  sender: 'the sender computes',
  receiver: 'the receiver computes',
  both: 'both compute',
};

export function reportOverlap(lines: MeasureLine[]): string {
  const results = only(lines, 'result');
  const references = only(lines, 'reference');
  const sizes = unique(references.map((line) => line.bytes));
  const titles = new Map(results.map((result) => [result.contestant, result.title]));
  const tables = unique(results.map((result) => result.scenario as Scenario)).map((scenario) => {
    const rows = [...titles].map(([id, title]) => [
      title,
      ...sizes.map((bytes) =>
        cell(results.find((one) => one.contestant === id && one.scenario === scenario && one.bytes === bytes)),
      ),
    ]);
    return renderTable([`${computes[scenario]}: median (best; 99 % at most)`, ...sizes.map(formatBytes)], rows);
  });
  const tRef = references.map(({ bytes, time }) => `${formatBytes(bytes)} ${formatNumber(time.median)} µs`).join(', ');
  const reference = references.length > 0 ? [`t_ref and t_comp, transfer by ${references[0].by}: ${tRef}`] : [];
  return [...tables, [...reference, footnotes(lines)].filter((part) => part !== '').join('\n')].join('\n\n');
}
