// Measure: bandwidth, a window of messages one way, answered by one short reply.

import { runAlone } from './lib/measure.js';
import { KiB, MiB } from './lib/plan.js';
import { transferMeasure } from './lib/transfers.js';
import { byBytes } from './plots/series.js';

export const bandwidth = transferMeasure({
  measure: 'bandwidth',
  title: 'a window of 64 messages one way, answered by one short reply',
  sizes: [64 * KiB, MiB, 16 * MiB],
  window: 64,
  unit: 'GB/s',
  better: 'more',
  // Bytes per microsecond are MB/s.
  figure: (micros, bytes) => bytes / micros / 1000,
  plots: (lines) =>
    byBytes(lines, {
      name: 'bandwidth',
      title: 'Bandwidth: 64 messages one way, then a short reply – more is better',
      subtitle: 'medians over the length of the message; both axes are logarithmic',
      unit: 'GB/s',
      scale: 'log',
    }),
});

if (require.main === module) void runAlone(bandwidth);
