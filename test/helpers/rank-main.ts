// Runs the body of one rank test: `node rank-main.js <task as JSON>`, and in the workers that it starts.
import { inspect } from 'node:util';
import { isMainThread, Worker, workerData } from 'node:worker_threads';
import { type JoinOptions, World } from '../../lib/index.js';
import { say } from './messages.js';
import { registry, type Task, type Tools } from './registry.js';

const task = (isMainThread ? JSON.parse(process.argv[2]!) : workerData) as Task;
// Until a launcher's rank is known by joining.
let rank = task.rank ?? -1;
let joined: World | undefined;
const workers = new Map<number, Worker>();

const tools: Tools = {
  get rank() {
    return rank;
  },
  ranks: task.ranks,
  joinOptions: task.join ?? {},
  async join(more?: JoinOptions) {
    const world = await World.join({ ...task.join, ...more });
    joined ??= world;
    if (task.rank === undefined) {
      rank = world.rank;
      hello();
    }
    return world;
  },
  terminate(worker) {
    const running = workers.get(worker)!;
    workers.delete(worker);
    return running.terminate();
  },
  restart: startWorker,
  note: (note) => say({ rank, note }),
  tell: (event, data) => say({ rank, event, data }),
};

function hello(): void {
  say({ rank, pid: process.pid, event: 'started', data: process.pid });
}

// A hang is being reported: what does the world wait for?
process.on('SIGUSR2', () => {
  if (joined) console.error(`rank ${rank}: ${inspect(joined.inspect(), { depth: 6, breakLength: 200 })}`);
});

/** A worker that fails ends its process; one that was terminated does not. */
function startWorker(workerRank: number, more?: JoinOptions): void {
  const { join, workers: _, ...same } = task;
  const worker = new Worker(__filename, {
    workerData: {
      ...same,
      rank: workerRank,
      join: { ...join, rank: join?.rank === undefined ? undefined : workerRank, ...more },
    },
  });
  worker.on('exit', (code) => {
    if (code !== 0 && workers.get(workerRank) === worker) process.exit(code);
  });
  workers.set(workerRank, worker);
}

async function main(): Promise<void> {
  for (const worker of task.workers ?? []) startWorker(worker);
  Object.assign(globalThis, registry.globals());
  require(task.file);
  if (task.rank !== undefined) hello();
  const result = await registry.body(task.test)(tools);
  say({ rank, result: result ?? null });
}

main().catch((error: Error & { code?: string }) => {
  say({ rank, error: { message: error.message, code: error.code, stack: inspect(error) } });
  process.exit(1);
});
