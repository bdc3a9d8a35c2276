// Which driver a world gets, and why not another one. The probe of user interrupts must be harmless wherever it runs.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Support, support } from '../../lib/index.js';
import { EMULATOR, PACKAGE, ROOT } from '../helpers/paths.js';
import { cleanEnvironment } from '../helpers/rank-test.js';

const SOURCE = join(ROOT, 'test', 'api', 'fixtures', 'half-uintr.c');
const uintr = JSON.stringify(PACKAGE);

/** What a program in a process of its own prints, as JSON. */
function told<T>(program: string, env: Record<string, string> = {}): T {
  const source = `const { World, support } = require(${uintr}); const { Worker } = require('node:worker_threads'); ${program}`;
  const output = execFileSync(process.execPath, ['-e', source], { encoding: 'utf8', env: cleanEnvironment(env) });
  return JSON.parse(output.trim().split('\n').at(-1)!) as T;
}

const ASK = 'console.log(JSON.stringify(support()))';
const JOIN = `World.join().then(async (world) => {
    console.log(JSON.stringify({ driver: world.driver }));
    await world.close();
  }, ({ code, message }) => console.log(JSON.stringify({ code, message })))`;

interface Joined {
  driver?: string;
  code?: string;
  message?: string;
}

// A machine that has them whole cannot play one that has not, and the emulator does not start there.
const without = support().drivers.uintr.ok ? describe.skip : describe;

without('where a machine has user interrupts only in part', () => {
  let folder: string;
  let library: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'uintr-half-'));
    library = join(folder, 'half-uintr.so');
    execFileSync('gcc', ['-shared', '-fPIC', '-o', library, SOURCE, '-ldl']);
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  const PARTS = [
    ['disabled', /the kernel does not enable them \(testui raises #UD/, /nopti/],
    ['calls', /none of the known system calls.*471: \w+, 449: \w+, 450: \w+/, /uintr-next/],
    ['seccomp', /471: ended by a seccomp filter \(SIGSYS\), 449: ended by a seccomp/, /seccomp filter pass/],
  ] as const;
  const half = (part: string, more: Record<string, string> = {}) => ({
    HALF_UINTR: part,
    LD_PRELOAD: library,
    ...more,
  });

  test.each(PARTS)('1. support() says what was found and what would help (%s)', (part, reason, remedy) => {
    const { drivers, userInterrupts } = told<Support>(ASK, half(part));
    expect(drivers.uintr).toEqual({ ok: false, reason: expect.stringMatching(reason) });
    expect(userInterrupts.remedy).toMatch(remedy);
    expect(userInterrupts.enabled).toBe(part !== 'disabled');
    expect(userInterrupts.abi).toBeUndefined();
    expect(drivers.signal.ok).toBe(true);
  });

  test.each(PARTS)("2. driver 'auto' takes signals, and the process lives on (%s)", (part) => {
    expect(told<Joined>(JOIN, half(part))).toEqual({ driver: 'signal' });
  });

  test.each(PARTS)("3. driver 'uintr' is refused with that reason, never replaced (%s)", (part, reason) => {
    expect(told<Joined>(JOIN, half(part, { UINTR_DRIVER: 'uintr' }))).toEqual({
      code: 'ERR_UINTR_UNSUPPORTED',
      message: expect.stringMatching(reason),
    });
  });

  test('4. threads that ask at the same time all get the answer', () => {
    const threads = `
      const source = 'require("node:worker_threads").parentPort.postMessage(require(' + ${JSON.stringify(uintr)} + ').support().drivers.uintr)';
      const ask = () => new Promise((resolve) => new Worker(source, { eval: true }).once('message', resolve));
      Promise.all([1, 2, 3, 4].map(ask)).then((all) => console.log(JSON.stringify([support().drivers.uintr, ...all])));`;
    const all = told<{ ok: boolean; reason?: string }[]>(threads, half('seccomp'));
    expect(all).toHaveLength(5);
    for (const verdict of all) expect(verdict).toEqual(all[0]);
    expect(all[0]!.ok).toBe(false);
  });
});

without.each([
  ['next', 'uintr-next'],
  ['rfc', 'RFC v1'],
  ['rfc+1', 'RFC v1, one higher'],
])('where the system calls are those of %s (emulated)', (abi, name) => {
  const env = { LD_PRELOAD: EMULATOR, UINTR_EMULATOR_ABI: abi };

  test('5. the probe finds them by trying', () => {
    const { drivers, userInterrupts } = told<Support>(ASK, env);
    expect(drivers.uintr).toEqual({ ok: true });
    expect(userInterrupts).toEqual({ cpu: expect.any(Boolean), enabled: true, abi: name, emulated: true });
  });

  test("6. driver 'auto' is driver 'uintr'", () => {
    expect(told<Joined>(JOIN, env)).toEqual({ driver: 'uintr' });
  });

  test('7. a thread can leave a world and join the next, and be in two', () => {
    const program = `(async () => {
        const names = [];
        for (let i = 0; i < 3; i += 1) {
          const outer = await World.join({ name: 'again-' + process.pid, size: 1 });
          const inner = await World.join({ name: 'other-' + process.pid, size: 1 });
          names.push(outer.driver, inner.driver);
          await outer.close();
          await inner.close();
        }
        console.log(JSON.stringify(names));
      })()`;
    expect(told<string[]>(program, env)).toEqual(Array(6).fill('uintr'));
  });

  test('8. nothing is left of the probe: no child, no descriptor', () => {
    // The emulator keeps one for each thread.
    const program = `const { readdirSync, readFileSync, readlinkSync } = require('node:fs');
      const target = (fd) => { try { return readlinkSync('/proc/self/fd/' + fd); } catch { return ''; } };
      const count = () => readdirSync('/proc/self/fd').filter((fd) => !target(fd).includes('uintr-upid')).length;
      const before = count();
      support();
      const children = readFileSync('/proc/self/task/' + process.pid + '/children', 'utf8');
      console.log(JSON.stringify({ more: count() - before, children }));`;
    expect(told<unknown>(program, env)).toEqual({ more: 0, children: '' });
  });
});
