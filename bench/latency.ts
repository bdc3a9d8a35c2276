// Measure: latency, half a round trip of one message.

import { runAlone } from './lib/measure.js';
import { KiB, MiB } from './lib/plan.js';
import { transferMeasure } from './lib/transfers.js';
import { byBytes } from './plots/series.js';

export const latency = transferMeasure({
  measure: 'latency',
  title: 'half a round trip of one message',
  sizes: [8, 64 * KiB, MiB, 16 * MiB],
  window: 1,
  unit: 'µs',
  better: 'less',
  figure: (micros) => micros,
  plots: (lines) =>
    byBytes(lines, {
      name: 'latency',
      title: 'Latency: half a round trip of one message – less is better',
      subtitle: 'medians over the length of the message; both axes are logarithmic',
      unit: 'µs',
      scale: 'log',
    }),
});

if (require.main === module) void runAlone(latency);
