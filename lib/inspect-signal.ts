// "Why is it stuck", asked from outside: on a signal each thread prints what its worlds wait for.
import { Buffer } from 'node:buffer';
import { writeSync } from 'node:fs';
import { constants } from 'node:os';
import { inspect } from 'node:util';
import { isMainThread, threadId } from 'node:worker_threads';
import { binding } from './binding.js';
import { invalidArgument } from './errors.js';
import type { WorldInspection } from './reports.js';

/**
 * Names the signal. `uintr run` sets it for its ranks to SIGUSR2, and hands that signal on to all that listen to it.
 * Each thread prints its own: when its event loop turns, and while it waits in wait() or asks a request whether it is
 * done; not while it computes.
 */
export const INSPECT_VARIABLE = 'UINTR_INSPECT_SIGNAL';

export interface Inspectable {
  readonly rank: number;
  readonly size: number;
  inspect(): WorldInspection;
}

const worlds = new Set<Inspectable>();
let answered = 0;
let silence: (() => void) | undefined;

/** This thread was asked so often, in all. */
export function inspectAsked(times: number): void {
  if (times === answered) return;
  answered = times;
  const where = `process ${process.pid}${isMainThread ? '' : `, thread ${threadId}`}`;
  for (const world of worlds) {
    const found = lookInto(world);
    if (found === undefined) continue;
    const text = inspect(found, { depth: 3, breakLength: 200, maxArrayLength: 1000 });
    print(`uintr: rank ${world.rank} of ${world.size}, ${where}: ${text}\n`);
  }
}

/** Undefined: it has just been left. */
function lookInto(world: Inspectable): WorldInspection | undefined {
  try {
    return world.inspect();
  } catch {
    return undefined;
  }
}

/** At once: a worker's process.stderr goes by way of the main thread, which may be blocked. */
function print(text: string): void {
  let left = Buffer.from(text);
  try {
    while (left.length > 0) left = left.subarray(writeSync(2, left));
  } catch {
    // A pipe that is full, and not to be waited for.
    process.stderr.write(left);
  }
}

/** The signal that the environment names; undefined: none. */
export function inspectSignal(env: NodeJS.ProcessEnv): NodeJS.Signals | undefined {
  const name = env[INSPECT_VARIABLE];
  if (name === undefined || name === '') return undefined;
  if (Object.hasOwn(constants.signals, name) && name !== 'SIGKILL' && name !== 'SIGSTOP') return name as NodeJS.Signals;
  throw invalidArgument(INSPECT_VARIABLE, 'the name of a signal that can be handled', name);
}

/** Has the world printed on the signal, until what it returns is called. */
export function inspectOn(signal: NodeJS.Signals | undefined, world: Inspectable): () => void {
  if (signal === undefined) return () => {};
  worlds.add(world);
  if (silence === undefined) {
    const number = constants.signals[signal];
    silence = binding().watchInspect(number, inspectAsked);
    // Another world may have been interrupted by it.
    binding().checkSignal(number);
  }
  return () => {
    worlds.delete(world);
    if (worlds.size > 0) return;
    silence?.();
    silence = undefined;
  };
}
