// Where axes begin and end, and what stands at their ticks.
import { formatBytes } from '../lib/table.js';
import type { Axis, Tick } from './plot.js';

/** The axis of figures: from a round number to a round number. */
export function valueAxis(title: string, values: number[], scale: Axis['scale']): Axis {
  return scale === 'log' && values.every((value) => value > 0) ? logAxis(title, values) : linearAxis(title, values);
}

/** Ticks at powers of ten; where there would be few of them, at twice and five times these, too. */
function logAxis(title: string, values: number[]): Axis {
  const [least, most] = [Math.min(...values), Math.max(...values)];
  const steps = Math.log10(most / least) < 2 ? [1, 2, 5] : [1];
  const [from, to] = [Math.floor(Math.log10(least)), Math.ceil(Math.log10(most))];
  const grid: number[] = [];
  for (let power = from; power <= to; power++) grid.push(...steps.map((step) => Number(`${step}e${power}`)));
  const first = Math.max(
    grid.findLastIndex((at) => at <= least),
    0,
  );
  const last = grid.findIndex((at) => at >= most * (1 - 1e-9));
  const ticks = grid.slice(first, Math.max(last, first + 1) + 1);
  return { title, scale: 'log', min: ticks[0], max: ticks.at(-1)!, ticks: ticks.map(numbered) };
}

/** Has 0 in it. */
function linearAxis(title: string, values: number[]): Axis {
  const [least, most] = [Math.min(...values, 0), Math.max(...values, 0)];
  const step = roundStep((most - least || 1) / 4);
  // What is a little beyond a tick is drawn a little beyond the axis.
  const [from, to] = [Math.floor(least / step + 0.1), Math.max(Math.ceil(most / step - 0.1), 1)];
  const ticks = Array.from({ length: to - from + 1 }, (_, i) => Number(((from + i) * step).toPrecision(6)));
  return { title, scale: 'linear', min: ticks[0], max: ticks.at(-1)!, ticks: ticks.map(numbered) };
}

/** 1, 2 or 5 times a power of ten, not much below. */
function roundStep(least: number): number {
  const power = 10 ** Math.floor(Math.log10(least));
  return power * [1, 2, 5, 10].find((step) => step * power >= least * 0.8)!;
}

function numbered(at: number): Tick {
  return { at, text: at.toLocaleString('en-US', { maximumSignificantDigits: 3 }) };
}

/** Lengths or numbers of ranks, doubling from tick to tick; what carries nothing stands at 1. */
function doublingAxis(title: string, values: number[], text: (value: number) => string): Axis {
  const ticks = [...new Set(values)]
    .sort((a, b) => a - b)
    .map((value) => ({ at: Math.max(value, 1), text: text(value) }));
  const [min, max] = [ticks[0].at, ticks.at(-1)!.at];
  return { title, scale: 'log', min: min === max ? min / 2 : min, max: min === max ? max * 2 : max, ticks };
}

export function bytesAxis(title: string, bytes: number[]): Axis {
  return doublingAxis(title, bytes, (value) => (value === 0 ? 'no data' : formatBytes(value)));
}

export function ranksAxis(title: string, ranks: number[]): Axis {
  return doublingAxis(title, ranks, String);
}
