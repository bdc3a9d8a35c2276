// Runs a benchmark's program at sizes that take no time, and reads what it printed.
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { type Line, parse } from '../../bench/lib/json.js';

const bench = join(__dirname, '..', '..', 'bench');

export interface Ran {
  status: number | null;
  stderr: string;
  texts: string[];
  lines: Line[];
}

export function run(program: string, args: string[], env: NodeJS.ProcessEnv = {}): Ran {
  const { status, stdout, stderr } = spawnSync(process.execPath, [join(bench, `${program}.js`), ...args], {
    encoding: 'utf8',
    env: { ...process.env, ...env },
    timeout: 50_000,
  });
  const texts = stdout.split('\n').filter((text) => text !== '');
  return { status, stderr, texts, lines: texts.map(parse).filter((line) => line !== undefined) };
}

/** Enough to go through every step of a measure. */
export const tiny = ['--quick', '--budget', '2', '--sizes', '8,70000'];

export function of<K extends Line['bench']>(ran: Ran, kind: K) {
  return ran.lines.filter((line): line is Extract<Line, { bench: K }> => line.bench === kind);
}
