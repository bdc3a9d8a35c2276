// The results page: one run with its plots, its tables, and what limits its figures.
import { writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { about } from '../lib/about.js';
import type { Measure } from '../lib/measure.js';
import { asMarkdown, escaped, type Part } from '../lib/parts.js';
import type { Finding, Run } from '../lib/record.js';
import { only } from '../lib/report.js';
import { fileOf, prepareFolder, writePlots } from '../plots/files.js';
import type { Plot } from '../plots/plot.js';
import { commandOf } from './command.js';
import { limits } from './limits.js';

/** Of the plots, below the page's own. */
const plotFolder = 'plots';
/** A measure with more tables than that shows them when asked. */
const manyTables = 4;

/** What `--page` names is the page, or the folder that it goes to. */
function placeOf(page: string): { folder: string; file: string } {
  return page.endsWith('.md') ? { folder: dirname(page), file: basename(page) } : { folder: page, file: 'results.md' };
}

export function preparePage(page: string): void {
  prepareFolder('--page', join(placeOf(page).folder, plotFolder));
}

export function writePage(run: Run, measures: readonly Measure[], page: string): void {
  const { folder, file } = placeOf(page);
  const plots = new Map(
    run.measures.map(({ name, findings }) => [name, measures.find((one) => one.name === name)?.plots(findings) ?? []]),
  );
  for (const some of plots.values()) writePlots(some, join(folder, plotFolder));
  writeFileSync(join(folder, file), pageOf(run, measures, plots));
}

function pageOf(run: Run, measures: readonly Measure[], plots: Map<string, Plot[]>): string {
  const sections = measures.flatMap((measure) => {
    const found = run.measures.find(({ name }) => name === measure.name);
    return found ? [section(run, measure, found.findings, plots.get(measure.name) ?? [])] : [];
  });
  return `${[opening(run), ...sections, notRun(run, measures)].filter((part) => part !== '').join('\n\n')}\n`;
}

function opening(run: Run): string {
  const contents = run.measures.map(({ name }) => `[${name}](#${name})`);
  return `<!-- Made by \`uintr bench --from FILE --page PAGE\`: changes here are lost. -->

# Results

One run of \`${commandOf(run.arguments)}\`, begun on ${run.began.slice(0, 10)}, on ${escaped(about(run.machine))}.

Every figure is a median, with the best and p99 beside it, and is to be compared with others of this run only. [Measurements](benchmarks.md) says what each measure is, and how to take them on your machine.

${contents.join(' · ')}`;
}

function section(run: Run, measure: Measure, findings: Finding[], plots: Plot[]): string {
  const parts = measure.report(findings);
  const many = parts.filter((part) => 'table' in part).length > manyTables;
  return [
    `## ${measure.name}`,
    `${escaped(capital(measure.title))}. \`${commandOf(run.arguments, measure.name)}\``,
    ...plots.map(picture),
    `**What limits it.** ${limits[measure.name]}`,
    many ? folded(parts) : asMarkdown(parts),
  ].join('\n\n');
}

/** The dark one where the reader's system or page is dark. */
function picture(plot: Plot): string {
  const [light, dark] = [fileOf(plot, 'light'), fileOf(plot, 'dark')];
  return [
    '<picture>',
    `  <source media="(prefers-color-scheme: dark)" srcset="${plotFolder}/${dark}">`,
    `  <img alt="${attribute(plot.title)}" src="${plotFolder}/${light}">`,
    '</picture>',
  ].join('\n');
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

function attribute(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('"', '&quot;').replaceAll('<', '&lt;');
}

/** Notes stand below what is folded. */
function folded(parts: Part[]): string {
  const notes = parts.filter((part) => 'notes' in part);
  const others = parts.filter((part) => !('notes' in part));
  return `<details>\n<summary>All figures</summary>\n\n${asMarkdown(others)}\n\n</details>\n\n${asMarkdown(notes)}`;
}

/** By reason, since one of them often stands for many. */
function notRun(run: Run, measures: readonly Measure[]): string {
  const reasons = new Map<string, Set<string>>();
  for (const { name, findings } of run.measures) {
    for (const { reason } of only(findings, 'skipped')) {
      reasons.set(reason, (reasons.get(reason) ?? new Set()).add(name));
    }
  }
  const missing = measures.filter(({ name }) => run.measures.every((one) => one.name !== name));
  const rows = [...reasons].map(([reason, names]) => `- ${escaped(reason)}: in ${[...names].join(', ')}`);
  if (missing.length > 0)
    rows.push(`- measures that were not asked for: ${missing.map(({ name }) => name).join(', ')}`);
  return rows.length === 0 ? '' : `## What did not run\n\n${rows.join('\n')}`;
}
