// What rank 1 measured. It prints it as one line of JSON, which main.ts finds among the output of the ranks.

export interface Result {
  driver: string;
  /** How the pair copies. */
  copy: string;
  bytes: number;
  messages: number;
  /** Milliseconds, medians. */
  computation: number;
  transfer: number;
  together: number;
  /** Handler runs on the computing rank, of one file. */
  interrupts: number;
  correct: boolean;
}

/** The part of the transfer that cost the computation nothing. */
export function hidden({ computation, transfer, together }: Result): number {
  return 1 - (together - computation) / transfer;
}
