// What rank 0 reports. It prints it as one line of JSON, which main.ts finds among the output of the ranks.

export interface Times {
  /** Milliseconds of all steps, until the last rank is done. */
  all: number;
  /** Of them, those in which a rank waited for its halos; mean of the ranks. */
  waiting: number;
}

/** Medians. */
export interface Result {
  driver: string;
  ranks: number;
  columns: number;
  rows: number;
  steps: number;
  /** Milliseconds that one process needs for it. */
  serial: number;
  /** The inner rows are computed while the halos are under way. */
  overlapped: Times;
  /** Nothing is computed before the halos are there. */
  waited: Times;
  /** Every cell, of every run, is to the last bit what one process computes. */
  correct: boolean;
}
