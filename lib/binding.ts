// The one typed view of the addon (src-native/addon): nothing else in lib/ knows what it exports.
import { UintrError } from './errors.js';
import { loadNative } from './native.js';
import type { CopyKind, RequestInspection, WorldInspection, WorldStats } from './reports.js';

/** Why joining, or opening a doorbell, failed; becomes a UintrError. */
export interface NativeFailure {
  code: string;
  message: string;
  errno?: number;
  syscall?: string;
}

export interface NativeVerdict {
  ok: boolean;
  reason?: string;
}

export interface NativeSupport {
  drivers: Record<'uintr' | 'signal' | 'poll', NativeVerdict>;
  userInterrupts: { cpu: boolean; enabled: boolean; abi?: string; emulated: boolean; remedy?: string };
  copies: Record<CopyKind, NativeVerdict>;
  holdsBackingStores: boolean;
}

export interface NativeJoinOptions {
  /** The launcher's socket, and the inode by which it is known to be that. */
  hubFd?: number;
  hubInode?: number;
  name?: string;
  size: number;
  rank?: number;
  /** 1: ranks can come back. */
  rejoin?: number;
  driver: string;
  signal: string;
  copyKinds: number;
  eagerLimit: number;
  ringBytes: number;
  sliceBytes: number;
  heapBytes: number;
  unexpectedBytes: number;
  maxRequests: number;
  spinMicroseconds: number;
  joinTimeout: number;
}

/** Peers are ranks of the world. */
export interface NativeInspection extends Omit<WorldInspection, 'requests'> {
  requests: (Omit<RequestInspection, 'comm' | 'purpose' | 'called'> & { context: number; slot?: number })[];
}

/** A world as the addon makes it. Counts are of records in the exchange's batch. */
export interface NativeWorld {
  readonly exchange: ArrayBuffer;
  readonly rank: number;
  readonly size: number;
  readonly maxRequests: number;
  readonly heapBytes: number;
  readonly hostedName: string;
  /** Ranks can come back; by rank, how often each has when this one joined. */
  readonly elastic: boolean;
  readonly incarnations: readonly number[];

  /** A slot (>= 0), or a PostResult. Arguments are in the exchange. */
  postSend(data: NodeJS.ArrayBufferView | ArrayBuffer): number;
  postRecv(into: NodeJS.ArrayBufferView | ArrayBuffer | undefined): number;
  drain(): number;
  progress(): number;
  waitSlice(ms: number): number;
  cancel(slot: number): boolean;
  giveUp(slot: number): boolean;
  probe(): boolean;
  /** A slot (>= 0), which its message occupies from now on, or a PostResult. */
  improbe(): number;
  /** Receives what improbe took: the slot, or a PostResult. */
  imrecv(slot: number, into: NodeJS.ArrayBufferView | ArrayBuffer | undefined): number;
  /** Whether nobody is left who could send; then the error is in the exchange. */
  unreachable(): boolean;
  /** Whether the loop is to tell of messages that no receive was posted for. */
  watch(on: boolean): void;
  /**
   * A collective operation as records of 8 numbers (collectives/schedule.ts), with ranks of the world. A slot, or a
   * PostResult; IMMEDIATE + R_TAG then says which record, or buffer.
   */
  postSchedule(ops: Float64Array, buffers: (NodeJS.ArrayBufferView | ArrayBuffer)[]): number;

  /** Undone by the addon itself, when the loop is about to sleep and the exchange says that nothing is wanted. */
  ref(): void;
  beginClose(): void;
  abandon(): void;
  quiescent(): boolean;
  close(done: () => void): void;
  driver(): string;
  life(rank: number): number;
  copy(rank: number): number;
  /** Makes a rank that is gone a peer again, in the life that waits for it; undefined where none does any more. */
  letIn(rank: number): { pid: number; incarnation: number; failed: boolean } | undefined;
  /** What its old life has ended is taken back: its join may be done. */
  admitted(rank: number): void;
  /** Where primitives are shared by all ranks (src-native/sync). */
  region(): NativeRegion | NativeFailure;

  alloc(bytes: number): ArrayBuffer | undefined;
  takeBlock(offset: number, bytes: number): ArrayBuffer | undefined;
  /** What is lent to this rank under the name in the record of its receive. */
  takeLoan(handle: number): ArrayBuffer | undefined;
  /** What takeLoan gave and has not gone back. */
  loans(): ArrayBuffer[];
  /** With a handle: what takeLoan gave for it. */
  detach(buffer: ArrayBuffer, handle?: number): boolean;

  stats(): WorldStats | undefined;
  inspect(): NativeInspection | undefined;

  /** Records into a ring of that many events (a power of two). False: no memory. */
  startTrace(events: number): boolean;
  /** Frees it. */
  stopTrace(): void;
  /** What is left of them from number `from` on; `next`: where to go on. Undefined: nothing is recorded. */
  readTrace(from: number): { events: ArrayBuffer; next: number; lost: number } | undefined;
  /** The clock of the events and CLOCK_MONOTONIC (ns), read at one moment. */
  traceClock(): { source: 'tsc' | 'monotonic'; at: bigint; ns: bigint };
  /** A number that no other world of this boot has, and the kernel's number of this thread. Not after close(). */
  traceIdentity(): { world: number; tid: number };
  /** Whether the lock on that open file was free, and is this one's now, until it is closed. */
  lockFile(fd: number): boolean;
}

/** A receiver of doorbells as the addon makes it. After close() its functions do nothing. */
export interface NativeReceiver {
  readonly driver: 'uintr' | 'signal';
  createFd(vector: number): number | NativeFailure;
  count(vector: number): bigint;
  /** Blocks up to `ms`, and never for long; takes the vectors that came. `first`: of the slices of one wait. */
  wait(ms: number, first: boolean): bigint;
  ref(): void;
  unref(): void;
  close(): void;
}

export interface NativeSender {
  send(): void;
  close(): void;
}

/** A region as the addon makes it (src-native/addon/sync.h). Kinds are src-native/sync/layout.h's. */
export interface NativeRegion {
  readonly byteLength: number;
  readonly handle: string;
  /** The line of the object of that name, made where there is none; with an empty name always of a new one. */
  find(kind: number, name: string): number | NativeFailure;
  /** Undefined: there is none of that kind there, or the region is closed. */
  object(kind: number, line: number): NativeLock | NativeCounter | NativeCompletion | undefined;
  createFd(): number | NativeFailure;
  close(): void;
}

/** Returns what was waited for, if that has come and was not told yet; it is the caller's then. `end`: else the wait ends. */
export type NativeTake = (end: boolean) => number | undefined;

/** Attempts are src-native/sync/lock.h's; -1: the region is closed, -2: no seat is left. */
export interface NativeLock {
  tryAcquire(): number;
  /** Blocks up to `ms`, and never for long. `first`: of the slices of one wait. */
  acquire(ms: number, first: boolean): number;
  giveUp(): void;
  /** One at a time. `done` gets an attempt, or undefined if that was taken, or the wait ended. */
  acquireAsync(done: (attempt: number | undefined) => void): NativeTake | NativeFailure;
  /** What was acquired by calls that block, or by the others. False: it is not owned. */
  release(async: boolean): boolean;
  consistent(): void;
  holder(): { pid: number; tid: number } | undefined;
  /** Who has died with it last; as it was when it got it. */
  dead(): { pid: number; tid: number };
}

/** What the functions return is undefined, or false, where the region is closed. */
export interface NativeCounter {
  increment(): boolean;
  decrement(): boolean;
  add(n: number | bigint): boolean;
  fetchAdd(n: number | bigint): bigint | undefined;
  exchange(n: number | bigint): bigint | undefined;
  load(): bigint | undefined;
  sum(): bigint | undefined;
  readonly restartable: boolean;
}

export interface NativeCompletion {
  complete(): boolean | undefined;
  completeAll(): boolean | undefined;
  reinit(): boolean | undefined;
  done(): number | undefined;
  tryWait(): boolean | undefined;
  wait(ms: number): boolean | undefined;
  waitAsync(done: (outcome: number | undefined) => void): NativeTake | NativeFailure;
}

/** One of the primitives of uintr/sync, for loops in native code (src-native/addon/sync_count.h). */
export interface NativeCounting {
  /** Adds `n` so often, or as often as it can in about so many ms: how often it has; -1: an owner of the lock has died. */
  run(n: number, times: number, ms: number): number;
  /** The 64-bit word that the lock guards, which `run` adds to; a counter has none. */
  readonly guarded?: ArrayBuffer;
}

/** What a thread has spent since it began. */
export interface ThreadUsage {
  cpuMicros: number;
  /** Context switches. */
  voluntary: number;
  involuntary: number;
}

/** A rendezvous (src-native/addon/hub.h). */
export interface NativeHub {
  readonly fds: number[];
  release(rank: number): void;
  close(): void;
}

export interface Binding {
  /** Returns a function that ends the attempt, or why it cannot even begin. */
  join(
    options: NativeJoinOptions,
    onBatch: (count: number) => void,
    done: (failure: NativeFailure | undefined, world: NativeWorld | undefined) => void,
  ): (() => void) | NativeFailure;
  support(signal: string): NativeSupport;
  /** The program has just begun to listen to the signal of this number. */
  checkSignal(signal: number): void;
  /** Calls `onAsked(times)` when the signal of this number has come, so often so far. Returns what ends that; undefined: no memory. */
  watchInspect(signal: number, onAsked: (times: number) => void): (() => void) | undefined;
  /** `lost`: the program has taken the signal over. */
  openReceiver(
    driver: string,
    signal: string,
    onEvent: (vectors: bigint, lost: boolean) => void,
  ): NativeReceiver | NativeFailure;
  openSender(fd: number): NativeSender | NativeFailure;
  createRegion(byteLength: number): NativeRegion | NativeFailure;
  openRegion(handle: string): NativeRegion | NativeFailure;
  regionOfFd(fd: number): NativeRegion | NativeFailure;
  namedRegion(name: string, byteLength: number): NativeRegion | NativeFailure;
  /** `region`: a handle. What it counts with is found by its name, or made. */
  openCounting(options: { region: string; kind: number; name: string }): NativeCounting | NativeFailure;
  threadUsage(): ThreadUsage;
  /** The rendezvous for ranks that this process starts. */
  createHub(size: number): NativeHub;
  /** Worlds that this thread is in, by what they are known as. Here, because this object exists once per thread. */
  joined?: Map<string, unknown>;
}

export function failed(result: unknown): result is NativeFailure {
  return typeof result === 'object' && result !== null && 'code' in result;
}

/** The addon; throws ERR_UINTR_UNSUPPORTED with the reason where there is none. */
export function binding(): Binding {
  const native = loadNative();
  if ('reason' in native) throw new UintrError('ERR_UINTR_UNSUPPORTED', native.reason);
  return native.addon as Binding;
}
