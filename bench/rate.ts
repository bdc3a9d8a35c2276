// Measure: message rate, OSU's: short messages one way, a window of them answered by one short reply.

import { runAlone } from './lib/measure.js';
import { transferMeasure } from './lib/transfers.js';
import { byContestant } from './plots/series.js';

export const rate = transferMeasure({
  measure: 'rate',
  title: 'messages of 8 B one way, in millions a second',
  sizes: [8],
  window: 64,
  unit: 'M/s',
  better: 'more',
  figure: (micros) => 1 / micros,
  plots: (lines) =>
    byContestant(lines, {
      name: 'rate',
      title: 'Message rate, 8 B one way – more is better',
      subtitle: 'medians; the axis is logarithmic',
      unit: 'million messages a second',
      scale: 'log',
    }),
});

if (require.main === module) void runAlone(rate);
