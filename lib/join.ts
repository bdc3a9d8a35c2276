// How a process or thread enters a world.
import { debuglog } from 'node:util';
import { checkOptions, keySet } from './arguments.js';
import { binding, type NativeFailure, type NativeJoinOptions, type NativeWorld } from './binding.js';
import { joinChannel } from './diagnostics.js';
import { invalidArgument, UintrError, type UintrErrorCode } from './errors.js';
import { type Inspectable, inspectOn, inspectSignal } from './inspect-signal.js';
import { type Place, takeLaunched } from './launched.js';
import { OPTIONS, type ResolvedOptions, resolveOptions, variableOf, type WorldOptions } from './options.js';
import { watchSignals } from './signals.js';
import { support } from './support.js';
import { checkPath, type Trace, type TraceOptions } from './trace.js';
import { checkTraceFile } from './trace-file.js';

/** Options of {@link World.join}. */
export interface JoinOptions extends WorldOptions {
  /** Joins the world of this name: all processes of this user that use it. Needs `size`. */
  name?: string;
  /** How many ranks that world has, 1 to 1024. */
  size?: number;
  /** The rank to be; by arrival if not given. */
  rank?: number;
  /**
   * Makes the world elastic: a rank that is gone can come back, by joining with the same options again (see
   * {@link World.incarnation}). All ranks give it, and each its `rank`. Default false.
   */
  rejoin?: boolean;
}

// src-native/engine/types.h, enum CopyKind
const DIRECT = 1;
const HEAP = 2;
const CMA = 4;
const PIPELINE = 8;
const ALLOWED_COPIES = {
  auto: DIRECT | HEAP | CMA | PIPELINE,
  direct: DIRECT | PIPELINE,
  heap: HEAP | PIPELINE,
  cma: CMA | PIPELINE,
  pipeline: PIPELINE,
} as const;

const MAX_RANKS = 1024;
const JOIN_KEYS = keySet('name', 'size', 'rank', 'rejoin', ...OPTIONS.map(({ name }) => name));

// src-native/bootstrap/wire.h
const COMPLETE = 'ERR_UINTR_COMPLETE';

/** What a world without a name is known as: one per thread, whether a launcher made it or nobody. */
const UNNAMED = '';

type Settle = (count: number) => void;

/** What a world has to offer to who makes it. */
export interface Enterable extends Inspectable {
  trace(options?: TraceOptions): Trace;
  close(): Promise<void>;
}

/** Makes the world out of what the addon has; `onBatch` takes who settles what the event loop brings. */
export type Make<W extends Enterable> = (
  native: NativeWorld,
  onBatch: (settle: Settle) => void,
  forget: () => void,
  maxObjectBytes: number,
) => W;

export async function enter<W extends Enterable>(options: JoinOptions | undefined, make: Make<W>): Promise<W> {
  const addon = binding();
  const given = checkOptions(options, JOIN_KEYS);
  const place = placeOf(given);
  const resolved = resolveOptions(given, process.env);

  addon.joined ??= new Map();
  const { joined } = addon;
  const key = given.name ?? UNNAMED;
  if (joined.has(key)) {
    const which = given.name === undefined ? 'its world' : `the world '${given.name}'`;
    throw new UintrError('ERR_UINTR_JOIN', `this thread has joined ${which} already`);
  }
  const launcher = given.name === undefined ? takeLaunched(process.env) : undefined;
  joined.set(key, true);
  const how = { place: launcher ?? place, resolved, given, make, forget: () => joined.delete(key) };
  return launcher !== undefined && 'name' in launcher
    ? attemptAfterOthers(how, () => joined.set(key, true))
    : attempt(how);
}

/** What attempts have failed with because the world has all its ranks. */
const complete = new WeakSet<UintrError>();

/** Between two attempts, in milliseconds. */
const TRY_AGAIN_MS = 20;

/**
 * Under another MPI's launcher one program may follow another (`mpirun sh -c 'node a; node b'`), in a world of the same
 * name: that is complete until all ranks of the one before have left. `again`: what a failed attempt has undone.
 */
async function attemptAfterOthers<W extends Enterable>(how: Attempt<W>, again: () => void): Promise<W> {
  const end = performance.now() + how.resolved.joinTimeout;
  for (;;) {
    const left = Math.max(1, Math.ceil(end - performance.now()));
    try {
      return await attempt({ ...how, resolved: { ...how.resolved, joinTimeout: left } });
    } catch (error) {
      if (!complete.has(error as UintrError) || performance.now() + TRY_AGAIN_MS >= end) throw error;
    }
    again();
    await new Promise((resolve) => setTimeout(resolve, TRY_AGAIN_MS));
  }
}

/** One attempt to enter a world. */
export interface Attempt<W extends Enterable> {
  place: Place;
  resolved: ResolvedOptions;
  /** As the program gave them, for its errors. */
  given: WorldOptions;
  make: Make<W>;
  /** The attempt has failed, or the world was left. */
  forget?: () => void;
  /** It is under way: the options are good. */
  onStarted?: () => void;
}

export async function attempt<W extends Enterable>(how: Attempt<W>): Promise<W> {
  const { place, resolved, given, make, forget, onStarted } = how;
  const unwatch = watchSignals();
  let silence = (): void => {};
  const end = (): void => {
    forget?.();
    unwatch();
    silence();
  };
  try {
    const signal = inspectSignal(process.env);
    const trace = traceOptions(resolved, given);
    const native: NativeJoinOptions = { ...nativeOptions(resolved), ...place };
    return await new Promise<W>((resolve, reject) => {
      let settle: Settle = () => {};
      const started = binding().join(
        native,
        (count) => settle(count),
        (failure, world) => {
          if (world === undefined) return reject(joinError(failure!, given));
          debugDriver(resolved.driver, world.driver());
          const takes = (taker: Settle): void => {
            settle = taker;
          };
          const made = make(world, takes, end, resolved.maxObjectBytes);
          // A signal that interrupts ranks is not for the program to handle.
          if (signal !== resolved.signal) silence = inspectOn(signal, made);
          try {
            if (trace !== undefined) made.trace(trace);
          } catch (error) {
            // Only then can the thread join it again.
            void made
              .close()
              .catch(() => {})
              .then(() => reject(error));
            return;
          }
          if (joinChannel.hasSubscribers) joinChannel.publish({ world: made });
          resolve(made);
        },
      );
      if (typeof started !== 'function') reject(joinError(started, given));
      else onStarted?.();
    });
  } catch (error) {
    end();
    throw error;
  }
}

/** Undefined: no timeline is asked for. A file that cannot be written is told before anybody joins. */
function traceOptions({ trace, traceEvents }: ResolvedOptions, given: WorldOptions): TraceOptions | undefined {
  if (trace === '') return undefined;
  const name = given.trace === undefined ? variableOf('trace') : 'trace';
  const file = checkPath(trace, name);
  checkTraceFile(file, name);
  return { file, events: traceEvents };
}

const debug = debuglog('uintr');

/** NODE_DEBUG=uintr tells which driver was chosen, and why not a better one. */
function debugDriver(asked: string, used: string): void {
  if (!debug.enabled) return;
  const { drivers } = support();
  debug("driver '%s' asked for, '%s' in use%s", asked, used, drivers.uintr.ok ? '' : ` (${drivers.uintr.reason})`);
}

function placeOf({ name, size, rank, rejoin = false }: JoinOptions): Place {
  if (typeof rejoin !== 'boolean') throw invalidArgument('rejoin', 'a boolean', rejoin);
  if (name === undefined) {
    if (size !== undefined) throw invalidArgument('size', 'left out where there is no name', size);
    if (rank !== undefined) throw invalidArgument('rank', 'left out where there is no name', rank);
    if (rejoin) throw invalidArgument('rejoin', 'left out where there is no name', rejoin);
    return { size: 1 };
  }
  if (typeof name !== 'string' || name === '' || name.includes('\0')) {
    throw invalidArgument('name', 'a string that is not empty', name);
  }
  if (!Number.isInteger(size) || size! < 1 || size! > MAX_RANKS) {
    throw invalidArgument('size', `a number of ranks from 1 to ${MAX_RANKS}`, size);
  }
  if (rank !== undefined && (!Number.isInteger(rank) || rank < 0 || rank >= size!)) {
    throw invalidArgument('rank', `an integer from 0 to ${size! - 1}`, rank);
  }
  if (rejoin && rank === undefined) throw invalidArgument('rank', 'given where ranks can come back (rejoin)', rank);
  return { name, size: size!, ...(rank === undefined ? {} : { rank }), ...(rejoin ? { rejoin: 1 } : {}) };
}

/** As the addon wants them. */
export function nativeOptions({
  copy,
  trace: _,
  traceEvents: __,
  maxObjectBytes: ___,
  ...rest
}: ResolvedOptions): Omit<NativeJoinOptions, 'size'> {
  return { ...rest, copyKinds: ALLOWED_COPIES[copy] };
}

function joinError({ code, message, errno, syscall }: NativeFailure, given: WorldOptions): UintrError {
  // The caller's time for a whole world is over, or the world complete: ways in which joining fails, and told as such.
  const told = code === 'ERR_UINTR_TIMEOUT' || code === COMPLETE ? 'ERR_UINTR_JOIN' : (code as UintrErrorCode);
  // Which signals will do is known to the addon alone; where the name came from, only here.
  const fromVariable =
    code === 'ERR_UINTR_INVALID_ARGUMENT' && given.signal === undefined && message.startsWith('signal ');
  const text = fromVariable ? message.replace('signal', variableOf('signal')) : message;
  const error = new UintrError(told, text, { errno, syscall });
  if (code === COMPLETE) complete.add(error);
  return error;
}
