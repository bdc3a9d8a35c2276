// Node under the emulator. Each test is a process of its own: `node node.mjs [text]`; LIBRARY and FIRE come from make.
import assert from 'node:assert';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const folder = mkdtempSync(join(tmpdir(), 'uintr-emulator-'));
const stats = join(folder, 'stats');
let count = 0;

// Runs node with `args`; the counters of all its processes are [sends, notifications, …] as in stats.h.
function node(args, env = {}) {
  rmSync(stats, { force: true });
  const { status, signal, stdout, stderr } = spawnSync(process.execPath, args, {
    cwd: folder,
    encoding: 'utf8',
    env: { ...process.env, LD_PRELOAD: process.env.LIBRARY, UINTR_EMULATOR_STATS: stats, ...env },
  });
  assert.strictEqual(status, 0, `${args.join(' ')}: ended with ${signal ?? status}\n${stdout}${stderr}`);
  const bytes = readFileSync(stats);
  return { stdout, deliveries: bytes.readBigUInt64LE(6 * 8) };
}

function test(title, body) {
  if (!title.includes(process.argv[2] ?? '')) return;
  body();
  count++;
  console.log(`ok ${title}`);
}

const script = join(import.meta.dirname ?? new URL('.', import.meta.url).pathname, 'under-fire.js');
const under = (programs, flags = [], env = {}) => {
  const { stdout, deliveries } = node([...flags, script, ...programs], env);
  const counted = stdout
    .trim()
    .split('\n')
    .reduce((sum, line) => sum + BigInt(line), 0n);
  return { counted, deliveries };
};

const inThread = ['compute', 'strings', 'garbage', 'wasm'];
const withLoop = ['files', 'timers', 'exec', 'signals'];

try {
  test('01 a program that knows nothing of it', () => {
    assert.strictEqual(node(['-p', '6 * 7']).stdout, '42\n');
  });
  for (const flags of [[], ['--jitless'], ['--no-opt'], ['--stress-compaction'], ['--cpu-prof']]) {
    test(`02 JavaScript, garbage collection and wasm ${flags.join(' ')}`, () => {
      // Without a compiler there is no wasm.
      const { counted, deliveries } = under(flags[0] === '--jitless' ? ['strings'] : inThread, flags);
      assert.strictEqual(counted, deliveries);
    });
  }
  test('03 --cpu-prof has left its profile', () => {
    assert.ok(readdirSync(folder).some((name) => name.endsWith('.cpuprofile')));
  });
  test('04 the event loop, the thread pool, child processes, signals', () => {
    const { counted, deliveries } = under(withLoop);
    assert.strictEqual(counted, deliveries);
  });
  test('05 a forked Node, each with interrupts of its own', () => under(['fork']));
  test('06 workers, each a receiver', () => {
    const { counted, deliveries } = under(['workers']);
    assert.strictEqual(counted, deliveries);
  });
  test('07 workers that are terminated while they are hit', () => under(['terminate']));
  test('08 everything at once, with mischief', () => {
    under([...inThread, ...withLoop, 'workers'], ['--cpu-prof'], {
      UINTR_EMULATOR_INJECT: 'sn=100,delay=100,preempt=100,coalesce=100,spurious=500',
    });
  });
  test('09 blocking calls may be cut short, and Node does not mind', () => {
    under([...inThread, ...withLoop], [], { UINTR_EMULATOR_STRICT: '0' });
  });
} finally {
  rmSync(folder, { recursive: true });
}
console.log(`ok node ${count} tests`);
