// Runs the body of one rank test: `node rank-main.js <task as JSON>`.
import { inspect } from 'node:util';
import { type JoinOptions, World } from '../../lib/index.js';
import { say } from './messages.js';
import { registry, type Task, type Tools } from './registry.js';

const task = JSON.parse(process.argv[2]!) as Task;
// Until a launcher's rank is known by joining.
let rank = task.rank ?? -1;
let joined: World | undefined;

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

async function main(): Promise<void> {
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
