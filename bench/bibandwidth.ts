// Measure: bi-bandwidth, a window of messages each way at the same time.

import { runAlone } from './lib/measure.js';
import { KiB, MiB } from './lib/plan.js';
import { transferMeasure } from './lib/transfers.js';
import { byBytes } from './plots/series.js';

export const bibandwidth = transferMeasure({
  measure: 'bibandwidth',
  title: 'a window of 64 messages each way at once',
  sizes: [64 * KiB, MiB, 16 * MiB],
  window: 64,
  unit: 'GB/s',
  better: 'more',
  // Bytes per microsecond are MB/s; of both directions.
  figure: (micros, bytes) => (2 * bytes) / micros / 1000,
  plots: (lines) =>
    byBytes(lines, {
      name: 'bibandwidth',
      title: 'Bandwidth in both directions at once – more is better',
      subtitle: 'medians over the length of the message; both axes are logarithmic',
      unit: 'GB/s',
      scale: 'log',
    }),
});

if (require.main === module) void runAlone(bibandwidth);
