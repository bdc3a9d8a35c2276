// Exposed communication as pictures: by length, and for the longest message alone, where it matters most.
import type { MeasureLine } from '../lib/json.js';
import { computes } from '../lib/overlap-report.js';
import type { Scenario } from '../lib/peer-lines.js';
import { formatBytes } from '../lib/table.js';
import type { Plot } from './plot.js';
import { byBytes, byContestant, largest } from './series.js';

export function plotOverlap(lines: MeasureLine[]): Plot[] {
  const common = {
    unit: 'exposed',
    scale: 'linear' as const,
    columns: 3,
    heading: (scenario: string) => computes[scenario as Scenario],
  };
  const longest = largest(lines);
  const length = formatBytes(longest);
  const meaning = "part of a transfer's time that is not hidden behind computation: 0 hidden, 1 not overlapped at all";
  return [
    ...byBytes(lines, {
      ...common,
      name: 'overlap',
      title: 'Exposed communication – less is better',
      subtitle: `${meaning}; medians`,
      within: [-0.5, 2],
    }),
    ...byContestant(lines, {
      ...common,
      name: 'overlap-longest',
      title: `Exposed communication, ${length} – less is better`,
      subtitle: `${meaning}; medians`,
      keeps: ({ bytes }) => bytes === longest,
    }),
  ];
}
