import { whyNotPinned } from '../../bench/lib/pin.js';
import { counterRate } from '../../bench/lib/tsc.js';
import {
  channels,
  expectContestants,
  expectOrdered,
  expectRatiosOfThisRun,
  expectScenarios,
  expectSchema,
} from './expect.js';
import { of, run, tiny } from './run.js';

describe('each measure, at tiny sizes', () => {
  test('latency', () => {
    const ran = run('latency', tiny);
    expectSchema(ran);
    expectContestants(
      ran,
      ['uintr/wait', 'uintr/await', 'uintr/await-asleep', ...channels],
      ['openmpi', 'mpich', 'zeromq'],
    );
    expectRatiosOfThisRun(ran);
    for (const line of of(ran, 'result')) {
      expectOrdered(line);
      expect(line.figure).toMatchObject({ unit: 'µs', median: line.time.median });
      expect(line.driver !== undefined).toBe(line.contestant.startsWith('uintr/'));
    }
  });

  test('bandwidth', () => {
    const ran = run('bandwidth', tiny);
    expectSchema(ran);
    expectContestants(
      ran,
      ['uintr/one', 'uintr/heap', 'uintr/distinct', 'uintr/await', 'uintr/lent', ...channels],
      ['openmpi', 'openmpi/distinct', 'mpich', 'mpich/distinct', 'zeromq'],
    );
    expectRatiosOfThisRun(ran);
    for (const line of of(ran, 'result')) {
      expectOrdered(line);
      expect(line.figure.unit).toBe('GB/s');
      expect(line.figure.median).toBeCloseTo(line.bytes / line.time.median / 1000, 10);
    }
  });

  test('bibandwidth, in both directions together', () => {
    const ran = run('bibandwidth', tiny);
    expectSchema(ran);
    expectContestants(
      ran,
      ['uintr/one', 'uintr/heap', 'uintr/distinct', 'uintr/await', ...channels],
      ['openmpi', 'openmpi/distinct', 'mpich', 'mpich/distinct', 'zeromq'],
    );
    expectRatiosOfThisRun(ran);
    for (const line of of(ran, 'result')) {
      expectOrdered(line);
      expect(line.figure.median).toBeCloseTo((2 * line.bytes) / line.time.median / 1000, 10);
    }
  });

  test('rate, in messages', () => {
    const ran = run('rate', ['--quick', '--budget', '2']);
    expectSchema(ran);
    expectContestants(ran, ['uintr/wait', 'uintr/await', ...channels], ['openmpi', 'mpich', 'zeromq']);
    expectRatiosOfThisRun(ran);
    for (const line of of(ran, 'result')) {
      expectOrdered(line);
      expect(line).toMatchObject({ bytes: 8, window: 64, figure: { unit: 'M/s', median: 1 / line.time.median } });
    }
  });

  test('overlap', () => {
    const ran = run('overlap', tiny);
    expectSchema(ran);
    expectContestants(ran, ['uintr/signal', 'uintr/poll'], ['openmpi', 'mpich']);
    expect(of(ran, 'reference').map(({ bytes }) => bytes)).toEqual([8, 70000]);
    const signal = of(ran, 'result').filter(({ contestant }) => contestant === 'uintr/signal');
    expect(signal.map(({ bytes, scenario }) => `${bytes} ${scenario}`).sort()).toEqual(
      ['70000 both', '70000 receiver', '70000 sender', '8 both', '8 receiver', '8 sender'].sort(),
    );
    for (const line of signal) expect(line).toMatchObject({ driver: 'signal', figure: { unit: 'exposed' } });
  });

  test('overlap without Open MPI compares with our own transfer by one end, and says so', () => {
    const ran = run('overlap', [...tiny, '--peers', '']);
    expectSchema(ran);
    for (const { by } of of(ran, 'reference')) expect(by).toMatch(/^uintr, one end copying by \w+$/);
    expect(of(ran, 'note').map(({ text }) => text)).toEqual([expect.stringContaining("not Open MPI's")]);
  });

  test('madmpi, by who computes', () => {
    const ran = run('madmpi', tiny);
    expectSchema(ran);
    expectContestants(ran, ['uintr/signal', 'uintr/poll'], ['openmpi', 'mpich']);
    expectScenarios(ran, ['sender', 'receiver', 'both'], 'ov');
  });

  test('availability, of a host that sends and of one that receives', () => {
    const ran = run('availability', tiny);
    expectSchema(ran);
    expectContestants(ran, ['uintr/signal', 'uintr/poll'], ['openmpi', 'mpich']);
    expectScenarios(ran, ['sender', 'receiver', 'sender-long', 'receiver-long'], 'available');
    for (const { figure } of of(ran, 'result')) {
      expect(figure.best).toBeGreaterThanOrEqual(figure.median);
      expect(figure.p99).toBeLessThanOrEqual(figure.median);
    }
  });

  test('overhead, over polling and over Node alone', () => {
    const ran = run('overhead', tiny);
    expectSchema(ran);
    const found = of(ran, 'result').map(({ contestant, scenario, bytes }) => `${contestant} ${scenario} ${bytes}`);
    const pingPongs = ['ping-pong, busy in wait()', 'ping-pong, busy in a loop around test()'].flatMap((scenario) =>
      ['uintr/signal', 'uintr/poll'].flatMap((id) => [8, 70000].map((bytes) => `${id} ${scenario} ${bytes}`)),
    );
    const computations = ['uintr/loaded', 'plain'].map((id) => `${id} computation 0`);
    const recorded = ['uintr/timeline', 'uintr/silent'].map((id) => `${id} ping-pong, with a timeline 8`);
    expect(found).toEqual(expect.arrayContaining([...pingPongs, ...computations, ...recorded]));
    const ratios = of(ran, 'ratio').map(({ of, to, scenario, bytes }) => `${of} ${to} ${scenario} ${bytes}`);
    expect(ratios).toContain('uintr/timeline uintr/silent ping-pong, with a timeline 8');
    expect(ratios).toContain('uintr/signal uintr/poll ping-pong, busy in a loop around test() 8');
    expect(ratios).toContain('uintr/loaded plain computation 0');
    expect(ratios.filter((ratio) => /^(uintr\/poll|uintr\/silent|plain) /.test(ratio))).toEqual([]);
    expectRatiosOfThisRun(ran);
  });

  test('idle, by await and by wait(), and what energy cannot be read', () => {
    const ran = run('idle', ['--quick', '--budget', '200']);
    expectSchema(ran);
    expectContestants(ran, ['uintr/await', 'uintr/wait'], ['openmpi', 'mpich']);
    for (const line of of(ran, 'result')) expectOrdered(line);
    const power = of(ran, 'result').some(({ figure }) => figure.unit === 'W');
    expect(power || of(ran, 'note').some(({ text }) => text.startsWith('energy not measured: no RAPL'))).toBe(true);
  });

  test('handler, by length of the message', () => {
    const ran = run('handler', tiny);
    expectSchema(ran);
    // Nothing makes sure that a handler runs in a few transfers; where none has, this is said.
    const none = of(ran, 'note').filter(({ text }) => /^uintr, driver signal, .*: no handler has run$/.test(text));
    const signal = of(ran, 'result').filter(({ contestant }) => contestant === 'uintr/signal');
    // Nor does every machine tell how fast its counter runs.
    const unknown = of(ran, 'skipped').some(({ reason }) => /rate of the time-stamp counter is not known/.test(reason));
    expect(unknown).toBe(counterRate() === undefined);
    expect(signal.length + none.length).toBe(unknown ? 0 : 2);
    for (const { time, figure } of of(ran, 'result')) {
      expect(time.count).toBeGreaterThan(0);
      const order = [figure.best, figure.median, figure.p99, figure.p999!, figure.worst!];
      expect(order).toEqual([...order].sort((a, b) => a - b));
    }
  });

  test('notify', () => {
    const ran = run('notify', tiny);
    expectSchema(ran);
    const others = ['tgkill', 'eventfd', 'pipe', 'unix-socket', 'futex', 'spin', 'uipi'];
    expectContestants(ran, ['uintr', 'uintr/doorbell'], others);
    expectRatiosOfThisRun(ran);
    const results = of(ran, 'result');
    const ways = (id: string) => results.filter((one) => one.contestant === id).map(({ scenario }) => scenario);
    const running = ['running, one way', 'running, round trip'];
    const asleep = ['asleep, one way', 'asleep, round trip'];
    for (const id of new Set(results.map(({ contestant }) => contestant))) {
      const skipped = of(ran, 'skipped').some(({ contestant }) => contestant === id);
      expect(ways(id)).toEqual(skipped ? running : [...running, ...asleep]);
    }
    for (const id of ['uintr', 'uintr/doorbell']) expect(ways(id)).toEqual([...running, ...asleep]);
    expect(ways('spin')).not.toContain('asleep, one way');
    for (const line of results) {
      expectOrdered(line);
      expect(line).toMatchObject({ bytes: 0, how: expect.stringMatching(/\w/), figure: { unit: 'µs' } });
    }
  });

  test('collectives, of each number of ranks', () => {
    const ran = run('collectives', [...tiny, '--peers', 'openmpi']);
    expectSchema(ran);
    expectContestants(ran, ['uintr'], ['openmpi']);
    expectRatiosOfThisRun(ran);
    const ours = of(ran, 'result').filter(({ contestant }) => contestant === 'uintr');
    const cases = ours.map(({ scenario, bytes }) => `${scenario} ${bytes}`);
    const moving = ['bcast', 'reduce', 'allreduce', 'allgather', 'alltoall'];
    expect(cases.sort()).toEqual(
      [2, 4]
        .flatMap((ranks) => [
          `barrier, ${ranks} ranks 0`,
          ...moving.flatMap((name) => [8, 70000].map((bytes) => `${name}, ${ranks} ranks ${bytes}`)),
        ])
        .sort(),
    );
  });

  test('collectives-overlap, of those that move data', () => {
    const ran = run('collectives-overlap', [...tiny, '--peers', 'openmpi']);
    expectSchema(ran);
    expectContestants(ran, ['uintr'], ['openmpi']);
    const moving = ['ibcast', 'ireduce', 'iallreduce', 'iallgather', 'ialltoall'];
    expectScenarios(
      ran,
      [2, 4].flatMap((ranks) => moving.map((name) => `${name}, ${ranks} ranks`)),
      'overlap',
    );
  });

  test('scale, with each number of ranks', () => {
    const ran = run('scale', [...tiny, '--ranks', '2,3', '--peers', 'openmpi']);
    expectSchema(ran);
    expectContestants(ran, ['uintr'], ['openmpi']);
    const ours = of(ran, 'result').filter(({ contestant }) => contestant === 'uintr');
    for (const ranks of [2, 3]) {
      const figures = ours.filter((line) => line.ranks === ranks);
      expect(figures.map(({ scenario, figure }) => `${scenario}: ${figure.unit}`)).toEqual([
        'to join: µs',
        'all-to-all, 8 B to each: µs',
        'all-to-all, 68.4 KiB to each: µs',
        '8 B message of a pair, the others silent: µs',
        'the same beside 4096 posted receives: µs',
        'shared memory of a rank that has not talked: KiB',
        'added by a pair that talks, of neighbours: KiB',
        'added by a pair that talks, of all: KiB',
      ]);
      for (const line of figures.filter(({ figure }) => figure.unit === 'µs')) expectOrdered(line);
    }
  });

  test('counter, by each primitive, threads and processes', () => {
    const ran = run('counter', ['--quick', '--budget', '2', '--ranks', '2']);
    expectSchema(ran);
    // A sum that is not 0 would be among them.
    expect(of(ran, 'skipped')).toEqual([]);
    const locks = ['mutex', 'adaptive', 'spinlock', 'ticket'];
    const all = [...locks, 'atomic', 'per-cpu'];
    const crews = ['threads', 'processes', ...(whyNotPinned() === undefined ? ['processes on one processor'] : [])];
    const scenarios = crews.flatMap((crew) =>
      (crew.endsWith('processor') ? ['native code'] : ['native code', 'JavaScript']).map((one) => `${one}, ${crew}`),
    );
    const results = of(ran, 'result');
    const held = results.filter(({ scenario }) => scenario === 'a holder that does not run');
    expect(held.map(({ contestant, figure }) => `${contestant} ${figure.unit}`)).toEqual(
      locks.map((id) => `uintr/${id} %`),
    );
    const counted = results.filter((result) => !held.includes(result));
    expect(counted.map(({ contestant, scenario, ranks }) => `${contestant} ${scenario} ${ranks}`).sort()).toEqual(
      all.flatMap((id) => scenarios.map((one) => `uintr/${id} ${one} 2`)).sort(),
    );
    for (const line of counted) {
      expectOrdered(line);
      expect(line.figure).toMatchObject({ unit: 'k/s', median: 1000 / line.time.median });
      expect(line.spent!.operations).toBeGreaterThan(0);
    }
    const cases = of(ran, 'ratio').map(({ of: one, to }) => `${one} ${to}`);
    const expected = [...all.slice(1).map((id) => `uintr/${id} uintr/mutex`), 'uintr/per-cpu uintr/atomic'];
    expect([...new Set(cases)].sort()).toEqual(expected.sort());
  });
});
