// Signals from outside, to all ranks of a test, for as long as they run.
import type { Crew } from './crew.js';

/** For `during`: sends `signal` to the processes of `ranks`, `burst` at a time. */
export const storm =
  (signal: NodeJS.Signals, ranks: readonly number[] = [0, 1], burst = 50) =>
  async (crew: Crew): Promise<void> => {
    const pids = await Promise.all(ranks.map((rank) => crew.pid(rank)));
    let over = false;
    const ended = crew.ended().finally(() => {
      over = true;
    });
    ended.catch(() => {});
    while (!over) {
      for (const pid of pids) for (let i = 0; i < burst; i += 1) send(pid, signal);
      await new Promise((resolve) => setImmediate(resolve));
    }
  };

function send(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {
    // It has ended.
  }
}
