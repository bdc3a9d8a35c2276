// What is reduced.

export interface Vector {
  readonly bytes: number;
  readonly elementBytes: number;
  /** Whether ranks may be combined in any order. They may be grouped in any way in any case. */
  readonly commutes: boolean;
}
