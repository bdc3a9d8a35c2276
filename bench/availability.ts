// Measure: availability, what a transfer leaves of the processor to the host that computes (Sandia's post-work-wait).

import { runAlone } from './lib/measure.js';
import { computes } from './lib/overlap-report.js';
import type { AvailabilityLine } from './lib/peer-lines.js';
import { scenarioMeasure } from './lib/scenarios.js';
import { median } from './lib/stats.js';

/** 1 − (iter_t − work_t) / base_t of each iteration; work_t and base_t are medians. */
export function availabilities({ base, iter, alone }: Pick<AvailabilityLine, 'base' | 'iter' | 'alone'>): number[] {
  const [baseTime, workTime] = [median(base), median(alone)];
  return iter.map((time) => 1 - (time - workTime) / baseTime);
}

export const availability = scenarioMeasure({
  name: 'availability',
  title: '1 − (iter_t − work_t) / base_t, the part of a transfer in which its host computes on',
  unit: 'available',
  better: 'more',
  scenarios: {
    sender: computes.sender,
    receiver: computes.receiver,
    'sender-long': `${computes.sender} (4 transfers)`,
    'receiver-long': `${computes.receiver} (4 transfers)`,
  },
  read: (line) => {
    if (line.bench !== 'availability') return undefined;
    const { bytes, scenario, iter, driver, copy } = line;
    return { bytes, scenario, figures: availabilities(line), times: iter, driver, copy };
  },
  plot: {
    title: 'Availability: what a transfer leaves of its host – more is better',
    subtitle:
      '1: the host computes as if there were no transfer; 0: the transfer takes its processor entirely; medians',
    within: [-0.5, 1.5],
  },
});

if (require.main === module) void runAlone(availability);
