// Limits on memory: what does not fit is an error that says what was too large, and what fits works.
import { strict as assert } from 'node:assert';
import { spawnSync } from 'node:child_process';
import { accessSync, constants, mkdirSync, rmdirSync, writeFileSync } from 'node:fs';
import { execPath } from 'node:process';
import { peerExited } from '../helpers/errors.js';
import { PACKAGE } from '../helpers/paths.js';
import { assertPattern, pattern } from '../helpers/pattern.js';
import { cleanEnvironment, processTest, rankTest } from '../helpers/rank-test.js';
import { SIZES, traffic } from '../stress/traffic.js';

const MiB = 2 ** 20;

/** What a program that joins a world of its own, and sends itself a large message, prints in the end. */
function joined(limits: string[], env: Record<string, string> = {}, node: string[] = []): string {
  const program = `require(${JSON.stringify(PACKAGE)}).World.join().then(async (world) => {
    const received = world.irecv(new Uint8Array(3e6), { source: 0 });
    await world.send(new Uint8Array(3e6), { dest: 0 });
    await received;
    await world.close();
    console.log('good');
  }).catch((error) => console.log(error.code, error.message));`;
  const args = [...limits, execPath, ...node, '-e', program];
  const { stdout, stderr, status } = spawnSync('prlimit', args, { encoding: 'utf8', env: cleanEnvironment(env) });
  return status === 0 ? stdout.trim() : `${stdout}${stderr}`;
}

describe('RLIMIT_AS', () => {
  const SPACE = [`--as=${1600 * MiB}`];

  it('1. too low for the heap is ERR_UINTR_NO_MEMORY, and says what makes it smaller', () => {
    expect(joined(SPACE)).toMatch(
      /^ERR_UINTR_NO_MEMORY cannot create uintr-heap of 1073741824 bytes .heapBytes.: mmap .*ulimit -v/,
    );
  });

  it('2. is enough for a smaller heap', () => {
    expect(joined(SPACE, { UINTR_HEAP_BYTES: `${64 * MiB}` })).toBe('good');
  });

  it('3. whatever it is, a world is joined, or that is the error, or Node itself cannot start', () => {
    for (let space = 700; space <= 2800; space += 150) {
      const said = joined([`--as=${space * MiB}`]);
      expect(said).toMatch(/^good$|^ERR_UINTR_NO_MEMORY .*(ENOMEM|ulimit -v)|Fatal process OOM/);
    }
  });
});

it('4. RLIMIT_FSIZE, which holds for shared memory too, is named', () => {
  expect(joined(['--fsize=100000'])).toMatch(/^ERR_UINTR_JOIN cannot create uintr-control .* EFBIG \(.*ulimit -f/);
});

it.each([
  ['a stack of 160 KiB', [`--stack=${160 * 1024}`], ['--stack-size=64']],
  ['no locked memory', ['--memlock=0'], []],
  ['a data segment of 400 MiB', [`--data=${400 * MiB}`], []],
  ['no core files and no real-time priority', ['--core=0', '--rtprio=0', '--nice=0'], []],
])('5. %s is enough', (_what, limits, node) => {
  expect(joined(limits, {}, node)).toBe('good');
});

// Handlers run on the stack of whatever they interrupt.
rankTest(
  '6. interrupts on tiny stacks, in the middle of computations, do no harm',
  { under: ['prlimit', `--stack=${160 * 1024}`], nodeOptions: ['--stack-size=64'], env: { UINTR_DRIVER: 'signal' } },
  (world, t) => traffic(world, t, { rounds: 100, sizes: SIZES, work: 200 }),
);

rankTest(
  '7. heap and rings that are full are errors or waits, and empty again',
  { join: { heapBytes: 4 * MiB, ringBytes: 16 * 1024 } },
  async (world) => {
    const peer = 1 - world.rank;
    for (let round = 0; round < 3; round += 1) {
      const blocks: Uint8Array[] = [];
      assert.throws(
        () => {
          for (;;) blocks.push(world.alloc(64 * 1024));
        },
        { code: 'ERR_UINTR_NO_MEMORY', message: /65536 bytes in a heap of 4194304/ },
      );
      const sends = Array.from({ length: 500 }, (_, i) => world.isend(pattern(i, 3_000), { dest: peer }));
      const into = new Uint8Array(3_000);
      for (let i = 0; i < sends.length; i += 1) {
        await world.recv(into, { source: peer });
        assertPattern(into, i);
      }
      await Promise.all(sends);
      for (const block of blocks) world.free(block);
    }
  },
);

// A group's memory is bounded by killing, which the others hear of as of any death.
const groups = ['/sys/fs/cgroup/memory', '/sys/fs/cgroup'].find((folder) => {
  try {
    accessSync(`${folder}/cgroup.procs`, constants.W_OK);
    return true;
  } catch {
    return false;
  }
});
const group = `${groups}/uintr-test-${process.ppid}`;
const limit = groups?.endsWith('memory') ? 'memory.limit_in_bytes' : 'memory.max';

if (groups) {
  beforeAll(() => {
    mkdirSync(group);
    writeFileSync(`${group}/${limit}`, `${200 * MiB}`);
  });
  afterAll(() => rmdirSync(group));

  processTest(
    '8. whose memory is used up by the heap of a rank: it is killed, and the other is told',
    { under: [[], ['sh', '-c', `echo $$ > ${group}/cgroup.procs && exec "$@"`, 'sh']], exits: [0, 'SIGKILL'] },
    async (t) => {
      const world = await t.join();
      if (t.rank === 1) {
        await world.send(new Uint8Array(0), { dest: 0 });
        const kept: Uint8Array[] = [];
        for (;;) kept.push(world.alloc(16 * MiB).fill(1));
      }
      await world.recv({ source: 1 });
      await assert.rejects(world.recv({ source: 1 }), peerExited(1, 'killed'));
      await world.close();
    },
  );
}
