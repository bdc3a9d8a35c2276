import { measures } from '../../bench/main.js';
import { of, run, tiny } from './run.js';

describe('uintr bench', () => {
  test('names pick measures, peers pick peers, and tables say what was measured on what', () => {
    const { status, texts } = run('main', ['latency', ...tiny, '--peers', 'worker']);
    const text = texts.join('\n');
    expect(status).toBe(0);
    expect(text).toContain(`Node ${process.version}`);
    expect(text).toMatch(/^latency: /m);
    expect(text).not.toMatch(/^bandwidth: /m);
    expect(text).toMatch(/^uintr, wait\(\) +[\d.]+ \([\d.]+; [\d.]+\)/m);
    expect(text).toMatch(/^uintr, wait\(\) \/ the best of Node that copies +[\d.]+ ×/m);
    expect(text).not.toContain('Unix socket');
    expect(text).toMatch(/driver \w+; copies by \w+/);
  });

  test('--json - prints nothing but JSON lines, and progress apart from them', () => {
    const ran = run('main', ['overlap', ...tiny, '--json', '-', '--peers', 'worker']);
    expect(ran.status).toBe(0);
    expect(ran.lines).toHaveLength(ran.texts.length);
    expect(of(ran, 'progress')).toEqual([]);
    expect(ran.stderr).toContain('overlap 1/');
  });

  test('a peer that is not installed is marked, with how to install it', () => {
    // Neither mpicc nor mpirun is found on an empty path; taskset is not either, so nothing is pinned.
    const peers = ['--peers', 'openmpi,mpich,zeromq'];
    const ran = run('main', ['latency', ...tiny, '--json', '-', ...peers], { PATH: '/nonexistent', NODE_PATH: '' });
    expect(ran.status).toBe(0);
    expect(of(ran, 'skipped')).toMatchObject([
      { contestant: 'openmpi', reason: 'Open MPI: not installed (apt-get install openmpi-bin libopenmpi-dev)' },
      { contestant: 'mpich', reason: 'MPICH: not installed (apt-get install mpich libmpich-dev)' },
      { contestant: 'zeromq', reason: 'zeromq: not installed (npm install zeromq@6)' },
    ]);
    expect(of(ran, 'machine')).toMatchObject([{ notPinned: expect.any(String) }]);
    expect(of(ran, 'result').length).toBeGreaterThan(0);
  });

  test('where there is no C compiler, its mechanisms are marked, with how to install it', () => {
    const ran = run('main', ['notify', ...tiny, '--json', '-', '--peers', 'pipe'], { PATH: '/nonexistent' });
    expect(ran.status).toBe(0);
    expect(of(ran, 'skipped')).toMatchObject([
      { contestant: 'pipe', reason: 'a C compiler, cc: not installed (apt-get install gcc libc6-dev)' },
    ]);
    expect(new Set(of(ran, 'result').map(({ contestant }) => contestant))).toEqual(
      new Set(['uintr', 'uintr/doorbell']),
    );
  });

  test('notify as a table: each way of being notified, how, and what cannot be', () => {
    const { status, texts } = run('main', ['notify', ...tiny, '--peers', 'tgkill,spin']);
    const text = texts.join('\n');
    expect(status).toBe(0);
    const figure = '[\\d.,]+ \\([\\d.,]+; [\\d.,]+\\)';
    expect(text).toMatch(/running, one way +running, round trip +asleep, one way +asleep, round trip$/m);
    expect(text).toMatch(new RegExp(`^signal, bare tgkill( +${figure}){4}$`, 'm'));
    expect(text).toMatch(new RegExp(`^spinning on shared memory( +${figure}){2} +– +–$`, 'm'));
    expect(text).toMatch(/^uintr \(this package\) \/ signal, bare tgkill( +[\d.,]+ ×){4}$/m);
    expect(text).toMatch(/^signal, bare tgkill +computes, handler +sigsuspend, handler$/m);
    expect(text).toContain('not run: spinning on shared memory, asleep: ');
  });

  test('a driver without interrupts notifies sleepers only, and says so', () => {
    const ran = run('main', ['notify', ...tiny, '--json', '-', '--peers', ''], { UINTR_DRIVER: 'poll' });
    expect(ran.status).toBe(1);
    expect(of(ran, 'skipped')).toMatchObject([
      { contestant: 'uintr', title: 'uintr (this package), running', reason: "driver 'poll' has no interrupts" },
    ]);
    const ours = of(ran, 'result').filter(({ contestant }) => contestant === 'uintr');
    expect(ours.map(({ scenario }) => scenario)).toEqual(['asleep, one way', 'asleep, round trip']);
  });

  test('where ours cannot run, every measure of messages says why, and the exit code tells', () => {
    // What is between ranks of a world; uintr/sync does without one.
    const names = measures.map(({ name }) => name).filter((name) => name !== 'counter');
    const args = [...names, ...tiny, '--json', '-', '--peers', '', '--ranks', '2'];
    const ran = run('main', args, { UINTR_COPY: 'nosuch' });
    expect(ran.status).toBe(1);
    // Doorbells copy nothing, and what overhead compares with does without this package.
    const others = ['uintr/doorbell', 'plain'];
    expect(of(ran, 'result').filter(({ contestant }) => !others.includes(contestant))).toEqual([]);
    const skipped = of(ran, 'skipped');
    expect([...new Set(skipped.map(({ measure }) => measure))]).toEqual(names);
    // What a measure lacks itself, as the rate of the processor's counter, is said before it is tried.
    for (const { reason } of skipped) expect(reason).toMatch(/nosuch|rate of the time-stamp counter is not known/);
  });

  test.each([
    [['nosuch'], /no measure nosuch; there are latency/],
    [['--peers', 'nosuch'], /no peer nosuch; there are openmpi/],
    [['--ranks', '4,1'], /--ranks: not a whole number of at least 2: 1/],
    [['--json', '/nonexistent/x'], /--json: ENOENT.*\/nonexistent\/x/],
    [['--from', '/nonexistent/x'], /--from: \/nonexistent\/x: ENOENT/],
    [['--exponent', '0.5'], /--exponent: not a whole number of at least 1: 0.5/],
    [['--sizes', '0'], /--sizes: not a whole number of at least 1: 0/],
    [['--nosuch'], /--nosuch/],
  ])('%j is refused before anything runs, with the reason', (args, reason) => {
    const { status, stderr, texts } = run('main', args);
    expect(status).toBe(2);
    expect(stderr).toMatch(reason);
    expect(texts).toEqual([]);
  });

  test('--help lists measures, peers and options', () => {
    const { status, texts } = run('main', ['--help']);
    const text = texts.join('\n');
    expect(status).toBe(0);
    for (const word of [
      'latency',
      'bibandwidth',
      'scale',
      'notify',
      'counter',
      '--exponent',
      'mpich',
      'unix-socket',
      'tgkill',
      '--quick',
      '--svg',
      '--page',
    ]) {
      expect(text).toContain(word);
    }
  });
});
