// Measure: collective operations, the time of the slowest rank.

import { collectivePlan, fewerRanksFirst, operations } from './lib/collective-plan.js';
import { crowdNotes } from './lib/crowd.js';
import { chosen, type Measure, runAlone } from './lib/measure.js';
import { roundsOf } from './lib/plan.js';
import { reportScenarios } from './lib/scenario-report.js';
import { compareTimes, type Timing } from './lib/timing.js';
import { collectiveContestants } from './peers/collectives.js';
import { mpiPeers } from './peers/mpi.js';
import { overOpenmpi } from './plots/ratio.js';

const timing: Timing = { measure: 'collectives', window: 1, unit: 'µs', figure: (micros) => micros };

export const collectives: Measure = {
  name: timing.measure,
  title: `collective operations (${operations.join(', ')}), the slowest rank's time`,
  peers: mpiPeers,
  async run(options, emit) {
    const plan = collectivePlan(options);
    const contestants = chosen(options, collectiveContestants('times', plan));
    await compareTimes(timing, contestants, plan, roundsOf(options), emit);
    for (const note of crowdNotes(timing.measure, plan.ranks, plan.cpus?.length)) emit(note);
  },
  report: (lines) =>
    reportScenarios(lines, {
      p99: '99 % take at most',
      better: 'less',
      column: (bytes) => (bytes === 0 ? 'no data' : undefined),
    }),
  plots: (lines) =>
    overOpenmpi(lines, {
      name: timing.measure,
      title: 'Collective operations – less is better',
      subtitle: "the slowest rank's time, medians; both axes are logarithmic",
      unit: 'µs',
      scale: 'log',
      order: fewerRanksFirst,
    }),
};

if (require.main === module) void runAlone(collectives);
