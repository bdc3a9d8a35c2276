// Measure: bi-bandwidth, a window of messages each way at the same time.

import { chosen, type Measure, runAlone } from './lib/measure.js';
import { KiB, MiB, roundsOf } from './lib/plan.js';
import { reportTimes } from './lib/report.js';
import { compareTimes, planFor, type Timing } from './lib/timing.js';
import { mpiBibandwidth, mpiPeers, sameBuffers } from './peers/mpi.js';
import { copyingPeers, nodeContestants, nodePeers } from './peers/node.js';
import { uintrContestants } from './peers/uintr.js';
import { byBytes } from './plots/series.js';

const timing = {
  measure: 'bibandwidth',
  sizes: [64 * KiB, MiB, 16 * MiB],
  window: 64,
  unit: 'GB/s' as const,
  // Bytes per microsecond are MB/s; of both directions.
  figure: (micros: number, bytes: number) => (2 * bytes) / micros / 1000,
} satisfies Timing & { sizes: number[] };

export const bibandwidth: Measure = {
  name: timing.measure,
  title: `a window of ${timing.window} messages each way at once`,
  peers: [...mpiPeers, ...nodePeers],
  async run(options, emit) {
    const plan = planFor(options, timing);
    const peers = [...mpiBibandwidth(plan), ...nodeContestants('bibandwidth', plan)];
    const contestants = chosen(options, [...uintrContestants('bibandwidth', plan), ...peers]);
    await compareTimes(timing, contestants, plan, roundsOf(options), emit);
  },
  report: (lines) =>
    reportTimes(lines, {
      p99: '99 % reach at least',
      better: 'more',
      group: { title: 'the best of Node that copies', ids: copyingPeers },
      shows: sameBuffers,
    }),
  plots: (lines) =>
    byBytes(lines, {
      name: timing.measure,
      title: 'Bandwidth in both directions at once – more is better',
      subtitle: 'medians over the length of the message; both axes are logarithmic',
      unit: 'GB/s',
      scale: 'log',
    }),
};

if (require.main === module) void runAlone(bibandwidth);
