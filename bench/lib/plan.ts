// What the two ends of a peer are told to do, as one argument on their command line.

export interface Case {
  /** Length of a message. */
  bytes: number;
  /** Round trips per sample: a single one of 8 bytes is shorter than reading the clock is exact. */
  batch: number;
  /** Messages in flight (bandwidth). */
  window: number;
}

export interface Plan {
  cases: Case[];
  /** Time for the samples of one case; at least `minSamples`, at most `maxSamples` are taken. */
  budgetMicros: number;
  minSamples: number;
  maxSamples: number;
  /** The processors of the two ends, where they are pinned. */
  cpus?: [number, number];
}

export interface Effort {
  quick: boolean;
  sizes?: number[];
  /** Numbers of ranks, or of workers, where a measure has several. */
  ranks?: number[];
  rounds?: number;
  /** 2^exponent operations in each case of counter; as many as the budget allows, if not given. */
  exponent?: number;
  /** Milliseconds per case and round. */
  budget?: number;
}

export const KiB = 1024;
export const MiB = 1024 * KiB;

export function roundsOf(effort: Effort): number {
  return effort.rounds ?? (effort.quick ? 1 : 3);
}

/** Sizes of an effort, and how its samples are bounded. */
export function makePlan(effort: Effort, sizes: number[], window: number, cpus: [number, number] | undefined): Plan {
  return {
    cases: (effort.sizes ?? sizes).map((bytes) => ({ bytes, batch: batchOf(bytes), window })),
    budgetMicros: (effort.budget ?? (effort.quick ? 60 : 600)) * 1000,
    minSamples: 3,
    maxSamples: effort.quick ? 200 : 2000,
    ...(cpus && { cpus }),
  };
}

function batchOf(bytes: number): number {
  if (bytes <= 4 * KiB) return 50;
  return bytes < MiB ? 10 : 1;
}

/** How many samples fit into a time, given what one takes. */
export function samplesIn(budgetMicros: number, microsPerSample: number, least: number, most: number): number {
  const fits = Math.floor(budgetMicros / Math.max(microsPerSample, 0.001));
  return Math.min(Math.max(fits, least), most);
}

export function encodePlan(plan: Plan): string {
  return JSON.stringify(plan);
}

export function decodePlan(argument: string | undefined): Plan {
  if (argument === undefined) throw new Error('no plan given: this program is started by `uintr bench`');
  return JSON.parse(argument) as Plan;
}
