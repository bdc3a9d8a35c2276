// Exposed communication as tables: who computes, by contestant and size.
import type { MeasureLine } from './json.js';
import type { Part } from './parts.js';
import type { Scenario } from './peer-lines.js';
import { only } from './report.js';
import { reportScenarios } from './scenario-report.js';
import { formatBytes, formatNumber } from './table.js';

export const computes: Record<Scenario, string> = {
  sender: 'the sender computes',
  receiver: 'the receiver computes',
  both: 'both compute',
};

export function reportOverlap(lines: MeasureLine[]): Part[] {
  const references = only(lines, 'reference');
  const tRef = references.map(({ bytes, time }) => `${formatBytes(bytes)} ${formatNumber(time.median)} µs`).join(', ');
  return [
    ...reportScenarios(lines, {
      p99: '99 % at most',
      better: 'less',
      heading: (scenario) => computes[scenario as Scenario],
    }),
    { notes: references.length > 0 ? [`t_ref and t_comp, transfer by ${references[0].by}: ${tRef}`] : [] },
  ];
}
