// What a review found broken once, each as a program that has to go on.
import { strict as assert } from 'node:assert';
import { constants } from 'node:buffer';
import { execFileSync, fork, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { binding, type NativeWorld } from '../../lib/binding.js';
import type { JoinOptions, Request, Status } from '../../lib/index.js';
import { resolveOptions } from '../../lib/options.js';
import { coded, peerExited } from '../helpers/errors.js';
import { COPIES } from '../helpers/matrix.js';
import { ROOT } from '../helpers/paths.js';
import { assertAll, assertPattern, pattern } from '../helpers/pattern.js';
import { processTest, rankTest } from '../helpers/rank-test.js';
import { compute, computeUntilWritten } from '../helpers/work.js';
import { collectGarbage } from '../helpers/worlds.js';

const MiB = 2 ** 20;
const FIXTURES = join(__dirname, 'fixtures');
/** Where what is not compiled by tsc stays. */
const SOURCES = join(ROOT, 'test', 'api', 'fixtures');
/** Work that is long enough, as a rule, for the other rank to have gone to sleep; nothing is wrong if it has not. */
const A_WHILE = 100_000;

/** A hanging rank that is asked for its report wakes up by that: it is not to go on as if it had never hung. */
function hangForGood(): void {
  process.on('SIGUSR2', () => process.exit(1));
}

describe('a program that takes the signal over', () => {
  const MESSAGES = 6;

  for (const copy of COPIES) {
    rankTest(
      `1. after process.on() all large messages that it awaits still arrive (copy ${copy})`,
      { env: { UINTR_DRIVER: 'signal', UINTR_COPY: copy } },
      async (world, t) => {
        hangForGood();
        if (world.rank === 1) {
          for (let tag = 0; tag <= MESSAGES; tag += 1) {
            compute(A_WHILE);
            t.note(`sending ${tag}`);
            await world.send(pattern(tag, MiB), { dest: 0, tag });
          }
          return MESSAGES;
        }
        const into = new Uint8Array(MiB);
        await world.recv(into, { source: 1, tag: 0 });
        process.on('SIGURG', () => {});
        let arrived = 0;
        for (let tag = 1; tag <= MESSAGES; tag += 1) {
          t.note(`awaiting ${tag}`);
          await world.recv(into, { source: 1, tag });
          assertPattern(into, tag);
          arrived += 1;
        }
        return arrived;
      },
      (outcomes) => expect(outcomes.map(({ result }) => result)).toEqual([MESSAGES, MESSAGES]),
    );
  }
});

describe('an inherited UINTR_BOOTSTRAP', () => {
  const FIXTURE = join(FIXTURES, 'inherited-bootstrap.js');

  processTest(
    '2. is ERR_UINTR_JOIN in a child that only joins, whose descriptors stay its own, and the rank itself joins',
    { ranks: 1, via: 'launcher' },
    async (t) => {
      assert.ok(process.env['UINTR_BOOTSTRAP'] !== undefined);
      const { status, signal, stdout, stderr } = spawnSync(process.execPath, [FIXTURE], { encoding: 'utf8' });
      assert.deepEqual(
        { status, signal, said: stdout.trim() },
        { status: 0, signal: null, said: 'ERR_UINTR_JOIN' },
        stderr,
      );
      const world = await t.join();
      assert.equal(world.size, 1);
      await world.close();
      return 'joined';
    },
    ([outcome]) => expect(outcome!.result).toBe('joined'),
  );

  for (const named of [false, true]) {
    processTest(
      `3. leaves a child its channel to the rank${named ? ', even if it names just that descriptor' : ''}`,
      { ranks: 1, via: 'launcher' },
      async (t) => {
        const child = fork(FIXTURE, named ? ['socket'] : [], { silent: true });
        const said: unknown[] = [];
        const errors: string[] = [];
        child.on('message', (message) => said.push(message));
        child.stderr!.on('data', (data) => errors.push(`${data}`));
        const [status, signal] = (await once(child, 'close')) as [number | null, string | null];
        assert.deepEqual(
          { status, signal, said },
          { status: 0, signal: null, said: ['ERR_UINTR_JOIN'] },
          errors.join(''),
        );
        await (await t.join()).close();
        return 'joined';
      },
      ([outcome]) => expect(outcome!.result).toBe('joined'),
    );
  }
});

describe('sendrecv()', () => {
  rankTest(
    '4. whose send cannot be posted leaves no receive behind',
    { ranks: 1, join: { maxRequests: 16 } },
    async (world) => {
      const OTHER_TAG = 50;
      const held: Request<Status>[] = [];
      assert.throws(() => {
        for (;;) held.push(world.irecv(new Uint8Array(1), { tag: OTHER_TAG }));
      }, coded('ERR_UINTR_NO_MEMORY'));
      // Room for one request, and sendrecv needs two.
      assert.equal(held.pop()!.cancel(), true);
      const into = new Uint8Array(MiB);
      await assert.rejects(
        world.sendrecv(new Uint8Array(MiB), into, { dest: 0, sendTag: 1, recvTag: 2 }),
        coded('ERR_UINTR_NO_MEMORY'),
      );
      const { posted, requests } = world.inspect();
      assert.deepEqual(
        requests.filter(({ tag }) => tag !== OTHER_TAG),
        [],
      );
      assert.equal(posted, held.length);
      for (const request of held) assert.equal(request.cancel(), true);
      // A message that the receive would have matched is there for another.
      const sent = world.isend(pattern(7, MiB), { dest: 0, tag: 2 });
      assertPattern((await world.recv({ source: 0, tag: 2 })).data, 7);
      await sent;
      assertAll(into, 0);
    },
  );
});

describe('a block that is longer than an ArrayBuffer can be in this Node', () => {
  /** A world of one as the addon has it: World.alloc() would write all of the block. */
  const joinNative = (): Promise<NativeWorld> =>
    new Promise((resolve, reject) => {
      const { copy: _, ...options } = resolveOptions({ heapBytes: 8 * 2 ** 30 }, {});
      const started = binding().join(
        { ...options, size: 1, copyKinds: 0 },
        () => {},
        (failure, world) => (world === undefined ? reject(new Error(failure!.message)) : resolve(world)),
      );
      if (typeof started !== 'function') reject(new Error(started.message));
    });

  processTest(
    '5. is refused, or is one, and does no harm',
    { ranks: 1, nodeOptions: ['--expose-gc'] },
    async () => {
      const native = await joinNative();
      const length = 2 ** 32 + 4096;
      for (let i = 0; i < 3; i += 1) {
        // Touches nothing of it. What has no block there, as here, is given back without effect.
        const byteLength = native.takeBlock(0, length)?.byteLength;
        assert.equal(byteLength, length > constants.MAX_LENGTH ? undefined : length);
        await collectGarbage();
      }
      // A heap that was harmed would not have this.
      assert.equal(native.alloc(MiB)?.byteLength, MiB);
      await new Promise<void>((resolve) => native.close(resolve));
      await collectGarbage();
      return 'alive';
    },
    ([outcome]) => expect(outcome!.result).toBe('alive'),
  );
});

describe('a sender that is killed or stopped between the two steps of an interrupt', () => {
  const [RECEIVER, VICTIM, OTHER] = [0, 1, 2];
  const MESSAGES = 4;

  processTest(
    '6. leaves its receiver within reach of a third rank',
    { ranks: 3, env: { UINTR_DRIVER: 'signal' } },
    async (t) => {
      hangForGood();
      if (t.rank === VICTIM) return cutInterrupts('kill', 'killed-sender.js', t.joinOptions);
      const world = await t.join();
      if (t.rank === OTHER) {
        await world.recv({ source: RECEIVER, tag: 0 });
        for (let tag = 1; tag <= MESSAGES; tag += 1) {
          compute(A_WHILE);
          t.note(`sending ${tag}`);
          await world.send(pattern(tag, MiB), { dest: RECEIVER, tag });
        }
      } else {
        const into = new Uint8Array(MiB);
        await assert.rejects(
          async () => {
            for (;;) await world.recv(into, { source: VICTIM });
          },
          peerExited(VICTIM, 'killed'),
        );
        await world.send(new Uint8Array(0), { dest: OTHER, tag: 0 });
        for (let tag = 1; tag <= MESSAGES; tag += 1) {
          t.note(`awaiting ${tag}`);
          await world.recv(into, { source: OTHER, tag });
          assertPattern(into, tag);
        }
      }
      await world.close();
      return 'done';
    },
    (outcomes) => expect(outcomes.map(({ result }) => result)).toEqual(['done', 'SIGSYS', 'done']),
  );

  processTest(
    '7. is outdone, while it lives, by a third rank that merely awaits its own send',
    { ranks: 3, env: { UINTR_DRIVER: 'signal' } },
    async (t) => {
      hangForGood();
      if (t.rank === VICTIM) return cutInterrupts('lose', 'lost-sender.js', t.joinOptions);
      const world = await t.join();
      if (t.rank === OTHER) {
        // The victim has announced an interrupt to the receiver by now.
        await world.recv({ source: VICTIM });
        await world.send(pattern(1, MiB), { dest: RECEIVER, tag: 1 });
      } else {
        const into = new Uint8Array(MiB);
        const received = world.irecv(into, { source: OTHER, tag: 1 });
        world.irecv(new Uint8Array(MiB), { source: VICTIM });
        world.isend(new Uint8Array(0), { dest: VICTIM });
        computeUntilWritten(into);
        assertPattern(into, 1);
        await received;
      }
      await world.send(new Uint8Array(0), { dest: VICTIM, tag: 2 });
      await world.close();
      return 'done';
    },
    (outcomes) => expect(outcomes.map(({ result }) => result)).toEqual(['done', 0, 'done']),
  );

  /** Runs the rank in a process that never gets to the second step of an interrupt; returns what ended it. */
  async function cutInterrupts(how: 'kill' | 'lose', fixture: string, options: JoinOptions): Promise<unknown> {
    const folder = mkdtempSync(join(tmpdir(), 'uintr-review-'));
    try {
      const program = join(folder, 'cut-interrupts');
      execFileSync('gcc', ['-o', program, join(SOURCES, 'cut-interrupts.c')]);
      const args = [how, process.execPath, join(FIXTURES, fixture), JSON.stringify(options)];
      const child = spawn(program, args, { stdio: 'inherit' });
      const [code, signal] = await once(child, 'close');
      return signal ?? code;
    } finally {
      rmSync(folder, { recursive: true });
    }
  }
});
