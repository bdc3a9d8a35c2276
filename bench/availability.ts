// Measure: availability, what a transfer leaves of the processor to the host that computes (Sandia's post-work-wait).

import { compareFigures } from './lib/figures.js';
import { chosen, type Measure, runAlone } from './lib/measure.js';
import { computes } from './lib/overlap-report.js';
import type { AvailabilityLine } from './lib/peer-lines.js';
import { KiB, MiB, roundsOf } from './lib/plan.js';
import { reportScenarios } from './lib/scenario-report.js';
import { median } from './lib/stats.js';
import { planFor } from './lib/timing.js';
import { computingContestants } from './peers/computing.js';
import { mpiPeers } from './peers/mpi.js';
import { byBytes } from './plots/series.js';

/** 1 − (iter_t − work_t) / base_t of each iteration; work_t and base_t are medians. */
export function availabilities({ base, iter, alone }: Pick<AvailabilityLine, 'base' | 'iter' | 'alone'>): number[] {
  const [baseTime, workTime] = [median(base), median(alone)];
  return iter.map((time) => 1 - (time - workTime) / baseTime);
}

export const availability: Measure = {
  name: 'availability',
  title: '1 − (iter_t − work_t) / base_t, the part of a transfer in which its host computes on',
  peers: mpiPeers,
  async run(options, emit) {
    const plan = planFor(options, { sizes: [64 * KiB, MiB, 16 * MiB], window: 1 });
    await compareFigures({
      measure: this.name,
      unit: 'available',
      better: 'more',
      contestants: chosen(options, computingContestants('availability', plan)),
      rounds: roundsOf(options),
      emit,
      linesOf: () => 2 * plan.cases.length,
      read: (line) => {
        if (line.bench !== 'availability') return undefined;
        const { bytes, scenario, iter, driver, copy } = line;
        return { bytes, scenario, figures: availabilities(line), times: iter, driver, copy };
      },
    });
  },
  report: (lines) =>
    reportScenarios(lines, {
      p99: '99 % at least',
      better: 'more',
      heading: (scenario) => computes[scenario as AvailabilityLine['scenario']],
    }),
  plots: (lines) =>
    byBytes(lines, {
      name: 'availability',
      title: 'Availability: what a transfer leaves of its host – more is better',
      subtitle:
        '1: the host computes as if there were no transfer; 0: the transfer takes its processor entirely; medians',
      unit: 'available',
      scale: 'linear',
      columns: 2,
      heading: (scenario) => computes[scenario as AvailabilityLine['scenario']],
      within: [-0.5, 1.5],
    }),
};

if (require.main === module) void runAlone(availability);
