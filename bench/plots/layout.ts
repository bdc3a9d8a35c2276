// Where the parts of a plot stand, in pixels.
import { unique } from '../lib/report.js';
import type { BarPanel, Panel, Plot } from './plot.js';

export const width = 860;
const margin = 16;
/** Title and subtitle. */
const head = 60;
const legendRow = 22;
/** Between entries of the legend, generous since nobody knows the reader's font. */
export const legendGap = 28;

export interface Box {
  left: number;
  top: number;
  width: number;
  height: number;
}

export interface Layout {
  height: number;
  /** Of each panel, without its axes' texts. */
  boxes: Box[];
  /** Where the legend stands, if there is one; a single panel's lines have their titles at their ends. */
  legend?: { top: number; titles: string[] };
}

export function layoutOf(plot: Plot): Layout {
  const first = plot.panels[0];
  if (first.kind === 'bars') return withBars(plot, plot.panels as BarPanel[]);
  const titles = titlesOf(plot.panels);
  if (plot.panels.length === 1) return withEndLabels(titles);
  const rows = legendRows(titles);
  const top = head + 8 + rows * legendRow;
  const [axis, heading, panel, foot] = [56, 30, 132, 44];
  // The texts of an axis that all panels share stand once in a row.
  const [once, each, gap] = sharesAxis(plot.panels) ? [axis, 0, 44] : [0, axis, 24];
  const cell = (width - 2 * margin - once + gap) / plot.columns;
  const step = heading + panel + foot;
  const boxes = plot.panels.map((_, i) => ({
    left: margin + once + (i % plot.columns) * cell + each,
    top: top + Math.floor(i / plot.columns) * step + heading,
    width: cell - gap - each,
    height: panel,
  }));
  const height = top + Math.ceil(plot.panels.length / plot.columns) * step + 4;
  return { height, boxes: boxes.map(rounded), legend: { top: head + 4, titles } };
}

function withEndLabels(titles: string[]): Layout {
  const right = Math.max(...titles.map(textWidth)) + 20;
  const [left, height] = [76, 450];
  const box = { left, top: head + 12, width: width - left - right - margin, height: height - head - 12 - 54 };
  return { height, boxes: [rounded(box)] };
}

/** All with the same rows, whose titles stand once, to the left of the first in each row of panels. */
function withBars({ columns }: Plot, panels: BarPanel[]): Layout {
  const names = Math.max(...panels.flatMap(({ bars }) => bars.map(({ title }) => textWidth(title)))) + 12;
  const bars = Math.max(...panels.map(({ bars }) => bars.length));
  const [foot, figure] = [46, 44];
  const heading = panels.some((panel) => panel.heading !== undefined) ? 30 : 8;
  const body = bars * 24 + 8;
  const cell = (width - 2 * margin - names) / columns;
  const boxes = panels.map((_, i) => ({
    left: margin + names + (i % columns) * cell,
    top: head + Math.floor(i / columns) * (heading + body + foot) + heading,
    width: cell - figure - 8,
    height: body,
  }));
  const rows = Math.ceil(panels.length / columns);
  return { height: head + rows * (heading + body + foot) + 4, boxes: boxes.map(rounded) };
}

/** Whether figures of all panels are in one unit, from one bound to the other. */
export function sharesAxis(panels: Panel[]): boolean {
  const axes = panels.map((panel) => (panel.kind === 'lines' ? panel.y : panel.x));
  return axes.every((axis) => axis === axes[0]);
}

export function titlesOf(panels: Panel[]): string[] {
  return unique(
    panels.flatMap((panel) => (panel.kind === 'lines' ? panel.lines : panel.bars).map(({ title }) => title)),
  );
}

/** As many as the library will need. */
function legendRows(titles: string[]): number {
  let [rows, at] = [1, 0];
  for (const title of titles) {
    const wide = textWidth(title) + 33 + legendGap;
    if (at + wide > width - 2 * margin) [rows, at] = [rows + 1, 0];
    at += wide;
  }
  return rows;
}

/** Of 12 pixels' type, a little more than most have. */
function textWidth(text: string): number {
  return text.length * 6.4;
}

function rounded({ left, top, width, height }: Box): Box {
  return { left: Math.round(left), top: Math.round(top), width: Math.round(width), height: Math.round(height) };
}
