// Measure: overlap as MadMPI's benchmark has it, with a computation that the clock ends.

import { compareFigures } from './lib/figures.js';
import { chosen, type Measure, runAlone } from './lib/measure.js';
import type { MadmpiLine, Scenario } from './lib/peer-lines.js';
import { KiB, MiB, roundsOf } from './lib/plan.js';
import { reportScenarios } from './lib/scenario-report.js';
import { planFor } from './lib/timing.js';
import { computingContestants } from './peers/computing.js';
import { mpiPeers } from './peers/mpi.js';
import { byBytes } from './plots/series.js';

const headings: Record<Scenario, string> = {
  sender: 'the sender computes',
  receiver: 'the receiver computes',
  both: 'both send, receive and compute',
};

/** ov of each repetition: l = max(0, rtt − lat0); 0 is perfect, 1 serialized. */
export function overlaps({ lat0, latref, compute, rtt }: Pick<MadmpiLine, 'lat0' | 'latref' | 'compute' | 'rtt'>) {
  return rtt.map((time) => {
    const l = Math.max(0, time - lat0);
    return compute < latref ? (l - latref) / compute : (l - compute) / latref;
  });
}

export const madmpi: Measure = {
  name: 'madmpi',
  title: "MadMPI's overlap: computation until a time, of which a transfer is hidden entirely (0) to not at all (1)",
  peers: mpiPeers,
  async run(options, emit) {
    const plan = planFor(options, { sizes: [64 * KiB, MiB, 16 * MiB], window: 1 });
    await compareFigures({
      measure: this.name,
      unit: 'ov',
      better: 'less',
      contestants: chosen(options, computingContestants('madmpi', plan)),
      rounds: roundsOf(options),
      emit,
      linesOf: () => 3 * plan.cases.length,
      read: (line) => {
        if (line.bench !== 'madmpi') return undefined;
        const { bytes, scenario, rtt, driver, copy } = line;
        return { bytes, scenario, figures: overlaps(line), times: rtt, driver, copy };
      },
    });
  },
  report: (lines) =>
    reportScenarios(lines, {
      p99: '99 % at most',
      better: 'less',
      heading: (scenario) => headings[scenario as Scenario],
    }),
  plots: (lines) =>
    byBytes(lines, {
      name: 'madmpi',
      title: 'Overlap as MadMPI has it – less is better',
      subtitle: '0: the transfer is hidden entirely; 1: it comes on top of the computation; medians',
      unit: 'ov',
      scale: 'linear',
      heading: (scenario) => headings[scenario as Scenario],
      within: [-0.5, 2],
    }),
};

if (require.main === module) void runAlone(madmpi);
