// "Why is it stuck", asked from outside: on a signal a process prints what each of its worlds waits for.
import { constants } from 'node:os';
import { inspect } from 'node:util';
import { isMainThread } from 'node:worker_threads';
import { invalidArgument } from './errors.js';
import type { WorldInspection } from './reports.js';

/**
 * Names the signal. `uintr run` sets it for its ranks to SIGUSR2, and hands that signal on to all that listen to it.
 * Nothing is printed before the event loop turns: not while JavaScript computes or blocks in wait(). Worker threads
 * get no signals.
 */
export const INSPECT_VARIABLE = 'UINTR_INSPECT_SIGNAL';

export interface Inspectable {
  readonly rank: number;
  readonly size: number;
  inspect(): WorldInspection;
}

const worlds = new Set<Inspectable>();

function print(): void {
  for (const world of worlds) {
    const text = inspect(world.inspect(), { depth: 3, breakLength: 200, maxArrayLength: 1000 });
    process.stderr.write(`uintr: rank ${world.rank} of ${world.size}, process ${process.pid}: ${text}\n`);
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
  if (signal === undefined || !isMainThread) return () => {};
  worlds.add(world);
  if (!process.listeners(signal).includes(print)) process.on(signal, print);
  return () => {
    worlds.delete(world);
    if (worlds.size === 0) process.off(signal, print);
  };
}
