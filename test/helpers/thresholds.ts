// Which algorithm a collective operation uses, as a test wishes. All ranks of a world have to wish the same.
import { forgetPlans } from '../../lib/collectives/plans.js';
import { THRESHOLDS } from '../../lib/collectives/thresholds.js';

export type Thresholds = typeof THRESHOLDS;

const PROPER: Readonly<Thresholds> = { ...THRESHOLDS };

/** Messages so many times shorter are long from now on, and two ranks are many; 1: as it is for everybody. */
export function shortenThresholds(times: number): Thresholds {
  for (const [name, value] of Object.entries(PROPER)) {
    const counted = name.endsWith('Ranks');
    THRESHOLDS[name as keyof Thresholds] = times === 1 ? value : counted ? 2 : Math.ceil(value / times);
  }
  forgetPlans();
  return THRESHOLDS;
}
