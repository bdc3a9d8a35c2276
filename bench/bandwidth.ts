// Measure: bandwidth, a window of messages one way, answered by one short reply.

import { chosen, type Measure, runAlone } from './lib/measure.js';
import { KiB, MiB, roundsOf } from './lib/plan.js';
import { reportTimes } from './lib/report.js';
import { compareTimes, planFor, type Timing } from './lib/timing.js';
import { mpiBandwidth, mpiPeers, sameBuffers } from './peers/mpi.js';
import { copyingPeers, nodeContestants, nodePeers } from './peers/node.js';
import { uintrContestants } from './peers/uintr.js';
import { byBytes } from './plots/series.js';

const timing = {
  measure: 'bandwidth',
  sizes: [64 * KiB, MiB, 16 * MiB],
  window: 64,
  unit: 'GB/s' as const,
  // Bytes per microsecond are MB/s.
  figure: (micros: number, bytes: number) => bytes / micros / 1000,
} satisfies Timing & { sizes: number[] };

export const bandwidth: Measure = {
  name: timing.measure,
  title: `a window of ${timing.window} messages one way, answered by one short reply`,
  peers: [...mpiPeers, ...nodePeers],
  async run(options, emit) {
    const plan = planFor(options, timing);
    const peers = [...mpiBandwidth(plan), ...nodeContestants('bandwidth', plan)];
    const contestants = chosen(options, [...uintrContestants('bandwidth', plan), ...peers]);
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
      title: 'Bandwidth: 64 messages one way, then a short reply – more is better',
      subtitle: 'medians over the length of the message; both axes are logarithmic',
      unit: 'GB/s',
      scale: 'log',
    }),
};

if (require.main === module) void runAlone(bandwidth);
