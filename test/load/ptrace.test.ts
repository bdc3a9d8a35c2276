// Where the kernel does not let one rank touch another's memory: the world works by another copy, and doctor says which.
import { strict as assert } from 'node:assert';
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { execPath } from 'node:process';
import type { World } from '../../lib/index.js';
import { preloadable } from '../helpers/compiled.js';
import { temporaryFolder } from '../helpers/folder.js';
import { CLI } from '../helpers/paths.js';
import { assertPattern, pattern } from '../helpers/pattern.js';
import { cleanEnvironment, rankTest } from '../helpers/rank-test.js';

const folder = temporaryFolder('ptrace');
const library = preloadable('test/load/fixtures/refuse-ptrace.c', folder);
/** root is allowed everything as long as it has this. */
const plain = process.getuid!() === 0 ? ['setpriv', '--bounding-set=-sys_ptrace', '--inh-caps=-sys_ptrace'] : ['env'];
const environment = (how: string): Record<string, string> => ({
  LD_PRELOAD: library,
  REFUSE_PTRACE: how,
  YAMA_FOLDER: folder,
});

const SIZE = 3_000_000;

/** Large messages both ways, into memory of JavaScript's and into the shared heap; says how they travelled. */
async function exchange(world: World): Promise<string> {
  const peer = 1 - world.rank;
  for (const into of [new Uint8Array(SIZE), world.alloc(SIZE)]) {
    const received = world.irecv(into, { source: peer });
    await world.send(pattern(world.rank, SIZE), { dest: peer });
    await received;
    assertPattern(into, peer);
  }
  const { asReceiver, asSender } = world.stats().copied.cma;
  // Which of the two copied is a matter of who had the time.
  const both = Float64Array.of(0);
  await world.allreduce(Float64Array.of(asReceiver + asSender), both, 'sum');
  assert.equal(both[0]! > 0, world.copy(peer) === 'cma');
  return world.copy(peer);
}

function doctor(how: string): string {
  const [command, ...args] = [...plain, execPath, CLI, 'doctor'];
  return execFileSync(command!, args, { encoding: 'utf8', env: cleanEnvironment(environment(how)) });
}

it.each([
  ['seccomp', /of this process itself: EPERM \(a seccomp filter/],
  ['yama-3', /of another process: EPERM \(/],
  ['undumpable', /of another process: EPERM \(this process is not dumpable/],
])('1. %s: doctor says that cma does not work, why, and what is used instead', (how, reason) => {
  const said = doctor(how);
  expect(said).toMatch(/^ {2}cma +no: process_vm_readv/m);
  expect(said).toMatch(reason);
  expect(said).toMatch(/^ {2}auto +between processes copy 'pipeline' in use/m);
});

for (const how of ['seccomp', 'yama-3', 'undumpable']) {
  for (const driver of ['signal', 'poll']) {
    const env = { ...environment(how), UINTR_DRIVER: driver };
    rankTest(
      `2. ${how}: ranks exchange large messages all the same (driver ${driver})`,
      { env, under: plain },
      exchange,
      (outcomes) => expect(outcomes.map(({ result }) => result)).toEqual(['pipeline', 'pipeline']),
    );
  }
}

describe("with Yama's ptrace_scope 1", () => {
  test('3. doctor says that cma works: ranks say who may copy', () => {
    expect(doctor('yama-1')).toMatch(/^ {2}cma +yes$/m);
  });

  for (const via of ['name', 'launcher'] as const) {
    rankTest(
      `4. it does (${via === 'name' ? 'ranks that were started by themselves' : 'ranks of a launcher'})`,
      { env: environment('yama-1'), via, ...(via === 'name' && { under: plain }) },
      exchange,
      (outcomes) => expect(outcomes.map(({ result }) => result)).toEqual(['cma', 'cma']),
    );
  }

  rankTest(
    "5. with copy: 'pipeline' they let nobody, and need not",
    { env: environment('yama-1'), under: plain, join: { copy: 'pipeline' } },
    (world) => {
      assert.equal(existsSync(join(process.env['YAMA_FOLDER']!, `${process.pid}`)), false);
      return exchange(world);
    },
    (outcomes) => expect(outcomes.map(({ result }) => result)).toEqual(['pipeline', 'pipeline']),
  );
});
