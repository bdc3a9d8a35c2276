// Barrier: dissemination (Hensgen, Finkel, Manber 1988, "Two Algorithms for Barrier Synchronization").
//
// That is what every collective does to see that all ranks have called the same (check.ts), so a barrier is that and
// nothing else.
import type { Schedule } from './schedule.js';

export function barrier(_s: Schedule): void {}
