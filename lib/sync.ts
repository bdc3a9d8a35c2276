// uintr/sync: locks, counters and completions in memory that processes and worker threads share.
export { AtomicCounter } from './sync/atomic-counter.js';
export { Completion, type WaitAsyncOptions } from './sync/completion.js';
export type { LockAsyncOptions, LockOptions, TryLockOptions } from './sync/lock.js';
export type { Holder, LockGuard } from './sync/lock-state.js';
export { Mutex, type MutexOptions } from './sync/mutex.js';
export { PerCpuCounter } from './sync/per-cpu-counter.js';
export type { Place, PrimitiveOptions } from './sync/primitive.js';
export { SharedRegion } from './sync/region.js';
export { SpinLock, type SpinLockOptions } from './sync/spin-lock.js';
