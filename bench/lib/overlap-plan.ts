// What the two ends are told for overlap, and exposure from what they measured.
import type { OverlapLine } from './peer-lines.js';
import { median } from './stats.js';

export interface OverlapCase {
  bytes: number;
  repetitions: number;
  /** What the computation is to take alone: t_ref. */
  computeMicros: number;
}

export interface OverlapPlan {
  cases: OverlapCase[];
  cpus?: [number, number];
}

/**
 * (t_total − t_comp) / t_ref of each repetition; where both ends compute, the slower one's.
 *
 * t_comp is the median of the same work alone, measured between the repetitions by the same process.
 */
export function exposures({ alone, total }: Pick<OverlapLine, 'alone' | 'total'>, reference: number): number[] {
  const computing = alone.map(median);
  return total[0].map((_, i) => {
    const exposed = computing.map((micros, end) => total[end][i] - micros);
    return Math.max(...exposed) / reference;
  });
}

/** Of the same repetition, the longer time. */
export function slowest(total: number[][]): number[] {
  return total[0].map((_, i) => Math.max(...total.map((times) => times[i])));
}
