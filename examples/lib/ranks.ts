// Runs a compiled script as the ranks of a world, as `npx uintr run -n <ranks> script` does.
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

const launcher = join(__dirname, '..', '..', 'lib', 'cli', 'main.js');

export interface Ranks {
  ranks: number;
  script: string;
  args?: string[];
  /** Of `uintr run`, such as --driver. */
  options?: string[];
}

export interface Ended<Result> {
  /** The exit code of `uintr run`, which is that of the first rank that failed. */
  code: number | null;
  /** What a rank printed as a line of JSON that begins with its `driver`. */
  result?: Result;
}

/** What the ranks print besides the result is passed on. */
export async function runRanks<Result>({ ranks, script, args = [], options = [] }: Ranks): Promise<Ended<Result>> {
  const child = spawn(process.execPath, [launcher, 'run', '-n', `${ranks}`, ...options, script, ...args], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let result: Result | undefined;
  createInterface({ input: child.stdout }).on('line', (line) => {
    const at = line.indexOf('{"driver":');
    if (at < 0) console.log(line);
    else result = JSON.parse(line.slice(at)) as Result;
  });
  const code = await new Promise<number | null>((resolve) => child.once('close', resolve));
  return { code, result };
}
