// t_ref of exposed communication: how long Open MPI takes to transfer a message when both its ranks only wait, so that one
// end copies; or, where there is no Open MPI, how long ours takes when only one end may copy (by cma, where that works).
import { type Contestant, outcomeOf } from '../lib/contest.js';
import { uintrRun } from '../lib/launch.js';
import type { OverlapPlan } from '../lib/overlap-plan.js';
import { type Plan, samplesIn } from '../lib/plan.js';
import { mpiContestants } from './mpi.js';
import { rankScript } from './uintr.js';

/** Microseconds that were measured, by message length. */
export type TransferTimes = Map<number, number[]>;

export class Reference {
  readonly #sources: Contestant[];
  readonly #reasons: string[] = [];
  readonly #cases: number;
  #chosen?: Contestant;

  constructor(plan: Plan, useOpenmpi: boolean) {
    this.#cases = plan.cases.length;
    this.#sources = [
      ...mpiContestants('latency', plan).filter(({ id }) => useOpenmpi && id === 'openmpi'),
      oneEndCopies(plan),
    ];
  }

  /** Whose times these are. */
  by = '';

  /** Why it is not Open MPI's, or undefined. */
  get fallback(): string | undefined {
    return this.#chosen?.id === 'openmpi' ? undefined : (this.#reasons[0] ?? 'Open MPI was not asked for');
  }

  /** Measures once more, by the same source for the whole run: times of two sources would not add up. */
  async measure(): Promise<TransferTimes> {
    for (const source of this.#chosen ? [this.#chosen] : this.#sources) {
      const { lines, failure } = await outcomeOf(source, (lines) => lines.length === this.#cases);
      const samples = lines.filter((line) => line.bench === 'samples');
      if (failure === undefined) {
        this.#chosen = source;
        const copy = samples[0]?.copy;
        this.by = copy === undefined ? source.title : `${source.title} by ${copy}`;
        return new Map(samples.map((line) => [line.bytes, line.micros]));
      }
      this.#reasons.push(failure);
    }
    throw new Error(`no transfer time to compare with: ${this.#reasons.join('; ')}`);
  }
}

/** What a copy by one end cannot take longer than on any machine worth the measurement: 2.5 GB/s, and a start. */
function generousMicros(bytes: number): number {
  return bytes / 2500 + 100;
}

function oneEndCopies(plan: Plan): Contestant {
  const orders: OverlapPlan = {
    cases: plan.cases.map(({ bytes }) => {
      const computeMicros = generousMicros(bytes);
      return { bytes, computeMicros, repetitions: samplesIn(plan.budgetMicros, computeMicros, 10, plan.maxSamples) };
    }),
    cpus: plan.cpus,
  };
  return {
    id: 'uintr/reference',
    title: 'uintr, one end copying',
    command: () => ({ argv: uintrRun(rankScript('reference'), [JSON.stringify(orders)]) }),
  };
}
