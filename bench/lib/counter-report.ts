// Counter as tables: each scenario by primitive and number of workers, and what the figures say.
import { readCounter } from './counter-reading.js';
import { scenes } from './counter-scenes.js';
import type { MeasureLine, ResultLine } from './json.js';
import type { Part } from './parts.js';
import { cell, footnotes, only, unique } from './report.js';
import { formatNumber, type Table } from './table.js';

export function reportCounter(lines: MeasureLine[]): Part[] {
  const results = only(lines, 'result');
  const parts = unique(results.map(({ scenario }) => scenario!)).flatMap((scenario): Part[] => {
    const some = results.filter((result) => result.scenario === scenario);
    if (scenario === scenes.held) return [{ heading: scenario }, { table: heldTable(some) }];
    return [{ heading: scenario }, { table: rateTable(some) }, { table: costTable(some) }];
  });
  return [...parts, { notes: [...readCounter(lines), ...footnotes(lines)] }];
}

function workersOf(results: ResultLine[]): number[] {
  return unique(results.map(({ ranks }) => ranks!)).sort((a, b) => a - b);
}

function titlesOf(results: ResultLine[]): string[] {
  return unique(results.map(({ title }) => title));
}

function find(results: ResultLine[], title: string, workers: number): ResultLine | undefined {
  return results.find((result) => result.title === title && result.ranks === workers);
}

function byWorkers(corner: string, results: ResultLine[]): Table {
  const counts = workersOf(results);
  return {
    header: [corner, ...counts.map((workers) => `${workers} workers`)],
    rows: titlesOf(results).map((title) => [title, ...counts.map((workers) => cell(find(results, title, workers)))]),
  };
}

function rateTable(results: ResultLine[]): Table {
  return byWorkers('thousand operations a second: median (best; 99 % reach at least)', results);
}

function heldTable(results: ResultLine[]): Table {
  return byWorkers('processor time of those that wait, % of one core: median (best; 99 % at most)', results);
}

function costTable(results: ResultLine[]): Table {
  const rows = titlesOf(results).flatMap((title) =>
    workersOf(results).flatMap((workers) => {
      const one = find(results, title, workers);
      if (one?.spent === undefined) return [];
      const { operations, cpuSeconds, voluntary, involuntary } = one.spent;
      const time = one.time.median * labOperations;
      const figures = [time / 1e6, (cpuSeconds * labOperations) / 1e6, voluntary, involuntary];
      return [
        [`${title}, ${workers} workers`, Math.round(operations).toLocaleString('en-US'), ...figures.map(formatNumber)],
      ];
    }),
  );
  const header = ['medians', 'operations', 'seconds for 2^29', ...costs];
  return { header, rows };
}

/** Of the lab, in each of its cells. */
const labOperations = 2 ** 29;
const costs = ['CPU seconds for 2^29', 'voluntary switches per million', 'involuntary switches per million'];
