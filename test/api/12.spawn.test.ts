// World.spawn: a world of the caller and of what it starts.
import { strict as assert } from 'node:assert';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { type ChildExit, type SpawnOptions, World } from '../../lib/index.js';
import { eachDriver } from '../helpers/matrix.js';
import { uniqueName } from '../helpers/paths.js';
import { openDescriptors, processesWith } from '../helpers/proc.js';
import { cleanEnvironment, processTest } from '../helpers/rank-test.js';
import { nextPeerExit } from '../helpers/worlds.js';
import type { Report } from './fixtures/spawned.js';

const SPAWNED = join(__dirname, 'fixtures', 'spawned.js');
const SPAWNER = join(__dirname, 'fixtures', 'spawner.js');
const KINDS = ['process', 'thread'] as const;

async function reports(options: SpawnOptions): Promise<Report[]> {
  await using world = await World.spawn(SPAWNED, options);
  assert.deepEqual([world.rank, world.size], [0, options.ranks + 1]);
  const found: Report[] = [];
  for (let source = 1; source <= options.ranks; source += 1) {
    found.push(JSON.parse(Buffer.from((await world.recv({ source })).data).toString()));
  }
  return found;
}

/** Sends each rank something, and checks what comes back. */
async function echoes(world: World, byteLength: number): Promise<void> {
  for (let peer = 1; peer < world.size; peer += 1) {
    const sent = Buffer.alloc(byteLength, `from ${world.size} to ${peer}`);
    await world.send(sent, { dest: peer });
    assert.ok(sent.equals((await world.recv({ source: peer })).data));
  }
}

/** The next `count` ends of children, by rank. Nothing else would keep the process alive for them. */
function childExits(world: World, count: number): Promise<ChildExit[]> {
  const found: ChildExit[] = [];
  const alive = setInterval(() => {}, 1000);
  return new Promise((resolve) => {
    // Two can be told in one turn, so not once().
    world.on('child-exit', (exit) => {
      if (found.push(exit) < count) return;
      clearInterval(alive);
      resolve(found.sort((a, b) => a.rank - b.rank));
    });
  });
}

/** In the environment of what test 10 starts. */
const mark = uniqueName();
afterEach(() => {
  for (const pid of processesWith(mark)) {
    try {
      process.kill(pid, 'SIGKILL');
    } catch {
      // It has just ended.
    }
  }
});

for (const kind of KINDS) {
  describe(`World.spawn (${kind})`, () => {
    processTest('1. makes the caller rank 0, and gives the others ranks that they do not hand down', 1, async () => {
      const found = await reports({ ranks: 3, kind, args: ['report', 'a b', ''], driver: 'poll' });
      assert.deepEqual(
        found.map(({ rank, size, args, isMainThread, inherited, driver, inner }) => [
          rank,
          size,
          args,
          isMainThread,
          inherited,
          driver,
          inner,
        ]),
        [1, 2, 3].map((rank) => [rank, 4, ['report', 'a b', ''], kind === 'process', undefined, 'poll', 1]),
      );
    });

    processTest('2. gives the children the environment and the options for node that it is told to', 1, async () => {
      const env = { ...process.env, GIVEN: 'given', UINTR_DRIVER: 'poll' };
      const [found] = await reports({ ranks: 1, kind, args: ['report'], env, execArgv: ['--no-warnings'] });
      assert.deepEqual([found?.given, found?.driver, found?.execArgv], ['given', 'poll', ['--no-warnings']]);
    });

    processTest('3. gives them options that all ranks must agree on', 1, async () => {
      await using world = await World.spawn(pathToFileURL(SPAWNED), {
        ranks: 2,
        kind,
        args: ['echo'],
        eagerLimit: 2048,
        ringBytes: 65536,
        maxRequests: 100,
      });
      await echoes(world, 5000);
    });

    eachDriver(() => {
      processTest('4. exchanges messages with them', 1, async () => {
        await using world = await World.spawn(SPAWNED, { ranks: 2, kind, args: ['echo'] });
        await echoes(world, 3_000_000);
      });
    });

    processTest('5. makes several worlds at once, which do not mix', 1, async () => {
      const worlds = await Promise.all([1, 2, 3].map((ranks) => World.spawn(SPAWNED, { ranks, kind, args: ['echo'] })));
      assert.deepEqual(
        worlds.map(({ size }) => size),
        [2, 3, 4],
      );
      await Promise.all(worlds.map((world) => echoes(world, 100_000)));
      await Promise.all(worlds.map((world) => world.close()));
    });

    processTest('6. can be called by a rank that was itself spawned', 1, async () => {
      await using world = await World.spawn(SPAWNED, { ranks: 1, kind, args: ['spawn another'] });
      await echoes(world, 100_000);
    });

    processTest('7. leaves no descriptor behind, and closes no other', 1, async () => {
      const round = async (): Promise<void> => {
        const world = await World.spawn(SPAWNED, { ranks: 2, kind, args: ['echo'] });
        const ended = childExits(world, 2); // one may end while the other still echoes
        await echoes(world, 10);
        await world.close();
        await ended;
      };
      await round();
      const before = [...openDescriptors().keys()];
      for (let i = 0; i < 3; i += 1) await round();
      assert.deepEqual([...openDescriptors().keys()], before);
    });

    processTest("8. tells by 'child-exit' how each has ended", 1, async () => {
      const world = await World.spawn(SPAWNED, { ranks: 2, kind, args: ['end when told', 'exit'] });
      const ended = childExits(world, 1);
      await world.send(new Uint8Array(1), { dest: 2 });
      assert.deepEqual(await nextPeerExit(world), { rank: 2, cause: 'exited' });
      assert.deepEqual(await ended, [{ rank: 2, exitCode: 5, signal: null }]);
      const other = childExits(world, 1);
      await world.send(new Uint8Array(1), { dest: 1 });
      assert.deepEqual(await other, [{ rank: 1, exitCode: 5, signal: null }]);
      await world.close();
    });

    processTest('9. warns of a failure that nobody listens for', 1, async () => {
      const world = await World.spawn(SPAWNED, { ranks: 1, kind, args: ['end when told', 'throw'] });
      const warned = once(process, 'warning');
      await world.send(new Uint8Array(1), { dest: 1 });
      world.ref();
      const [{ name, code, message }] = await warned;
      assert.deepEqual([name, code], ['UintrWarning', 'UINTR_CHILD_FAILED']);
      assert.match(message, kind === 'thread' ? /^rank 1 .*as it was asked to/ : /^rank 1 .*exit code 1$/);
      await world.close();
    });

    it.each([
      ['has nothing left to do', 'exited'],
      ['exits', 'exited'],
      ['closes', 'closed'],
      ['killed', 'killed'],
    ])('10. lets a caller that %s end, and tells the children', async (how, cause) => {
      const env = cleanEnvironment({ UINTR_TEST_MARK: mark });
      const child = spawn(process.execPath, [SPAWNER, kind, how], { env });
      let output = '';
      child.stdout.on('data', (data) => {
        output += data;
      });
      child.stderr.on('data', (data) => {
        output += data;
      });
      // When the children have ended as well, which hold the other end of the pipes.
      await once(child, 'close');
      assert.deepEqual([child.exitCode, child.signalCode], how === 'killed' ? [null, 'SIGKILL'] : [0, null], output);
      // Threads end with their process, wherever they are.
      if (kind === 'process') {
        const lines = output.trim().split('\n').sort();
        assert.deepEqual(
          lines,
          [1, 2].map((rank) => `rank ${rank}: ERR_UINTR_PEER_EXITED ${cause}`),
        );
      }
    });
  });
}
