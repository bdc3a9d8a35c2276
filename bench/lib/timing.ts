// What latency and bandwidth have in common: times of every contestant for the same cases, and ratios of their medians.
import { type Contestant, ratios, runContest } from './contest.js';
import type { Emit, ResultLine, Unit } from './json.js';
import type { SamplesLine } from './peer-lines.js';
import { chooseCpus, whyNotPinned } from './pin.js';
import { type Effort, makePlan, type Plan } from './plan.js';
import { type Summary, summarize } from './stats.js';

export interface Timing {
  measure: string;
  window: number;
  unit: Unit;
  /** A time in microseconds as this measure's figure. */
  figure(micros: number, bytes: number): number;
  /** How many lines of samples a contestant prints; one for each case, if not given. */
  linesOf?(contestant: Contestant): number;
  /** Of which contestants ratios over the others are made; of ours, if not given. */
  isSubject?(id: string): boolean;
}

export function planFor(effort: Effort, timing: { sizes: number[]; window: number }): Plan {
  const cpus = whyNotPinned() === undefined ? chooseCpus() : undefined;
  return makePlan(effort, timing.sizes, timing.window, cpus);
}

export async function compareTimes(
  timing: Timing,
  contestants: Contestant[],
  plan: { cases: readonly unknown[] },
  rounds: number,
  emit: Emit,
): Promise<void> {
  const { measure, linesOf = () => plan.cases.length, isSubject = isOurs } = timing;
  const collected = new Map<string, Collected>();
  await runContest({
    measure,
    contestants,
    rounds,
    emit,
    complete: (lines, contestant) => lines.filter((line) => line.bench === 'samples').length === linesOf(contestant),
    collect: (contestant, line) => {
      if (line.bench === 'samples') add(collected, contestant, line);
    },
  });
  const results = [...collected.values()].map((one) => resultOf(timing, one)).sort(inOrderOf(contestants));
  for (const result of results) emit(result);
  for (const ratio of ratios(results, isSubject)) emit(ratio);
}

export function isOurs(id: string): boolean {
  return id === 'uintr' || id.startsWith('uintr/');
}

interface Collected {
  contestant: Contestant;
  scenario?: string;
  first: SamplesLine;
  micros: number[];
}

function add(collected: Map<string, Collected>, contestant: Contestant, line: SamplesLine): void {
  const scenario = line.scenario ?? contestant.scenario;
  const key = `${contestant.id} ${line.bytes} ${scenario}`;
  const known = collected.get(key);
  if (known) known.micros.push(...line.micros);
  else collected.set(key, { contestant, scenario, first: line, micros: [...line.micros] });
}

function resultOf(timing: Timing, { contestant, scenario, first, micros }: Collected): ResultLine {
  const time = summarize(micros);
  return {
    bench: 'result',
    measure: timing.measure,
    contestant: contestant.id,
    title: contestant.title,
    bytes: first.bytes,
    ...(scenario !== undefined && { scenario }),
    time,
    figure: figureOf(timing, time, first.bytes),
    ...(timing.window > 1 && { window: first.window }),
    ...(first.driver !== undefined && { driver: first.driver }),
    ...(first.copy !== undefined && { copy: first.copy }),
  };
}

export function figureOf(timing: Pick<Timing, 'unit' | 'figure'>, time: Summary, bytes: number): ResultLine['figure'] {
  const of = (micros: number) => timing.figure(micros, bytes);
  return { unit: timing.unit, median: of(time.median), best: of(time.min), p99: of(time.p99) };
}

/** As the contestants were listed, whoever came first in the rounds. */
function inOrderOf(contestants: Contestant[]): (a: ResultLine, b: ResultLine) => number {
  const place = new Map(contestants.map((contestant, index) => [contestant.id, index]));
  return (a, b) => (place.get(a.contestant) ?? 0) - (place.get(b.contestant) ?? 0) || a.bytes - b.bytes;
}
