// rankTest: a test whose body runs in every rank of a world of real processes.
//
// Jest runs the test file and starts the ranks; each rank runs rank-main.js, which loads the same test file with the
// describe and it of `registry` and then runs the one body that is asked for. So a body stands where its property is
// named, and may use what its file declares, but shares no variable with the other ranks or with Jest.
import { execPath } from 'node:process';
import type { JoinOptions, World } from '../../lib/index.js';
import { Crew, type Outcome } from './crew.js';
import { CLI, RANK_MAIN, uniqueName } from './paths.js';
import { type Body, registry, type Task } from './registry.js';

export type { Outcome } from './crew.js';
export type { Tools } from './registry.js';

export interface RankTestOptions {
  /** How many; 2 unless said. */
  ranks?: number;
  /** Each started by itself with World.join({ name, size, rank }) (the default), or by `uintr run`, which hides exit codes. */
  via?: 'launcher' | 'name';
  /**
   * Which ranks share a process: the first of each is its main thread, the others are workers. Each has its own unless
   * said. Needs via 'name'.
   */
  processes?: readonly (readonly [number, ...number[]])[];
  /** Options for World.join. */
  join?: JoinOptions;
  /** Environment of the ranks, besides the one of the matrix. */
  env?: Record<string, string>;
  /** Options for node. */
  nodeOptions?: string[];
  /** A command that executes the rank's, as `['prlimit', '--nofile=64']`; of every rank, or by rank. Needs via 'name'. */
  under?: readonly string[] | readonly (readonly string[])[];
  /** How each process has to end (exit code or signal), all with 0 unless said; 'any': as it likes. Needs via 'name'. */
  exits?: readonly (number | NodeJS.Signals)[] | 'any';
  /** Workers that are ended in the middle of their bodies, and processes that become another program. */
  ended?: readonly number[];
  /** After how long everything is killed. A bound for a hang, not a measure. */
  timeoutMs?: number;
  /** Runs in the test while the ranks run. What it starts counts in `exits` as well, after the others. */
  during?: (crew: Crew) => Promise<void>;
}

type WorldBody = (world: World, t: Parameters<Body>[0]) => unknown;
type Check = (outcomes: Outcome[]) => void | Promise<void>;

const HANG_MS = 45_000;

/** The body gets a joined world, which is closed after it. `check` sees what the ranks returned. */
export function rankTest(name: string, options: RankTestOptions | number, body: WorldBody, check?: Check): void {
  processTest(
    name,
    options,
    async (t) => {
      const world = await t.join();
      const result = await body(world, t);
      t.note('body ended, closing');
      await world.close();
      return result;
    },
    check,
  );
}

/** As rankTest, but the body joins by itself (`t.join()`), or does not. */
export function processTest(name: string, options: RankTestOptions | number, body: Body, check?: Check): void {
  if (registry.inRank) {
    registry.add(name, body);
    return;
  }
  const chosen = typeof options === 'number' ? { ranks: options } : options;
  const env = { ...registry.environment(), ...chosen.env };
  const timeoutMs = chosen.timeoutMs ?? HANG_MS;
  it(
    name,
    async () => {
      const { testPath, currentTestName } = expect.getState();
      const outcomes = await runRanks(testPath!, currentTestName!, { ...chosen, env, timeoutMs });
      await check?.(outcomes);
    },
    timeoutMs + 10_000,
  );
}

/** The environment of the tests, without what would configure a world behind their back. */
export function cleanEnvironment(more: Record<string, string> = {}): NodeJS.ProcessEnv {
  const kept = Object.entries(process.env).filter(([key]) => !key.startsWith('UINTR_') && !key.startsWith('JEST_'));
  return { ...Object.fromEntries(kept), ...more };
}

function commandOf(under: RankTestOptions['under'] = [], rank: number): readonly string[] {
  const own = under[rank];
  return Array.isArray(own) ? own : under.every((part) => typeof part === 'string') ? (under as string[]) : [];
}

async function runRanks(file: string, test: string, options: RankTestOptions): Promise<Outcome[]> {
  const { ranks = 2, via = 'name', join, nodeOptions = [], during } = options;
  const processes = options.processes ?? Array.from({ length: ranks }, (_, rank) => [rank] as const);
  const env = cleanEnvironment(options.env);
  const crew = new Crew(options.timeoutMs ?? HANG_MS);
  try {
    if (via === 'launcher') {
      const task: Task = { file, test, ranks, join };
      const node = nodeOptions.length > 0 ? ['--', execPath, ...nodeOptions] : [];
      crew.start(execPath, [CLI, 'run', '-n', `${ranks}`, ...node, RANK_MAIN, JSON.stringify(task)], env);
    } else {
      const name = uniqueName();
      for (const [rank, ...workers] of processes) {
        const task: Task = { file, test, ranks, rank, join: { name, size: ranks, rank, ...join }, workers };
        const line = [...commandOf(options.under, rank), execPath, ...nodeOptions, RANK_MAIN, JSON.stringify(task)];
        crew.start(line[0]!, line.slice(1), env, rank);
      }
    }
    await Promise.all([during?.(crew), crew.ended()]);
    await crew.ended(); // and those that were started meanwhile
    const outcomes = crew.outcomes(ranks);
    const exits = options.exits === 'any' ? undefined : options.exits;
    const expected = options.exits === 'any' ? crew.exits() : (exits ?? crew.exits().map(() => 0));
    // A rank whose event loop has nothing left to wait for ends with 0 in the middle of its body.
    const mayBeCut = (rank: number): boolean => {
      const place = processes.findIndex((one) => one.includes(rank));
      return options.ended?.includes(rank) || (exits?.[place] ?? 0) !== 0;
    };
    const good = outcomes.every(
      ({ rank, result, error }) => error === undefined && (result !== undefined || mayBeCut(rank)),
    );
    if (!good || JSON.stringify(crew.exits()) !== JSON.stringify(expected)) {
      throw new Error(`the ranks ended with ${crew.exits()}, expected ${expected}\n${crew.report()}`);
    }
    return outcomes;
  } finally {
    crew.dispose();
  }
}
