// The end of a process or thread, at any time: no crash, no hang, and the others are told.
import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';
import { uniqueName } from '../helpers/paths.js';
import { cleanEnvironment } from '../helpers/rank-test.js';

const FIXTURES = join(__dirname, 'fixtures');

interface End {
  code: number | null;
  signal: NodeJS.Signals | null;
  output: string;
}

const running = new Set<ChildProcess>();
afterEach(() => {
  for (const child of running) child.kill('SIGKILL');
});

/** Runs a fixture to its end. */
function run(fixture: string, ...args: string[]): Promise<End> {
  const child = spawn(process.execPath, ['--expose-gc', join(FIXTURES, fixture), ...args], { env: cleanEnvironment() });
  running.add(child);
  let output = '';
  child.stdout.on('data', (chunk) => {
    output += chunk;
  });
  child.stderr.on('data', (chunk) => {
    output += chunk;
  });
  return new Promise((resolve) => {
    child.once('close', (code, signal) => {
      running.delete(child);
      resolve({ code, signal, output });
    });
  });
}

describe('process.exit()', () => {
  it.each([
    ['just joined'],
    ['with receives posted'],
    ['with sends that nobody receives'],
    ['in the middle of a transfer'],
    ['in a continuation of a receive'],
    ["in a 'peer-exit' listener"],
    ['while closing'],
    ['after closing'],
    ["in an 'exit' listener that still sends"],
    ['with memory of the heap in hand'],
  ])('1. %s ends the process with its code, and lets the other rank end by itself', async (state) => {
    const name = uniqueName();
    const ends = await Promise.all([run('ends.js', state, name, '0'), run('ends.js', state, name, '1')]);
    expect(ends).toEqual([
      { code: 7, signal: null, output: '' },
      { code: 0, signal: null, output: '' },
    ]);
  });

  it('2. while joining ends the process with its code', async () => {
    expect(await run('ends.js', 'while joining', uniqueName(), '0')).toEqual({ code: 7, signal: null, output: '' });
  });
});

describe('a worker that is terminated', () => {
  it.each([
    ['the package loaded'],
    ['the addon half loaded'],
    ['a world joined'],
    ['joining a world that never fills'],
    ['requests under way'],
    ['a receive in wait()'],
    ['computing, with requests under way'],
    ['messages and heap memory in hand'],
    ['closing'],
  ])('3. with %s leaves the process as good as new', async (state) => {
    expect(await run('worker-ends.js', state)).toEqual({ code: 0, signal: null, output: 'good\n' });
  });
});

describe('process.exit() on the main thread', () => {
  it.each([['waits'], ['computes'], ['awaits']])('4. ends a worker that %s', async (state) => {
    expect(await run('worker-outlived.js', state)).toEqual({ code: 5, signal: null, output: '' });
  });
});

describe('a loop that never turns', () => {
  it('5. sees messages, deaths and aborts of its own making all the same', async () => {
    expect(await run('no-loop.js', uniqueName())).toEqual({ code: 0, signal: null, output: 'good\n' });
  });
});
