import { ratios, rotated } from '../../bench/lib/contest.js';
import type { MeasureLine, ResultLine } from '../../bench/lib/json.js';
import { reportNotify } from '../../bench/lib/notify-report.js';
import { asText } from '../../bench/lib/parts.js';
import { reportTimes } from '../../bench/lib/report.js';
import { figureOf, isOurs } from '../../bench/lib/timing.js';

function result(contestant: string, bytes: number, median: number): ResultLine {
  return {
    bench: 'result',
    measure: 'latency',
    contestant,
    title: contestant.toUpperCase(),
    bytes,
    time: { count: 5, median, min: median / 2, p99: median * 2 },
    figure: { unit: 'µs', median, best: median / 2, p99: median * 2 },
  };
}

const results = [result('uintr/wait', 8, 1), result('mpi', 8, 2), result('pipe', 8, 10), result('socket', 8, 5)];

describe('what a run comes to', () => {
  test('a ratio is median over median at the same size', () => {
    const all = ratios([...results, result('mpi', 64, 4)], isOurs);
    expect(all.map(({ to, bytes, value }) => [to, bytes, value])).toEqual([
      ['mpi', 8, 0.5],
      ['pipe', 8, 0.1],
      ['socket', 8, 0.2],
    ]);
  });

  test('no ratio is made between different scenarios, nor of what was emulated', () => {
    const asleep = { ...result('eventfd', 8, 4), scenario: 'asleep, one way' as const };
    const emulated = { ...result('uipi', 8, 4), emulated: true as const };
    const all = ratios([results[0], results[1], asleep, emulated], isOurs);
    expect(all.map(({ to }) => to)).toEqual(['mpi']);
    expect(ratios([{ ...results[0], emulated: true }, results[1]], isOurs)).toEqual([]);
  });

  test('what was emulated is marked in the table', () => {
    const one = { ...result('uipi', 0, 4), scenario: 'running, one way' as const };
    expect(asText(reportNotify([one]))).not.toContain('emulated');
    expect(asText(reportNotify([{ ...one, emulated: true }]))).toMatch(/^UIPI +4\.00 \(2\.00; 8\.00\) emulated +–/m);
  });

  test('a rate is computed from the time, so that its best is the shortest time', () => {
    const rate = { unit: 'GB/s' as const, figure: (micros: number, bytes: number) => bytes / micros / 1000 };
    expect(figureOf(rate, { count: 3, median: 2, min: 1, p99: 4 }, 4000)).toEqual({
      unit: 'GB/s',
      median: 2,
      best: 4,
      p99: 1,
    });
  });

  test('the table shows ratios over single peers, and over the best of a group', () => {
    const lines: MeasureLine[] = [...results, ...ratios(results, isOurs)];
    const group = { title: 'THE BEST', ids: ['pipe', 'socket'] };
    const text = asText(reportTimes(lines, { p99: '99 %', better: 'less', group }));
    expect(text).toMatch(/^UINTR\/WAIT +1\.00 \(0\.500; 2\.00\)$/m);
    expect(text).toMatch(/^UINTR\/WAIT \/ MPI +0\.500 ×$/m);
    expect(text).toMatch(/^UINTR\/WAIT \/ THE BEST +0\.200 ×$/m);
    expect(text).not.toMatch(/\/ PIPE/);
  });

  test('what did not run is named with its reason', () => {
    const skipped: MeasureLine = {
      bench: 'skipped',
      measure: 'latency',
      contestant: 'mpi',
      title: 'MPI',
      reason: 'MPI: not installed (apt-get install mpi)',
    };
    const text = asText(reportTimes([results[0], skipped], { p99: '99 %', better: 'less' }));
    expect(text).toContain('not run: MPI: MPI: not installed (apt-get install mpi)');
  });

  test('every round begins with another contestant, and has them all', () => {
    expect([0, 1, 2, 3].map((round) => rotated(['a', 'b', 'c'], round).join(''))).toEqual(['abc', 'bca', 'cab', 'abc']);
    expect(rotated([], 2)).toEqual([]);
  });
});
