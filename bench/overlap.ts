// Measure: exposed communication, what is left of a transfer's time when the program computes meanwhile.
import { support } from '../lib/index.js';
import { runContest } from './lib/contest.js';
import type { Emit, OverlapLine, ResultLine } from './lib/json.js';
import { type Measure, runAlone, wanted } from './lib/measure.js';
import type { Options } from './lib/options.js';
import { exposures, type OverlapPlan, slowest } from './lib/overlap-plan.js';
import { reportOverlap } from './lib/overlap-report.js';
import { KiB, MiB, type Plan, roundsOf, samplesIn } from './lib/plan.js';
import { median, summarize } from './lib/stats.js';
import { planFor } from './lib/timing.js';
import { overlapContestants } from './peers/overlap.js';
import { Reference, type TransferTimes } from './peers/reference.js';

const measure = 'overlap';

/** `poll` shows what remains without interrupts. */
function drivers(): string[] {
  return [...(support().drivers.uintr.ok ? ['uintr'] : []), 'signal', 'poll'];
}

async function run(options: Options, emit: Emit): Promise<void> {
  const plan = planFor(options, { sizes: [64 * KiB, MiB, 16 * MiB], window: 1 });
  const rounds = roundsOf(options);
  const useOpenmpi = wanted(options, 'openmpi');
  const reference = new Reference(plan, useOpenmpi);
  const references: TransferTimes[] = [];
  const found = new Map<string, Found>();
  const contestants = overlapContestants(drivers(), () => ordersFor(plan, references.at(-1)!));

  await runContest({
    measure,
    contestants: contestants.filter(({ id }) => id !== 'openmpi' || useOpenmpi),
    rounds,
    emit,
    // A round's work takes as long as a transfer did in that round.
    prepare: async () => {
      references.push(await reference.measure());
    },
    complete: (lines) => lines.filter((line) => line.bench === 'overlap').length === 3 * plan.cases.length,
    collect: ({ id, title }, line, round) => {
      if (line.bench !== 'overlap') return;
      const key = `${id} ${line.bytes} ${line.scenario}`;
      const one = found.get(key) ?? { id, title, line, exposed: [], total: [] };
      one.exposed.push(...exposures(line, median(references[round].get(line.bytes)!)));
      one.total.push(...slowest(line.total));
      found.set(key, one);
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
  for (const one of found.values()) emit(resultOf(one));
}

interface Found {
  id: string;
  title: string;
  line: OverlapLine;
  exposed: number[];
  total: number[];
}

function resultOf({ id, title, line, exposed, total }: Found): ResultLine {
  const { median, min, p99 } = summarize(exposed);
  return {
    bench: 'result',
    measure,
    contestant: id,
    title,
    bytes: line.bytes,
    scenario: line.scenario,
    time: summarize(total),
    figure: { unit: 'exposed', median, best: min, p99 },
    ...(line.driver !== undefined && { driver: line.driver }),
    ...(line.copy !== undefined && { copy: line.copy }),
  };
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
  peers: ['openmpi'],
  run,
  report: reportOverlap,
};

if (require.main === module) void runAlone(overlap);
