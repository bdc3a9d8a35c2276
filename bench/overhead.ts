// Measure: what interrupts cost who does not need them: one that is busy waiting, and one that computes and gets none;
// and what it costs to record a timeline.

import { rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Measure, runAlone } from './lib/measure.js';
import { KiB, MiB, roundsOf } from './lib/plan.js';
import { reportScenarios } from './lib/scenario-report.js';
import { compareTimes, planFor, type Timing } from './lib/timing.js';
import { computation, isBaseline, overheadContestants } from './peers/overhead.js';
import { ratioBars } from './plots/ratio.js';

const timing = {
  measure: 'overhead',
  sizes: [8, 64 * KiB, MiB],
  window: 1,
  unit: 'µs' as const,
  figure: (micros: number) => micros,
  isSubject: (id: string) => !isBaseline(id),
} satisfies Timing & { sizes: number[] };

export const overhead: Measure = {
  name: timing.measure,
  title:
    'busy waiting with interrupts over polling alone, computation beside an idle world over Node alone, and a recorded ' +
    'timeline over none',
  peers: [],
  async run(options, emit) {
    const plan = planFor(options, timing);
    const linesOf = ({ scenario }: { scenario?: string }) => (scenario === computation ? 1 : plan.cases.length);
    const file = join(tmpdir(), `uintr-bench-timeline-${process.pid}.json`);
    try {
      await compareTimes({ ...timing, linesOf }, overheadContestants(plan, file), plan, roundsOf(options), emit);
    } finally {
      rmSync(file, { force: true });
    }
  },
  report: (lines) =>
    reportScenarios(lines, {
      p99: '99 % take at most',
      better: 'less',
      column: (bytes) => (bytes === 0 ? '500,000 iterations' : undefined),
    }),
  plots: (lines) =>
    ratioBars(lines, {
      name: timing.measure,
      title: 'What interrupts cost who does not need them – less is better',
      subtitle: 'interrupts over driver poll, and an idle world over Node alone: ratios of medians; 1: nothing',
      unit: 'times as long',
      scale: 'linear',
    }),
};

if (require.main === module) void runAlone(overhead);
