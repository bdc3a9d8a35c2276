// Measure: bandwidth, a window of messages one way, answered by one short reply.

import { type Measure, runAlone, wanted } from './lib/measure.js';
import { KiB, MiB, roundsOf } from './lib/plan.js';
import { reportTimes } from './lib/report.js';
import { compareTimes, planFor, type Timing } from './lib/timing.js';
import { nodeContestants, nodePeers } from './peers/node.js';
import { openmpiBandwidth } from './peers/openmpi.js';
import { uintrContestants } from './peers/uintr.js';

const timing: Timing = {
  measure: 'bandwidth',
  sizes: [64 * KiB, MiB, 16 * MiB],
  window: 64,
  unit: 'GB/s',
  // Bytes per microsecond are MB/s.
  figure: (micros, bytes) => bytes / micros / 1000,
};

/** Distinct buffers are compared with distinct buffers, and one buffer with one, wherever it lies. */
function sameBuffers(of: string, to: string): boolean {
  return of.endsWith('/distinct') === to.endsWith('/distinct');
}

export const bandwidth: Measure = {
  name: timing.measure,
  title: `a window of ${timing.window} messages one way, answered by one short reply`,
  peers: ['openmpi', ...nodePeers],
  async run(options, emit) {
    const plan = planFor(options, timing);
    const peers = [...openmpiBandwidth(plan), ...nodeContestants('bandwidth', plan)];
    const contestants = [
      ...uintrContestants('bandwidth', plan),
      ...peers.filter(({ id }) => wanted(options, id.split('/')[0])),
    ];
    await compareTimes(timing, contestants, plan, roundsOf(options), emit);
  },
  report: (lines) =>
    reportTimes(lines, {
      unit: 'GB/s',
      p99: '99 % reach at least',
      better: 'more',
      group: { title: 'the best of Node', ids: nodePeers },
      shows: (of, to) => nodePeers.includes(to) || sameBuffers(of, to),
    }),
};

if (require.main === module) void runAlone(bandwidth);
