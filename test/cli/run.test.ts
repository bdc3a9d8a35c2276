// `uintr run` starts what it was asked to, says which rank said what, and leaves nothing running.
import { setTimeout as sleep } from 'node:timers/promises';
import { processesWith } from '../helpers/proc.js';
import { Launcher, PROGRAM, uintr } from './launcher.js';

/** All that the launcher started is gone, soon: the kernel needs a moment to take a process away. */
async function expectNoneLeft(launcher: Launcher): Promise<void> {
  for (let tries = 0; tries < 100 && processesWith(launcher.mark).length > 0; tries += 1) await sleep(50);
  expect(processesWith(launcher.mark)).toEqual([]);
}

afterEach(() => Launcher.killAll());

describe('uintr run', () => {
  test('makes one world of its ranks, and takes the rank out of their environment', async () => {
    const { code, stdout, stderr } = await uintr(['run', '-n', '3', PROGRAM, 'join']);
    expect(stderr).toBe('');
    expect(stdout.split('\n').filter(Boolean).sort()).toEqual([
      '[0] rank 0 of 3, undefined',
      '[1] rank 1 of 3, undefined',
      '[2] rank 2 of 3, undefined',
    ]);
    expect(code).toBe(0);
  });

  test('passes arguments on as they are, and options as environment variables', async () => {
    const args = [
      'run',
      '-n',
      '1',
      '--driver',
      'poll',
      '--eager-limit=4096',
      PROGRAM,
      'environment',
      '-n',
      '--',
      'a b',
    ];
    const { lines } = await uintr(args).then((ended) => ({ lines: ended.lines() }));
    expect(lines).toEqual(['[0] ["-n","--","a b"] poll 4096']);
  });

  test('starts a command after --', async () => {
    const ended = await uintr(['run', '-n', '2', '--', 'sh', '-c', 'echo "$1"; printf "no newline"', 'sh', 'hello']);
    expect(ended.lines()).toEqual(['[0] hello', '[0] no newline', '[1] hello', '[1] no newline']);
    expect(ended.code).toBe(0);
  });

  test('keeps standard error apart', async () => {
    const ended = await uintr(['run', '-n', '1', '--', 'sh', '-c', 'echo out; echo err >&2']);
    expect([ended.stdout, ended.stderr]).toEqual(['[0] out\n', '[0] err\n']);
  });

  test('gives its input to rank 0', async () => {
    const ended = await uintr(['run', '-n', '2', PROGRAM, 'echo'], 'some input');
    expect(ended.lines()).toEqual(['[0] some input']);
  });

  test('ends with the first failure, after ending the others', async () => {
    const launcher = new Launcher(['run', '-n', '3', PROGRAM, 'fail-after-join']);
    expect(await launcher.ended()).toBe(7);
    await expectNoneLeft(launcher);
  });

  test('ends with 128 + the signal that ended a rank', async () => {
    expect((await uintr(['run', '-n', '2', '--', 'sh', '-c', 'kill -9 $$'])).code).toBe(137);
  });

  test('tells what cannot be started', async () => {
    const ended = await uintr(['run', '-n', '2', '--', '/no/such/command']);
    expect(ended.code).toBe(127);
    expect(ended.stderr).toContain('/no/such/command');
  });

  test('passes an interrupt on, once', async () => {
    const launcher = new Launcher(['run', '-n', '2', PROGRAM, 'count-interrupts']);
    await launcher.said('ready', 2);
    launcher.child.kill('SIGINT');
    expect(await launcher.ended()).toBe(0);
    expect(launcher.lines()).toEqual(expect.arrayContaining(['[0] interrupted 1 times', '[1] interrupted 1 times']));
  });

  test.each(['SIGINT', 'SIGTERM', 'SIGHUP'] as const)('%s ends ranks that do not handle it', async (signal) => {
    const launcher = new Launcher(['run', '-n', '2', PROGRAM, 'stay']);
    await launcher.said('ready', 2);
    launcher.child.kill(signal);
    expect(await launcher.ended()).toBe({ SIGINT: 130, SIGTERM: 143, SIGHUP: 129 }[signal]);
    await expectNoneLeft(launcher);
  });

  test('kills ranks that do not end when asked to', async () => {
    const launcher = new Launcher(['run', '-n', '2', '--', 'sh', '-c', `node ${PROGRAM} stubborn-until-killed`]);
    expect(await launcher.ended()).toBe(7);
    expect(launcher.lines()).toContain('[0] no');
    await expectNoneLeft(launcher);
  });

  test('leaves no orphans when it is itself killed', async () => {
    const launcher = new Launcher(['run', '-n', '2', '--', 'sh', '-c', `node ${PROGRAM} stubborn; exit 0`]);
    await launcher.said('ready', 2);
    launcher.child.kill('SIGKILL');
    await expectNoneLeft(launcher);
  });

  test('ends what a rank has left behind', async () => {
    const launcher = new Launcher(['run', '-n', '2', '--', 'sh', '-c', 'sleep 60 & echo done']);
    expect(await launcher.ended()).toBe(0);
    await expectNoneLeft(launcher);
  });

  test.each([
    ['SIGUSR2', {}],
    ['SIGQUIT', { UINTR_INSPECT_SIGNAL: 'SIGQUIT' }],
  ] as const)('asks its ranks on %s what they wait for, and ends nothing by it', async (signal, more) => {
    // The shell does not handle the signal.
    const program = `node ${PROGRAM} stuck; exit 0`;
    const launcher = new Launcher(['run', '-n', '2', '--', 'sh', '-c', program], undefined, more);
    await launcher.said('ready', 2);
    for (let times = 1; times <= 2; times += 1) {
      launcher.child.kill(signal);
      await launcher.said('tag: 42', 2 * times, 'stderr');
    }
    expect(launcher.stderr).toMatch(/^\[0\] uintr: rank 0 of 2, process \d+: \{$/m);
    expect(launcher.stderr).toMatch(
      /^\[1\] .*kind: 'receive', state: 'posted', comm: 'world', purpose: 'messages', peer: 0, tag: 42/m,
    );
    launcher.child.kill('SIGTERM');
    expect(await launcher.ended()).toBe(143);
    await expectNoneLeft(launcher);
  });

  test.each([
    ['stuck-in-wait', 2, 2],
    ['stuck-in-done', 2, 2],
    ['stuck-in-threads', 1, 3],
  ])('asks ranks that are %s as well', async (what, processes, size) => {
    const launcher = new Launcher(['run', '-n', `${processes}`, PROGRAM, what]);
    await launcher.said('ready', size);
    for (let times = 1; times <= 2; times += 1) {
      launcher.child.kill('SIGUSR2');
      await launcher.said('tag: 42', size * times, 'stderr');
    }
    for (let rank = 0; rank < size; rank += 1) {
      const thread = processes === 1 && rank > 0 ? `, thread \\d+` : '';
      const found = launcher.stderr.match(new RegExp(`uintr: rank ${rank} of ${size}, process \\d+${thread}: `, 'g'));
      expect(found).toHaveLength(2);
    }
    launcher.child.kill('SIGTERM');
    expect(await launcher.ended()).toBe(143);
    await expectNoneLeft(launcher);
  });

  test('refuses a signal that nobody can handle', async () => {
    const launcher = new Launcher(['run', '-n', '2', '--', 'echo'], undefined, { UINTR_INSPECT_SIGNAL: 'SIGKILL' });
    expect(await launcher.ended()).toBe(1);
    expect(launcher.stderr).toMatch(/'UINTR_INSPECT_SIGNAL' .*'SIGKILL'/);
  });

  test('ends its ranks when nobody reads their output any more', async () => {
    const launcher = new Launcher(['run', '-n', '2', '--', 'yes']);
    await launcher.said('[1] y', 1);
    launcher.child.stdout!.destroy();
    expect(await launcher.ended()).toBe(141);
    await expectNoneLeft(launcher);
  });

  test.each([
    [['run', 'x.js'], '-n <ranks> is missing'],
    [['run', '-n', '0', 'x.js'], "from 1 to 1024; it is '0'"],
    [['run', '-n', 'two', 'x.js'], "it is 'two'"],
    [['run', '-n'], '-n needs a value'],
    [['run', '-n', '2'], 'no script to run'],
    [['run', '-n', '2', '--'], 'no command after --'],
    [['run', '-n', '2', '--drive', 'poll', 'x.js'], 'unknown option --drive'],
    [['walk'], "unknown command 'walk'"],
    [[], 'no command'],
  ])('refuses %j', async (args, message) => {
    const ended = await uintr(args);
    expect(ended.stderr).toContain(message);
    expect(ended.code).toBe(2);
  });

  test('checks options before it starts anything', async () => {
    const ended = await uintr(['run', '-n', '2', '--driver', 'magic', '--', 'echo', 'started']);
    expect(ended.stderr).toContain("'magic'");
    expect([ended.stdout, ended.code]).toEqual(['', 1]);
  });
});

describe('uintr', () => {
  test('doctor says what works', async () => {
    const ended = await uintr(['doctor']);
    expect(ended.stdout).toMatch(/signal\s+yes/);
    expect(ended.stdout).toContain('UINTR_JOIN_TIMEOUT');
    expect(ended.code).toBe(0);
  });

  test('doctor --json says the same to programs', async () => {
    const { stdout, code } = await uintr(['doctor', '--json']);
    const found = JSON.parse(stdout);
    expect(found.drivers.signal).toEqual({ ok: true });
    expect(found.userInterrupts.cpu).toEqual(expect.any(Boolean));
    expect(found.drivers.uintr.ok || found.drivers.uintr.reason).toBeTruthy();
    expect(found.options.joinTimeout).toEqual(expect.any(Number));
    expect(code).toBe(0);
  });

  test('doctor refuses what it does not know', async () => {
    const { stderr, code } = await uintr(['doctor', '--xml']);
    expect(stderr).toContain("'--xml'");
    expect(code).toBe(2);
  });

  test('has a version and help', async () => {
    expect((await uintr(['--version'])).stdout).toMatch(/^\d+\.\d+\.\d+/);
    expect((await uintr(['--help'])).stdout).toContain('uintr run');
    expect((await uintr(['run', '--help'])).stdout).toContain('--eager-limit');
  });
});
