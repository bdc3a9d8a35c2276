// Measure: latency, half a round trip of one message.

import { type Measure, runAlone, wanted } from './lib/measure.js';
import { KiB, MiB, roundsOf } from './lib/plan.js';
import { reportTimes } from './lib/report.js';
import { compareTimes, planFor, type Timing } from './lib/timing.js';
import { nodeContestants, nodePeers } from './peers/node.js';
import { openmpiLatency } from './peers/openmpi.js';
import { uintrContestants } from './peers/uintr.js';

const timing: Timing = {
  measure: 'latency',
  sizes: [8, 64 * KiB, MiB, 16 * MiB],
  window: 1,
  unit: 'µs',
  figure: (micros) => micros,
};

export const latency: Measure = {
  name: timing.measure,
  title: 'half a round trip of one message',
  peers: ['openmpi', ...nodePeers],
  async run(options, emit) {
    const plan = planFor(options, timing);
    const peers = [openmpiLatency(plan), ...nodeContestants('latency', plan)];
    const contestants = [...uintrContestants('latency', plan), ...peers.filter(({ id }) => wanted(options, id))];
    await compareTimes(timing, contestants, plan, roundsOf(options), emit);
  },
  report: (lines) =>
    reportTimes(lines, {
      unit: 'µs',
      p99: '99 % take at most',
      better: 'less',
      group: { title: 'the best of Node', ids: nodePeers },
    }),
};

if (require.main === module) void runAlone(latency);
