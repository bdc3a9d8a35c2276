// How a rank leaves its world.
import type { Core } from './core.js';
import { closedError } from './errors.js';

// Between two looks whether everybody has let go. What is complete comes through the event loop anyway.
const FIRST_LOOK_MS = 1;
const LAST_LOOK_MS = 20;
// How long a peer that is inside a copy may take to let go once everything is abandoned. One that is stopped takes for
// ever; then the addon keeps the memory that the peer may touch, and the world ends all the same.
const LET_GO_MS = 1000;

/** Ends the world; `limit` in milliseconds, after which sends fail. */
export async function leave(core: Core, limit: number): Promise<void> {
  const { native } = core;
  core.stopPosting();
  core.probes.fail(closedError(core.rank));
  native.beginClose();
  core.loans.giveBack((buffer) => core.uses(buffer));
  core.progress();
  await quiet(core, limit);
  await new Promise<void>((resolve) => {
    core.settle(native.drain());
    core.loans.giveBack(() => false);
    core.left = true;
    native.close(resolve);
  });
  core.failAll(closedError(core.rank));
}

/** Waits until no send is under way and no peer touches this rank's memory. */
async function quiet(core: Core, limit: number): Promise<void> {
  const { native } = core;
  let end = performance.now() + limit;
  let abandoned = false;
  for (let delay = FIRST_LOOK_MS; !native.quiescent(); delay = Math.min(delay * 2, LAST_LOOK_MS)) {
    const left = end - performance.now();
    if (left <= 0) {
      if (abandoned) return;
      abandoned = true;
      end = performance.now() + LET_GO_MS;
      native.abandon();
      core.progress();
      continue;
    }
    await new Promise((resolve) => setTimeout(resolve, abandoned ? delay : Math.min(delay, left)));
    core.progress();
  }
}
