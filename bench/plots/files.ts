// Plots as files: NAME.svg for light pages, NAME-dark.svg for dark ones.
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { UsageError } from '../lib/options.js';
import { draw } from './draw.js';
import { whyNoEcharts } from './echarts.js';
import type { Plot } from './plot.js';
import { type Theme, themes } from './theme.js';

export function fileOf({ name }: Pick<Plot, 'name'>, theme: Theme): string {
  return theme === 'light' ? `${name}.svg` : `${name}-${theme}.svg`;
}

/** Throws UsageError if there is nothing to draw with, or no folder to write to: before anything is measured. */
export function prepareFolder(option: string, folder: string): void {
  const missing = whyNoEcharts();
  if (missing !== undefined) throw new UsageError(`${option}: ${missing}`);
  try {
    mkdirSync(folder, { recursive: true });
  } catch (error) {
    throw new UsageError(`${option}: ${(error as Error).message}`);
  }
}

export function writePlots(plots: Plot[], folder: string): void {
  for (const plot of plots) {
    for (const theme of themes) writeFileSync(join(folder, fileOf(plot, theme)), draw(plot, theme));
  }
}
