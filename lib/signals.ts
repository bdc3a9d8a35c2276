// Tells the addon at once when the program begins to listen to a signal: it may be one that ranks are interrupted by.
import { constants } from 'node:os';
import { isMainThread } from 'node:worker_threads';
import { binding } from './binding.js';

const NUMBERS: Readonly<Record<string, number>> = constants.signals;

let users = 0;

// Node has a listener of its own for 'newListener', older than this one, which has put libuv's handler in place by now.
// That the program stops listening need not be told: the addon has seen to it that this changes nothing.
function onNewListener(event: string | symbol): void {
  if (typeof event === 'string' && Object.hasOwn(NUMBERS, event)) binding().checkSignal(NUMBERS[event]!);
}

/** Begins to watch, until what it returns is called. A worker's `process` has no signals. */
export function watchSignals(): () => void {
  if (!isMainThread) return () => {};
  users += 1;
  if (users === 1) process.on('newListener', onNewListener);
  let ended = false;
  return () => {
    if (ended) return;
    ended = true;
    users -= 1;
    if (users === 0) process.off('newListener', onNewListener);
  };
}
