// Measure: message rate, OSU's: short messages one way, a window of them answered by one short reply.

import { chosen, type Measure, runAlone } from './lib/measure.js';
import { roundsOf } from './lib/plan.js';
import { reportTimes } from './lib/report.js';
import { compareTimes, planFor, type Timing } from './lib/timing.js';
import { mpiPeers, mpiRate } from './peers/mpi.js';
import { copyingPeers, nodeContestants, nodePeers } from './peers/node.js';
import { uintrContestants } from './peers/uintr.js';
import { byContestant } from './plots/series.js';

const timing = {
  measure: 'rate',
  sizes: [8],
  window: 64,
  unit: 'M/s' as const,
  figure: (micros: number) => 1 / micros,
} satisfies Timing & { sizes: number[] };

export const rate: Measure = {
  name: timing.measure,
  title: 'messages of 8 B one way, in millions a second',
  peers: [...mpiPeers, ...nodePeers],
  async run(options, emit) {
    const plan = planFor(options, timing);
    const peers = [...mpiRate(plan), ...nodeContestants('bandwidth', plan)];
    const contestants = chosen(options, [...uintrContestants('rate', plan), ...peers]);
    await compareTimes(timing, contestants, plan, roundsOf(options), emit);
  },
  report: (lines) =>
    reportTimes(lines, {
      p99: '99 % reach at least',
      better: 'more',
      group: { title: 'the best of Node that copies', ids: copyingPeers },
    }),
  plots: (lines) =>
    byContestant(lines, {
      name: timing.measure,
      title: 'Message rate, 8 B one way – more is better',
      subtitle: 'medians; the axis is logarithmic',
      unit: 'million messages a second',
      scale: 'log',
    }),
};

if (require.main === module) void runAlone(rate);
