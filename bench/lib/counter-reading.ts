// What the figures of a counter run say, in words. Each sentence is there only where the figures bear it, so that another
// machine gets other ones.
import { scenes } from './counter-scenes.js';
import type { MeasureLine, ResultLine } from './json.js';
import { only, unique } from './report.js';
import { formatNumber } from './table.js';

/** Medians nearer to each other than that are alike. */
const alike = 1.15;

export function readCounter(lines: MeasureLine[]): string[] {
  const all = only(lines, 'result');
  const scenarios = unique(all.map(({ scenario }) => scenario!));
  return scenarios.flatMap((scenario) => {
    const scene = new Scene(all.filter((one) => one.scenario === scenario));
    if (scenario === scenes.held) return held(scene);
    if (scenario === scenes.onOne) return onOne(scene);
    const said = scenario.startsWith('native')
      ? [waits(scene), order(scene), counters(scene)]
      : [crossings(scene, all)];
    return said.flatMap((some) => some.map((text) => `${scenario}: ${text}`));
  });
}

type Primitive = 'mutex' | 'adaptive' | 'spinlock' | 'ticket' | 'atomic' | 'per-cpu';

/** The figures of one scenario. */
class Scene {
  readonly #results: ResultLine[];
  readonly workers: number[];

  constructor(results: ResultLine[]) {
    this.#results = results;
    this.workers = unique(results.map(({ ranks }) => ranks!)).sort((a, b) => a - b);
  }

  result(id: Primitive, workers: number): ResultLine | undefined {
    return this.#results.find(({ contestant, ranks }) => contestant === `uintr/${id}` && ranks === workers);
  }

  figure(id: Primitive, workers: number): number | undefined {
    return this.result(id, workers)?.figure.median;
  }

  /** One over another, for each number of workers with which both ran. */
  ratios(of: Primitive, to: Primitive): [workers: number, ratio: number][] {
    return this.workers.flatMap((workers): [number, number][] => {
      const [a, b] = [this.figure(of, workers), this.figure(to, workers)];
      return a === undefined || b === undefined || b === 0 ? [] : [[workers, a / b]];
    });
  }
}

function waits(scene: Scene): string[] {
  const ratios = scene.ratios('spinlock', 'mutex');
  if (ratios.length === 0) return [];
  const spinning = ratios.filter(([, ratio]) => ratio >= alike).map(([workers]) => workers);
  const sleeping = ratios.filter(([, ratio]) => ratio <= 1 / alike).map(([workers]) => workers);
  const why = [
    `The spinlock counts ${times(ratios)} as fast as the mutex.`,
    spinning.length > 0 &&
      `Spinning wins with ${and(spinning)} workers: the lock is held for nanoseconds, and who looks all the time has it ` +
        'as soon as it is free, while to sleep and to be woken takes two system calls and a turn of the scheduler.',
    sleeping.length > 0 &&
      `Sleeping wins with ${and(sleeping)} workers: whoever spins has the processor, or the cache line, that the holder ` +
        'needs to get on.',
    spinning.length + sleeping.length === 0 && 'Neither wins: hardly anybody has to wait for long.',
    spent(scene),
  ];
  const adaptive = scene.ratios('adaptive', 'mutex');
  return [
    sentences(why),
    ...(adaptive.length > 0
      ? [`The adaptive mutex, which spins while the holder runs, counts ${times(adaptive)} as fast as the other.`]
      : []),
  ];
}

function spent(scene: Scene): string | false {
  const most = scene.workers.at(-1)!;
  const [spin, sleep] = [scene.result('spinlock', most)?.spent, scene.result('mutex', most)?.spent];
  if (spin === undefined || sleep === undefined) return false;
  const of = ({ cpuSeconds, voluntary, involuntary }: typeof spin) =>
    `${formatNumber(cpuSeconds * 1000)} ms of processor time, ${count(voluntary)} voluntary and ${count(involuntary)} ` +
    'involuntary switches';
  return `With ${most} workers a million operations cost the spinlock ${of(spin)}, the mutex ${of(sleep)}.`;
}

function order(scene: Scene): string[] {
  const ratios = scene.ratios('ticket', 'spinlock').filter(([, ratio]) => ratio <= 1 / alike);
  if (ratios.length === 0) return [];
  return [
    `The ticket lock counts ${times(ratios)} as fast as the spinlock. That is the price of its order: the next in turn ` +
      'may have no processor just then, and all others wait for it although the lock is free.',
  ];
}

/** Of the project (shared counters that are mostly written). */
const goal = 5;

function counters(scene: Scene): string[] {
  const ratios = scene.ratios('per-cpu', 'atomic');
  if (ratios.length === 0) return [];
  const reached = ratios.every(([, ratio]) => ratio >= goal);
  const slowest = Math.max(...scene.workers.flatMap((workers) => scene.result('atomic', workers)?.time.median ?? []));
  return [
    sentences([
      `The per-CPU counter counts ${times(ratios)} as fast as the atomic one, of which ${goal} × is the goal.`,
      reached
        ? 'Each worker adds to a line that no other processor writes, and without a lock prefix; the atomic one is a ' +
          'single line, which has to travel from processor to processor.'
        : `Here the line of the atomic one travels cheaply: all workers together add to it every ` +
          `${formatNumber(slowest * 1000)} ns at the slowest, and a restartable sequence has a handful of instructions ` +
          'of its own. What the per-CPU counter saves grows with the number of processors and their distance.',
    ]),
  ];
}

function crossings(scene: Scene, all: ResultLine[]): string[] {
  const least = scene.workers[0];
  const scenario = scene.result('atomic', least)?.scenario?.replace('JavaScript', 'native code');
  const native = new Scene(all.filter((one) => one.scenario === scenario));
  const [inside, outside] = [native.figure('atomic', least), scene.figure('atomic', least)];
  const ratios = scene.ratios('spinlock', 'mutex');
  if (inside === undefined || outside === undefined || ratios.length === 0) return [];
  return [
    `A call of the addon costs more than most of what it calls: the atomic counter makes ${formatNumber(outside / 1000)} ` +
      `million operations a second instead of ${formatNumber(inside / 1000)} (${least} workers). A lock takes two calls, and so is held ` +
      `for longer: the spinlock counts ${times(ratios)} as fast as the mutex.`,
  ];
}

function held(scene: Scene): string[] {
  const workers = scene.workers[0];
  const [spin, sleep] = [scene.figure('spinlock', workers), scene.figure('mutex', workers)];
  if (spin === undefined || sleep === undefined) return [];
  return [
    `A process that does not run while it holds the lock, because it was preempted or stopped, costs whoever waits: ${workers} ` +
      `that wait for the spinlock use ${formatNumber(spin)} % of a processor until it runs again, for the mutex ` +
      `${formatNumber(sleep)} %.`,
  ];
}

function onOne(scene: Scene): string[] {
  const most = scene.workers.at(-1)!;
  const [spin, sleep] = [scene.ratios('spinlock', 'mutex'), scene.ratios('ticket', 'mutex')];
  if (spin.length === 0) return [];
  const lost = spin.some(([, ratio]) => ratio <= 1 / alike);
  return [
    sentences([
      `With all processes on one processor a holder is preempted inside the lock all the time, and the spinlock counts ` +
        `${times(spin)} as fast as the mutex.`,
      lost
        ? 'What is missing went into looking at a lock that could not become free.'
        : 'It loses little, because who waits yields after some 30 µs, which is short beside a time slice, and the holder ' +
          'takes and releases it many thousand times in a slice of its own.',
      sleep.length > 0 &&
        `The ticket lock counts ${times(sleep)} as fast: with ${most} processes each operation waits for the one whose turn ` +
          'it is to be given the processor.',
    ]),
  ];
}

function sentences(all: (string | false)[]): string {
  return all.filter((one) => one !== false).join(' ');
}

/** "1.50 × (2 workers), 0.900 × (4 workers)". */
function times(ratios: [workers: number, ratio: number][]): string {
  return and(ratios.map(([workers, ratio], i) => `${multiple(ratio)} × (${workers}${i === 0 ? ' workers' : ''})`));
}

function multiple(ratio: number): string {
  return ratio < 0.1 ? `1/${formatNumber(1 / ratio)}` : formatNumber(ratio);
}

function and(all: (string | number)[]): string {
  return all.length < 2 ? all.join('') : `${all.slice(0, -1).join(', ')} and ${all.at(-1)}`;
}

function count(value: number): string {
  return value === 0 ? 'no' : formatNumber(value);
}
