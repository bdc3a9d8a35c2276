// What a row of samples comes to. Times only, in microseconds: rates and exposures are derived from their summaries.

export interface Summary {
  /** How many samples there were. */
  count: number;
  median: number;
  min: number;
  /** The sample that 99 % of all do not exceed; with fewer than 100 samples, the worst one. */
  p99: number;
}

/** Nearest rank: always a value that was measured, never one between two. */
export function percentile(sorted: readonly number[], percent: number): number {
  if (sorted.length === 0) throw new RangeError('percentile of no samples');
  const rank = Math.ceil((percent / 100) * sorted.length);
  return sorted[Math.min(Math.max(rank, 1), sorted.length) - 1];
}

export function median(values: readonly number[]): number {
  return middle(ascending(values));
}

export function summarize(values: readonly number[]): Summary {
  const sorted = ascending(values);
  return { count: sorted.length, median: middle(sorted), min: percentile(sorted, 0), p99: percentile(sorted, 99) };
}

function ascending(values: readonly number[]): number[] {
  if (!values.every(Number.isFinite)) throw new RangeError('a sample that is not a finite number');
  return [...values].sort((a, b) => a - b);
}

function middle(sorted: readonly number[]): number {
  const upper = percentile(sorted, 50);
  return sorted.length % 2 === 1 ? upper : (upper + sorted[sorted.length / 2]) / 2;
}
