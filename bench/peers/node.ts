// Node's own channels as contestants.
import { join } from 'node:path';
import type { Contestant } from '../lib/contest.js';
import { encodePlan, MiB, type Plan } from '../lib/plan.js';

/** What a channel that queues copies may have in flight; more of them make it no faster, and fill the memory. */
const queuedBytes = 256 * MiB;

const channels = [
  { id: 'unix-socket', title: 'Unix socket (node:net)', queuesCopies: false },
  { id: 'worker', title: 'worker_threads postMessage (copy)', queuesCopies: true },
  { id: 'child-process', title: "child_process IPC ('advanced')", queuesCopies: true },
];

export const nodePeers = channels.map((channel) => channel.id);

export function nodeContestants(measure: 'latency' | 'bandwidth', plan: Plan): Contestant[] {
  return channels.map(({ id, title, queuesCopies }) => {
    const orders = encodePlan(queuesCopies ? bounded(plan) : plan);
    return { id, title, command: () => ({ argv: [process.execPath, join(__dirname, `${id}.js`), measure, orders] }) };
  });
}

function bounded(plan: Plan): Plan {
  const cases = plan.cases.map((one) => ({
    ...one,
    window: Math.min(one.window, Math.max(4, Math.floor(queuedBytes / one.bytes))),
  }));
  return { ...plan, cases };
}
