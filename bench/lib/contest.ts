// Runs contestants in rounds, each once per round and each round beginning with another one, so that what changes on the
// machine during the minutes of a benchmark (clock speed, neighbours, placement) meets all of them alike.
import type { Emit, Line, RatioLine, ResultLine } from './json.js';
import { type Command, launch, type Outcome } from './launch.js';

export interface Contestant {
  /** As in results: 'uintr/wait', 'openmpi'. */
  id: string;
  title: string;
  /** What it measures, unless its lines say it more exactly: for scenarios that are starts of their own. */
  scenario?: string;
  /** Why it cannot run here, with the remedy, or undefined. */
  missing?(): string | undefined;
  command(): Command;
  /** What has not ended by then hangs; where it may take longer than a case of every other. */
  limitMs?: number;
}

export interface Contest {
  measure: string;
  contestants: Contestant[];
  rounds: number;
  emit: Emit;
  /** Called before each round; without what it prepares, nobody runs. */
  prepare?(): Promise<void>;
  /** Called to start a contestant, for what has to be measured from outside. */
  around?(contestant: Contestant, start: () => Promise<Outcome>): Promise<Outcome>;
  /** Called with every line a contestant printed. */
  collect(contestant: Contestant, line: Line, round: number): void;
  /** Whether what a contestant printed in a round is all that was wanted of it. */
  complete(lines: Line[], contestant: Contestant): boolean;
}

/** A case of every peer is bounded, so this is only for what hangs. */
const usualLimitMs = 90_000;

export async function runContest(contest: Contest): Promise<void> {
  const { measure, emit } = contest;
  const able = contest.contestants.filter((contestant) => {
    const reason = contestant.missing?.();
    if (reason !== undefined) skip(contest, contestant, reason);
    return reason === undefined;
  });
  const failed = new Set<Contestant>();
  const steps = able.length * contest.rounds;
  let step = 0;
  for (let round = 0; round < contest.rounds; round++) {
    try {
      await contest.prepare?.();
    } catch (error) {
      for (const contestant of able) {
        if (!failed.has(contestant)) skip(contest, contestant, error instanceof Error ? error.message : String(error));
      }
      return;
    }
    for (const contestant of rotated(able, round)) {
      step++;
      if (failed.has(contestant)) continue;
      emit({ bench: 'progress', measure, step, steps, what: nameOf(contestant) });
      const start = () => outcomeOf(contestant, contest.complete);
      const { lines, failure } = await (contest.around?.(contestant, start) ?? start());
      if (failure !== undefined) {
        failed.add(contestant);
        skip(contest, contestant, round === 0 ? failure : `in round ${round + 1}: ${failure}`);
        continue;
      }
      for (const line of lines) contest.collect(contestant, line, round);
    }
  }
}

/** Starts a contestant once; without all it should print it has failed. */
export async function outcomeOf(contestant: Contestant, complete: Contest['complete']): Promise<Outcome> {
  const missing = contestant.missing?.();
  if (missing !== undefined) return { lines: [], failure: missing };
  const { lines, failure } = await launch(contestant.command(), contestant.limitMs ?? usualLimitMs);
  return { lines, failure: failure ?? (complete(lines, contestant) ? undefined : 'it ended without all its figures') };
}

function nameOf({ title, scenario }: Contestant): string {
  return scenario === undefined ? title : `${title}, ${scenario}`;
}

function skip({ measure, emit }: Contest, contestant: Contestant, reason: string): void {
  emit({ bench: 'skipped', measure, contestant: contestant.id, title: nameOf(contestant), reason });
}

export function rotated<T>(items: T[], by: number): T[] {
  const cut = items.length === 0 ? 0 : by % items.length;
  return [...items.slice(cut), ...items.slice(0, cut)];
}

/** Every figure of ours over that of each other contestant in the same case; what was emulated takes no part. */
export function ratios(results: ResultLine[], isOurs: (id: string) => boolean): RatioLine[] {
  const real = results.filter((result) => !result.emulated);
  return real
    .filter((result) => isOurs(result.contestant))
    .flatMap((ours) =>
      real
        .filter((other) => sameCase(other, ours) && !isOurs(other.contestant))
        .map(
          (other): RatioLine => ({
            bench: 'ratio',
            measure: ours.measure,
            bytes: ours.bytes,
            ...(ours.scenario !== undefined && { scenario: ours.scenario }),
            ...(ours.ranks !== undefined && { ranks: ours.ranks }),
            of: ours.contestant,
            to: other.contestant,
            value: ours.figure.median / other.figure.median,
          }),
        ),
    );
}

function sameCase(a: ResultLine, b: ResultLine): boolean {
  return a.bytes === b.bytes && a.scenario === b.scenario && a.ranks === b.ranks;
}
