// Whom a rank permits to copy from its memory, which is to trace it, and for how long: what the kernel is told.
import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { temporaryFolder } from '../helpers/folder.js';
import { CLI, ROOT, uniqueName } from '../helpers/paths.js';
import { cleanEnvironment } from '../helpers/rank-test.js';

const folder = temporaryFolder('permission');
const recorder = join(folder, 'record-prctl.so');
const log = join(folder, 'log');
const fixture = (name: string): string => join(__dirname, 'fixtures', name);

beforeAll(() => {
  const source = join(ROOT, 'test', 'security', 'fixtures', 'record-prctl.c');
  execFileSync('cc', ['-shared', '-fPIC', '-O1', '-Wall', '-Werror', '-o', recorder, source]);
});

beforeEach(() => rmSync(log, { force: true }));

/** Runs it to its end, and gives what each of its processes told the kernel, in order. */
function told(args: string[], env: Record<string, string> = {}): string[][] {
  const environment = cleanEnvironment({ ...env, LD_PRELOAD: recorder, PTRACER_LOG: log });
  execFileSync(process.execPath, args, { env: environment, timeout: 50_000 });
  const byPid = new Map<string, string[]>();
  for (const line of existsSync(log) ? readFileSync(log, 'utf8').trim().split('\n') : []) {
    const [pid, whom] = line.split(' ') as [string, string];
    byPid.set(pid, [...(byPid.get(pid) ?? []), whom]);
  }
  return [...byPid.values()];
}

/** A program of a world of one, or of two ranks under the launcher. */
const joins = (options: object): string[] => [fixture('joins.js'), JSON.stringify(options)];
const launched = (size: number): string[] => [CLI, 'run', '-n', `${size}`, fixture('joins.js'), '{}'];

describe('permission to copy', () => {
  test('1. goes to the family of the launcher, and is taken back at the end', () => {
    const processes = told(launched(2));
    expect(processes.length).toBe(2);
    const [launcher] = processes[0]!;
    expect(launcher).toMatch(/^\d+$/);
    expect(processes).toEqual([
      [launcher, 'none'],
      [launcher, 'none'],
    ]);
  });

  test('2. goes to nobody where nothing is to be copied so: one rank, or another way to copy', () => {
    expect(told(joins({ name: uniqueName(), size: 1 }))).toEqual([]);
    expect(told(joins({}))).toEqual([]);
    expect(told(launched(2), { UINTR_COPY: 'pipeline' })).toEqual([]);
    expect(told(launched(2), { UINTR_COPY: 'heap' })).toEqual([]);
  });

  test('3. is taken back where a world does not come about', () => {
    expect(told(joins({ name: uniqueName(), size: 2, joinTimeout: 50 }))).toEqual([['any', 'none']]);
  });

  test('4. is taken back at once where all ranks turn out to be threads of one process', () => {
    const [only, ...others] = told([fixture('threads.js')]);
    expect(others).toEqual([]);
    expect(only!.at(-1)).toBe('none');
    expect(only).not.toContain('any');
  });

  test('5. stays for as long as a world needs it, also one of another copy of the package', () => {
    const copies = ['one', 'two'].map((name) => {
      const copy = join(folder, name);
      for (const part of ['package.json', 'prebuilds', join('dist', 'lib')]) {
        cpSync(join(ROOT, part), join(copy, part), { recursive: true });
      }
      return join(copy, 'dist', 'lib', 'index.js');
    });
    // Each takes its own, the first gives it back, and the second still has it.
    const [only, ...others] = told([fixture('two-copies.js'), ...copies, uniqueName()]);
    expect(others).toEqual([]);
    expect(only).toEqual(['any', 'any', 'any', 'none']);
  });
});
