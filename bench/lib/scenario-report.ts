// A measure of several scenarios: a table of figures, and one of ratios, for each.
import type { MeasureLine } from './json.js';
import type { Part } from './parts.js';
import { footnotes, only, type Style, timeTables, unique } from './report.js';

export interface ScenarioStyle extends Style {
  /** What stands above the tables of a scenario; itself, if not given. */
  heading?(scenario: string): string;
}

export function reportScenarios(lines: MeasureLine[], style: ScenarioStyle): Part[] {
  const scenarios = unique(only(lines, 'result').map(({ scenario }) => scenario ?? ''));
  const parts = scenarios.flatMap((scenario) => {
    const some = lines.filter((line) => !('scenario' in line) || line.scenario === scenario);
    return [{ heading: style.heading?.(scenario) ?? scenario }, ...timeTables(some, style)];
  });
  return [...parts, { notes: footnotes(lines) }];
}
