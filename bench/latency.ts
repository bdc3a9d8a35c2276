// Measure: latency, half a round trip of one message.

import { chosen, type Measure, runAlone } from './lib/measure.js';
import { KiB, MiB, roundsOf } from './lib/plan.js';
import { reportTimes } from './lib/report.js';
import { compareTimes, planFor, type Timing } from './lib/timing.js';
import { mpiLatency, mpiPeers } from './peers/mpi.js';
import { copyingPeers, nodeContestants, nodePeers } from './peers/node.js';
import { uintrContestants } from './peers/uintr.js';
import { byBytes } from './plots/series.js';

const timing = {
  measure: 'latency',
  sizes: [8, 64 * KiB, MiB, 16 * MiB],
  window: 1,
  unit: 'µs' as const,
  figure: (micros: number) => micros,
} satisfies Timing & { sizes: number[] };

export const latency: Measure = {
  name: timing.measure,
  title: 'half a round trip of one message',
  peers: [...mpiPeers, ...nodePeers],
  async run(options, emit) {
    const plan = planFor(options, timing);
    const peers = [...mpiLatency(plan), ...nodeContestants('latency', plan)];
    const contestants = chosen(options, [...uintrContestants('latency', plan), ...peers]);
    await compareTimes(timing, contestants, plan, roundsOf(options), emit);
  },
  report: (lines) =>
    reportTimes(lines, {
      p99: '99 % take at most',
      better: 'less',
      group: { title: 'the best of Node that copies', ids: copyingPeers },
    }),
  plots: (lines) =>
    byBytes(lines, {
      name: timing.measure,
      title: 'Latency: half a round trip of one message – less is better',
      subtitle: 'medians over the length of the message; both axes are logarithmic',
      unit: 'µs',
      scale: 'log',
    }),
};

if (require.main === module) void runAlone(latency);
