// World.spawn that does not succeed: it says which child is to blame and why, and leaves nothing running.
import { strict as assert } from 'node:assert';
import { rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type SpawnOptions, type UintrError, World } from '../../lib/index.js';
import { coded, invalid } from '../helpers/errors.js';
import { uniqueName } from '../helpers/paths.js';
import { openDescriptors, processesWith, threadCount } from '../helpers/proc.js';
import { processTest } from '../helpers/rank-test.js';

const SPAWNED = join(__dirname, 'fixtures', 'spawned.js');
const KINDS = ['process', 'thread'] as const;

/** A folder that does not exist; what a child makes of it is gone when the test is. */
function folder(): string {
  const path = join(tmpdir(), `uintr-${uniqueName()}`);
  process.on('exit', () => rmSync(path, { recursive: true, force: true }));
  return path;
}

/** Spawns what cannot become a world; nothing of it is left when that is told. */
async function failure(options: Omit<SpawnOptions, 'env'>): Promise<UintrError & { cause?: { error?: Error } }> {
  const mark = uniqueName();
  const threads = threadCount();
  const env = { ...process.env, UINTR_TEST_MARK: mark };
  const error = await World.spawn(SPAWNED, { ...options, env }).then(
    () => assert.fail('it has succeeded'),
    (reason) => reason,
  );
  assert.deepEqual(processesWith(mark), []);
  assert.equal(threadCount(), threads);
  return error;
}

for (const kind of KINDS) {
  describe(`World.spawn (${kind})`, () => {
    processTest('1. tells the exit code of a child that ends before it has joined', 1, async () => {
      const error = await failure({ ranks: 3, kind, args: ['one fails before it joins', 'exit', folder()] });
      coded('ERR_UINTR_JOIN', /^rank [123] ended with exit code 5, before it had joined$/)(error);
      const { peer: rank } = error;
      assert.deepEqual(error.cause, { rank, exitCode: 5, signal: null });
      assert.match(error.message, new RegExp(`^rank ${rank} `));
    });

    processTest('2. tells what a child has thrown', 1, async () => {
      const error = await failure({ ranks: 2, kind, args: ['one fails before it joins', 'throw', folder()] });
      coded('ERR_UINTR_JOIN', kind === 'thread' ? 'failed: as it was asked to' : 'exit code 1')(error);
      // A process says it itself, on standard error.
      if (kind === 'thread') assert.equal(error.cause?.error?.message, 'as it was asked to');
    });

    processTest('3. fails when a child does not join within joinTimeout', 1, async () => {
      const error = await failure({ ranks: 2, kind, args: ['one does not join', folder()], joinTimeout: 3000 });
      coded('ERR_UINTR_JOIN', /joinTimeout is over: ranks? [12] /)(error);
    });

    processTest('4. tells why a child cannot be started', 1, async () => {
      const error = await failure({ ranks: 2, kind, execArgv: ['--no-such-option'] });
      // Node itself ends with 9 where it does not know an option.
      const why = kind === 'thread' ? /could not be started: .*--no-such-option/ : /ended with exit code 9/;
      coded('ERR_UINTR_JOIN', /^rank [12] /, why)(error);
    });

    processTest('5. leaves no descriptor behind, and can succeed afterwards', 1, async () => {
      const round = (): Promise<unknown> =>
        failure({ ranks: 2, kind, args: ['one fails before it joins', 'exit', folder()] });
      await round();
      const before = [...openDescriptors().keys()];
      for (let i = 0; i < 3; i += 1) await round();
      assert.deepEqual([...openDescriptors().keys()], before);
      await using world = await World.spawn(SPAWNED, { ranks: 1, kind, args: ['echo'] });
      await world.send(new Uint8Array(1), { dest: 1 });
      await world.recv({ source: 1 });
    });

    processTest('6. refuses options of a child that its world cannot have', 1, async () => {
      const env = { ...process.env, UINTR_RING_BYTES: '32768' };
      const spawned = World.spawn(SPAWNED, { ranks: 1, kind, args: ['echo'], env, ringBytes: 65536 });
      await assert.rejects(spawned, coded('ERR_UINTR_JOIN'));
    });
  });
}

describe('World.spawn', () => {
  processTest('7. tells the signal that ended a child before it had joined', 1, async () => {
    const error = await failure({ ranks: 2, args: ['one fails before it joins', 'signal', folder()] });
    coded('ERR_UINTR_JOIN', 'was ended by SIGKILL')(error);
    assert.deepEqual(error.cause, { rank: error.peer, exitCode: null, signal: 'SIGKILL' });
  });

  processTest('8. rejects what it cannot be called with, and starts nothing', 1, async () => {
    const wrong: [unknown, unknown, string, string][] = [
      ['', { ranks: 1 }, 'script', "''"],
      ['/no/such/script.js', { ranks: 1 }, 'script', '/no/such/script.js'],
      [__dirname, { ranks: 1 }, 'script', __dirname],
      [new URL('data:text/javascript,'), { ranks: 1 }, 'script', 'data:text/javascript,'],
      [undefined, { ranks: 1 }, 'script', 'undefined'],
      [SPAWNED, undefined, 'ranks', 'undefined'],
      [SPAWNED, {}, 'ranks', 'undefined'],
      [SPAWNED, { ranks: 0 }, 'ranks', '0'],
      [SPAWNED, { ranks: 1024 }, 'ranks', '1024'],
      [SPAWNED, { ranks: 1.5 }, 'ranks', '1.5'],
      [SPAWNED, { ranks: 1, kind: 'fiber' }, 'kind', "'fiber'"],
      [SPAWNED, { ranks: 1, args: 'report' }, 'args', "'report'"],
      [SPAWNED, { ranks: 1, args: [1] }, 'args', '[ 1 ]'],
      [SPAWNED, { ranks: 1, execArgv: [null] }, 'execArgv', '[ null ]'],
      [SPAWNED, { ranks: 1, env: 'A=1' }, 'env', "'A=1'"],
      [SPAWNED, { ranks: 1, size: 2 }, 'size', "'size'"],
      [SPAWNED, { ranks: 1, driver: 'magic' }, 'driver', "'magic'"],
      [SPAWNED, { ranks: 1, ringBytes: 1000 }, 'ringBytes', '1000'],
      [SPAWNED, { ranks: 1, signal: 'SIGKILL' }, 'signal', 'SIGKILL'],
    ];
    for (const [script, options, name, value] of wrong) {
      const spawned = World.spawn(script as string, options as SpawnOptions);
      assert.ok(spawned instanceof Promise);
      await assert.rejects(spawned, invalid(name, value));
    }
  });
});
