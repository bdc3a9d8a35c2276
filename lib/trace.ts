// The timeline of a world, as this rank records it: where it begins, and when it is written.
import { readFileSync, writeSync } from 'node:fs';
import { resolve } from 'node:path';
import { checkOptions, keySet } from './arguments.js';
import type { NativeWorld } from './binding.js';
import { invalidArgument, UintrError } from './errors.js';
import { MAX_TRACE_EVENTS, MIN_TRACE_EVENTS, TRACE_EVENTS } from './options.js';
import { TraceLines, type TraceOrigin, type TraceScale } from './trace-events.js';
import { addToTrace, checkTraceFile } from './trace-file.js';

/** Options of {@link World.trace}. */
export interface TraceOptions {
  /** Where the timeline is written when the world is closed, or the process or thread ends. Nowhere if not given. */
  file?: string;
  /**
   * How many events are kept, a power of two from 1024 to 2^24, of 64 bytes each: the oldest are overwritten. Default
   * 65536, as the option `traceEvents`.
   */
  events?: number;
}

const TRACE_KEYS = keySet('file', 'events');
/** Two readings of two clocks give the rate well if this is between them, in nanoseconds. */
const APART_NS = 10_000_000n;

/** Those that the end of this process or thread writes. */
const unwritten = new Set<Trace>();

let begin: (native: NativeWorld, file: string | undefined, events: number) => Trace;
/** Writes it, if it was begun with a file, and records nothing more. */
let end: (trace: Trace) => void;
let hasEnded: (trace: Trace) => boolean;

/**
 * What this rank does and what is done to it, in time: computation, posts, interrupts sent and handled, the slices of
 * copying that handlers do, completions. Made by {@link World.trace}; docs/timeline.md says how to read it.
 */
export class Trace {
  /** Where it is written at the end; undefined: nowhere, but by {@link write}. */
  readonly file: string | undefined;
  readonly #native: NativeWorld;
  readonly #origin: TraceOrigin;
  readonly #world: number;
  readonly #began: { at: bigint; ns: bigint };
  readonly #clock: string;
  // Of each file, how far it reaches.
  readonly #parts = new Map<string, { next: number; lines: TraceLines }>();
  #ended = false;

  private constructor(native: NativeWorld, file: string | undefined, events: number) {
    if (!native.startTrace(events)) {
      throw new UintrError('ERR_UINTR_NO_MEMORY', `no memory for ${events} events`, { rank: native.rank });
    }
    this.file = file;
    this.#native = native;
    const { world, tid } = native.traceIdentity();
    this.#world = world;
    this.#origin = { rank: native.rank, pid: process.pid, tid, world: numberOf(world) };
    const { source, at, ns } = native.traceClock();
    this.#clock = source;
    this.#began = { at, ns };
    if (file !== undefined) watch(this);
  }

  /**
   * Writes what has been recorded so far, as Chrome trace-event JSON, which https://ui.perfetto.dev opens. All ranks
   * write to one file: each adds its part, and each call what is new since the last. A timeline that was there before
   * this process was started is replaced. Takes some 100 ms of this thread for 65536 events.
   *
   * Rejects with what the file system says; ERR_UINTR_INVALID_ARGUMENT: no file is known, or there is one that is no
   * timeline; ERR_UINTR_CLOSED: the recording has ended; ERR_UINTR_TIMEOUT: other ranks do not let go of the file.
   * @param file default: the one that it was begun with
   * @returns its absolute path
   */
  async write(file: string | undefined = this.file): Promise<string> {
    const path = checkPath(file);
    this.#write(path);
    return path;
  }

  /** Writes it, if it was begun with a file, and ends the recording. Rejects as {@link write} does; has ended all the same. */
  async stop(): Promise<void> {
    end(this);
  }

  /** {@link stop}, for `await using`. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }

  #write(path: string): void {
    if (this.#ended) {
      throw new UintrError('ERR_UINTR_CLOSED', 'the recording of the timeline has ended', { rank: this.#origin.rank });
    }
    addToTrace(path, {
      boot: bootId(),
      world: this.#world,
      started: Number(process.hrtime.bigint()) - process.uptime() * 1e9,
      clock: this.#clock,
      lock: (fd) => this.#native.lockFile(fd),
      scale: () => this.#scale(),
      lines: (scale, begun) => this.#lines(path, scale, begun),
    });
  }

  /** What is new since the last time, if the file still has that. */
  #lines(path: string, scale: TraceScale, begun: boolean): string[] {
    let part = this.#parts.get(path);
    const first = !begun || part === undefined;
    if (!begun || part === undefined) {
      part = { next: 0, lines: new TraceLines(this.#origin, scale) };
      this.#parts.set(path, part);
    }
    const { events, next, lost } = this.#native.readTrace(part.next)!;
    const { at } = this.#native.traceClock();
    part.next = next;
    return [...(first ? part.lines.header() : []), ...part.lines.read(events, lost, at)];
  }

  #scale(): TraceScale {
    let now = this.#native.traceClock();
    while (now.ns - this.#began.ns < APART_NS) now = this.#native.traceClock();
    const unit = Number(now.ns - this.#began.ns) / Number(now.at - this.#began.at);
    return { zero: now.at - BigInt(Math.round(Number(now.ns) / unit)), unit };
  }

  static {
    begin = (native, file, events) => new Trace(native, file, events);
    hasEnded = (trace) => trace.#ended;
    end = (trace) => {
      if (trace.#ended) return;
      try {
        if (trace.file !== undefined) trace.#write(trace.file);
      } finally {
        trace.#ended = true;
        unwatch(trace);
        trace.#native.stopTrace();
      }
    };
  }
}

/** Begins, or finds the one that is under way. */
export function traced(native: NativeWorld, current: Trace | undefined, options: TraceOptions | undefined): Trace {
  const { file, events } = checkOptions(options, TRACE_KEYS);
  const path = file === undefined ? undefined : checkPath(file);
  if (events !== undefined) checkEvents(events);
  if (current !== undefined && !hasEnded(current)) {
    if (path === undefined || path === current.file) return current;
    throw invalidArgument('file', 'left out, or the same, while a timeline is recorded', file);
  }
  if (path !== undefined) checkTraceFile(path, 'file');
  return begin(native, path, events ?? TRACE_EVENTS);
}

/** The world is closed, and nothing more comes. Without a file it is kept for {@link Trace.write}. */
export function worldClosed(trace: Trace | undefined): void {
  if (trace?.file === undefined) return;
  endOr(trace, (message) => process.emitWarning(message, { type: 'UintrWarning', code: 'UINTR_TRACE_NOT_WRITTEN' }));
}

/** An absolute path; `name` is what the caller knows it as. */
export function checkPath(file: unknown, name = 'file'): string {
  if (typeof file === 'string' && file !== '' && !file.includes('\0')) return resolve(file);
  throw invalidArgument(name, 'the path of a file', file);
}

function checkEvents(events: unknown): void {
  const good = Number.isInteger(events) && Number.isInteger(Math.log2(events as number));
  if (good && (events as number) >= MIN_TRACE_EVENTS && (events as number) <= MAX_TRACE_EVENTS) return;
  throw invalidArgument('events', `a power of two from ${MIN_TRACE_EVENTS} to ${MAX_TRACE_EVENTS}`, events);
}

/** Worlds whose timelines this thread has recorded, by their tracks. */
const worlds: number[] = [];

function numberOf(world: number): number {
  if (!worlds.includes(world)) worlds.push(world);
  return worlds.indexOf(world);
}

function bootId(): string {
  return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
}

function watch(trace: Trace): void {
  if (unwritten.size === 0) process.on('exit', writeAll);
  unwritten.add(trace);
}

function unwatch(trace: Trace): void {
  if (unwritten.delete(trace) && unwritten.size === 0) process.off('exit', writeAll);
}

function writeAll(): void {
  // A warning would be printed by a later turn of the event loop.
  for (const trace of unwritten) endOr(trace, (message) => writeSync(2, `uintr: ${message}\n`));
}

/** What fails at the end is not to make the end fail. */
function endOr(trace: Trace, warn: (message: string) => void): void {
  try {
    end(trace);
  } catch (error) {
    warn(`the timeline of this rank was not written: ${(error as Error).message}`);
  }
}
