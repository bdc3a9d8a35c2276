// Measure: overlap as MadMPI's benchmark has it, with a computation that the clock ends.

import { runAlone } from './lib/measure.js';
import type { MadmpiLine } from './lib/peer-lines.js';
import { scenarioMeasure } from './lib/scenarios.js';

/** ov of each repetition: l = max(0, rtt − lat0); 0 is perfect, 1 serialized. */
export function overlaps({ lat0, latref, compute, rtt }: Pick<MadmpiLine, 'lat0' | 'latref' | 'compute' | 'rtt'>) {
  return rtt.map((time) => {
    const l = Math.max(0, time - lat0);
    return compute < latref ? (l - latref) / compute : (l - compute) / latref;
  });
}

export const madmpi = scenarioMeasure({
  name: 'madmpi',
  title: "MadMPI's overlap: computation until a time, of which a transfer is hidden entirely (0) to not at all (1)",
  unit: 'ov',
  better: 'less',
  scenarios: {
    sender: 'the sender computes',
    receiver: 'the receiver computes',
    both: 'both send, receive and compute',
  },
  read: (line) => {
    if (line.bench !== 'madmpi') return undefined;
    const { bytes, scenario, rtt, driver, copy } = line;
    return { bytes, scenario, figures: overlaps(line), times: rtt, driver, copy };
  },
  plot: {
    title: 'Overlap as MadMPI has it – less is better',
    subtitle: '0: the transfer is hidden entirely; 1: it comes on top of the computation; medians',
    within: [-0.5, 2],
  },
});

if (require.main === module) void runAlone(madmpi);
