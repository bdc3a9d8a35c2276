import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Run } from '../../bench/lib/record.js';
import { run, tiny } from './run.js';

describe('a run in a file', () => {
  let folder: string;
  let file: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'uintr-test-'));
    file = join(folder, 'run.json');
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  test('has all that its tables say, and they can be made again', () => {
    const argv = ['latency', 'madmpi', 'idle', 'scale', ...tiny, '--ranks', '2', '--peers', 'worker', '--json', file];
    const ran = run('main', argv);
    expect(ran.status).toBe(0);
    const found = JSON.parse(readFileSync(file, 'utf8')) as Run;
    expect(found).toMatchObject({ format: 'uintr-bench', version: 1, arguments: argv });
    expect(found.machine).toMatchObject({ node: process.version, driver: expect.any(String) });
    expect(new Date(found.began).toISOString()).toBe(found.began);
    expect(found.measures.map(({ name }) => name)).toEqual(['latency', 'madmpi', 'idle', 'scale']);
    // Nothing is left of what was written on the way.
    expect(readdirSync(folder)).toEqual(['run.json']);

    const again = run('main', ['--from', file]);
    expect(again.status).toBe(0);
    expect(again.texts).toEqual(ran.texts);
    const one = run('main', ['--from', file, 'idle']).texts.join('\n');
    expect(one).toMatch(/^idle: /m);
    expect(one).not.toMatch(/^latency: /m);
  });

  test.each([
    ['no JSON', /--from: .*run\.json: .*JSON/],
    ['{"format":"another"}', /--from: .*run\.json: not written by uintr bench --json/],
    ['{"format":"uintr-bench","version":2}', /--from: .*run\.json: of version 2, and this reads 1/],
  ])('%s is refused with the reason', (text, reason) => {
    writeFileSync(file, text);
    const { status, stderr } = run('main', ['--from', file]);
    expect(status).toBe(2);
    expect(stderr).toMatch(reason);
  });
});
