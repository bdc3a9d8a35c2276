// Measure: exposed communication, what is left of a transfer's time when the program computes meanwhile.

import { compareFigures } from './lib/figures.js';
import type { Emit } from './lib/json.js';
import { chosen, type Measure, runAlone, wanted } from './lib/measure.js';
import type { Options } from './lib/options.js';
import { exposures, type OverlapPlan, slowest } from './lib/overlap-plan.js';
import { reportOverlap } from './lib/overlap-report.js';
import { KiB, MiB, type Plan, roundsOf, samplesIn } from './lib/plan.js';
import { median, summarize } from './lib/stats.js';
import { planFor } from './lib/timing.js';
import { mpiPeers } from './peers/mpi.js';
import { overlapContestants } from './peers/overlap.js';
import { Reference, type TransferTimes } from './peers/reference.js';
import { plotOverlap } from './plots/overlap.js';

const measure = 'overlap';

async function run(options: Options, emit: Emit): Promise<void> {
  const plan = planFor(options, { sizes: [64 * KiB, MiB, 16 * MiB], window: 1 });
  const useOpenmpi = wanted(options, 'openmpi');
  const reference = new Reference(plan, useOpenmpi);
  const references: TransferTimes[] = [];
  const contestants = overlapContestants(() => ordersFor(plan, references.at(-1)!));

  await compareFigures({
    measure,
    unit: 'exposed',
    better: 'less',
    contestants: chosen(options, contestants),
    rounds: roundsOf(options),
    emit,
    // A round's work takes as long as a transfer did in that round.
    prepare: async () => {
      references.push(await reference.measure());
    },
    linesOf: () => 3 * plan.cases.length,
    read: (line) => {
      if (line.bench !== 'overlap') return undefined;
      const { bytes, scenario, total, driver, copy } = line;
      const figures = exposures(line, median(references.at(-1)!.get(bytes)!));
      return { bytes, scenario, figures, times: slowest(total), driver, copy };
    },
  });

  if (references.length === 0) return;
  for (const { bytes } of plan.cases) {
    const time = summarize(references.flatMap((times) => times.get(bytes) ?? []));
    emit({ bench: 'reference', measure, bytes, by: reference.by, time });
  }
  if (reference.fallback !== undefined) {
    emit({
      bench: 'note',
      measure,
      text: `t_ref is not Open MPI's but that of ${reference.by}: ${reference.fallback}`,
    });
  }
}

/** A repetition is work alone, then work and transfer: three to four times t_ref, and two short messages. */
function ordersFor(plan: Plan, references: TransferTimes): OverlapPlan {
  const cases = plan.cases.map(({ bytes }) => {
    const computeMicros = median(references.get(bytes)!);
    return {
      bytes,
      computeMicros,
      repetitions: samplesIn(plan.budgetMicros, 4 * computeMicros + 5, 10, plan.maxSamples / 2),
    };
  });
  return { cases, cpus: plan.cpus };
}

export const overlap: Measure = {
  name: measure,
  title: 'exposed communication: (t_total − t_comp) / t_ref, 0 hidden, 1 not overlapped at all',
  peers: mpiPeers,
  run,
  report: reportOverlap,
  plots: plotOverlap,
};

if (require.main === module) void runAlone(overlap);
