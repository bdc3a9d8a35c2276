// What else moves bytes between Node's processes and threads: its own channels, and zeromq.
import { join } from 'node:path';
import type { Contestant } from '../lib/contest.js';
import { encodePlan, MiB, type Plan } from '../lib/plan.js';
import type { Transfer } from '../lib/transfers.js';
import { whyNoZeromq } from '../lib/zeromq.js';

/** What a channel that queues copies may have in flight; more of them make it no faster, and fill the memory. */
const queuedBytes = 256 * MiB;

interface Channel {
  id: string;
  title: string;
  queuesCopies: boolean;
  missing?(): string | undefined;
}

const channels: Channel[] = [
  { id: 'unix-socket', title: 'Unix socket (node:net)', queuesCopies: false },
  { id: 'worker', title: 'worker_threads postMessage (copy)', queuesCopies: true },
  { id: 'worker-transfer', title: 'worker_threads postMessage (transfer)', queuesCopies: true },
  { id: 'child-process', title: "child_process IPC ('advanced')", queuesCopies: true },
  { id: 'zeromq', title: 'zeromq (ipc)', queuesCopies: true, missing: whyNoZeromq },
];

export const nodePeers = channels.map((channel) => channel.id);

/** Those that copy, as messages between processes must: what hands buffers over between threads is compared by itself. */
export const copyingPeers = nodePeers.filter((id) => id !== 'worker-transfer');

export function nodeContestants(measure: Transfer, plan: Plan): Contestant[] {
  // The rate is the bandwidth of short messages.
  const program = measure === 'rate' ? 'bandwidth' : measure;
  return channels.map(({ id, title, queuesCopies, missing }) => {
    const orders = encodePlan(queuesCopies ? bounded(plan) : plan);
    return {
      id,
      title,
      missing,
      command: () => ({ argv: [process.execPath, join(__dirname, `${id}.js`), program, orders] }),
    };
  });
}

function bounded(plan: Plan): Plan {
  const cases = plan.cases.map((one) => ({
    ...one,
    window: Math.min(one.window, Math.max(4, Math.floor(queuedBytes / one.bytes))),
  }));
  return { ...plan, cases };
}
