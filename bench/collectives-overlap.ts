// Measure: how much of a nonblocking collective operation is hidden behind computation on all ranks.

import { collectivePlan, operations } from './lib/collective-plan.js';
import { crowdNotes } from './lib/crowd.js';
import { compareFigures } from './lib/figures.js';
import { chosen, type Measure, runAlone } from './lib/measure.js';
import { roundsOf } from './lib/plan.js';
import { reportScenarios } from './lib/scenario-report.js';
import { collectiveContestants } from './peers/collectives.js';
import { mpiPeers } from './peers/mpi.js';
import { byBytes } from './plots/series.js';

/** A barrier moves nothing that could be hidden. */
const moving = operations.filter((operation) => operation !== 'barrier');

export const collectivesOverlap: Measure = {
  name: 'collectives-overlap',
  title: `nonblocking collectives that compute: 1 − exposed / t_pure, 1 hidden, 0 not at all`,
  peers: mpiPeers,
  async run(options, emit) {
    const plan = collectivePlan(options, moving);
    await compareFigures({
      measure: this.name,
      unit: 'overlap',
      better: 'more',
      contestants: chosen(options, collectiveContestants('overlap', plan)),
      rounds: roundsOf(options),
      emit,
      linesOf: () => plan.cases.length,
      read: (line) => {
        if (line.bench !== 'collective-overlap') return undefined;
        const { bytes, scenario, pure, exposed, driver } = line;
        return { bytes, scenario, figures: exposed.map((micros) => 1 - micros / pure), times: exposed, driver };
      },
    });
    for (const note of crowdNotes(this.name, plan.ranks, plan.cpus?.length)) emit(note);
  },
  report: (lines) => reportScenarios(lines, { p99: '99 % at least', better: 'more' }),
  plots: (lines) =>
    byBytes(lines, {
      name: 'collectives-overlap',
      title: 'Nonblocking collectives while all ranks compute – more is better',
      subtitle: '1: hidden; 0: as long as one after the other; less: longer than that; medians',
      unit: 'overlap',
      scale: 'linear',
      within: [-1.5, 1],
    }),
};

if (require.main === module) void runAlone(collectivesOverlap);
