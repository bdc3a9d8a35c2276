// A run as a file has it, of every measure, without having been run: small, and the same each time.

import { ratios } from '../../bench/lib/contest.js';
import { scenes } from '../../bench/lib/counter-scenes.js';
import type { ResultLine, Unit } from '../../bench/lib/json.js';
import type { Finding, Run } from '../../bench/lib/record.js';
import { isOurs } from '../../bench/lib/timing.js';

type Contestants = Record<string, string>;

const mpi: Contestants = { openmpi: 'Open MPI, C', mpich: 'MPICH, C' };
const node: Contestants = {
  'unix-socket': 'Unix socket (node:net)',
  worker: 'worker_threads postMessage (copy)',
  'worker-transfer': 'worker_threads postMessage (transfer)',
  'child-process': "child_process IPC ('advanced')",
  zeromq: 'zeromq (ipc)',
};
const ways: Contestants = { 'uintr/wait': 'uintr, wait()', 'uintr/await': 'uintr, await' };
const buffers: Contestants = { 'uintr/one': 'uintr, one buffer', 'uintr/heap': 'uintr, buffers of the shared heap' };
const drivers: Contestants = { 'uintr/signal': 'uintr, driver signal', 'uintr/poll': 'uintr, driver poll' };
const operations = ['bcast', 'reduce', 'alltoall'];

interface Shape {
  name: string;
  unit: Unit;
  contestants: Contestants;
  scenarios?: string[];
  /** Of each scenario; of messages, if not given. */
  sizes?: number[];
  ranks?: number[];
  more?: Partial<ResultLine['figure']>;
  spent?: ResultLine['spent'];
}

const shapes: Shape[] = [
  { name: 'latency', unit: 'µs', contestants: { ...ways, ...mpi, ...node } },
  { name: 'bandwidth', unit: 'GB/s', contestants: { ...buffers, ...mpi, ...node } },
  { name: 'bibandwidth', unit: 'GB/s', contestants: { ...buffers, ...mpi, ...node } },
  { name: 'rate', unit: 'M/s', contestants: { ...ways, ...mpi, ...node }, sizes: [8] },
  { name: 'overlap', unit: 'exposed', contestants: { ...drivers, ...mpi }, scenarios: ['sender', 'receiver', 'both'] },
  { name: 'madmpi', unit: 'ov', contestants: { ...drivers, ...mpi }, scenarios: ['sender', 'receiver', 'both'] },
  { name: 'availability', unit: 'available', contestants: { ...drivers, ...mpi }, scenarios: ['sender', 'receiver'] },
  {
    name: 'overhead',
    unit: 'µs',
    contestants: { 'uintr/loaded': 'loaded', plain: 'Node alone' },
    scenarios: ['computation'],
  },
  { name: 'idle', unit: '%', contestants: { ...ways, ...mpi }, scenarios: ['processor time, of one core'], sizes: [0] },
  {
    name: 'handler',
    unit: 'µs',
    contestants: { 'uintr/signal': 'uintr, driver signal' },
    more: { p999: 90, worst: 99 },
  },
  {
    name: 'notify',
    unit: 'µs',
    contestants: { uintr: 'uintr (this package)', tgkill: 'signal, bare tgkill', spin: 'spinning on shared memory' },
    scenarios: ['running, one way', 'running, round trip', 'asleep, one way', 'asleep, round trip'],
    sizes: [0],
  },
  {
    name: 'collectives',
    unit: 'µs',
    contestants: { uintr: 'uintr', ...mpi },
    scenarios: ['barrier, 2 ranks', ...operations.map((name) => `${name}, 2 ranks`)],
  },
  {
    name: 'collectives-overlap',
    unit: 'overlap',
    contestants: { uintr: 'uintr', ...mpi },
    scenarios: operations.map((name) => `i${name}, 4 ranks`),
  },
  {
    name: 'scale',
    unit: 'µs',
    contestants: { uintr: 'uintr', ...mpi },
    scenarios: ['to join'],
    sizes: [0],
    ranks: [2, 4],
  },
  {
    name: 'counter',
    unit: 'k/s',
    contestants: { 'uintr/mutex': 'mutex', 'uintr/spinlock': 'spinlock', 'uintr/per-cpu': 'per-CPU counter' },
    scenarios: [...Object.values(scenes), 'JavaScript, threads'],
    sizes: [0],
    ranks: [2, 4],
    spent: { operations: 4096, cpuSeconds: 0.2, voluntary: 0, involuntary: 17 },
  },
];

export interface Changes {
  sizes?: number[];
  /** Instead of what is made up. */
  median?(at: number): number;
  /** Whom the run is to have; all, if not given. */
  has?(contestant: string): boolean;
}

export function recorded({
  sizes = [65536, 16 << 20],
  median = (at) => 1 + at * 0.37,
  has = () => true,
}: Changes = {}): Run {
  const measures = shapes.map((shape) => ({
    name: shape.name,
    title: shape.name,
    findings: findingsOf(shape, shape.sizes ?? sizes, median, has),
  }));
  return {
    format: 'uintr-bench',
    version: 1,
    began: '2026-11-22T09:00:00.000Z',
    arguments: ['--quick', '--json', '/home/somebody/run.json'],
    machine: {
      bench: 'machine',
      cpu: 'A processor',
      cores: 2,
      kernel: '6.1',
      node: 'v20.0.0',
      uintr: '0.1.0',
      driver: 'signal',
      cpus: [0, 1],
    },
    measures,
  };
}

function findingsOf(
  shape: Shape,
  sizes: number[],
  median: (at: number) => number,
  has: (id: string) => boolean,
): Finding[] {
  const { name, unit, contestants, scenarios = [undefined], ranks = [undefined], more, spent } = shape;
  const all = Object.entries(contestants);
  const results = all
    .filter(([id]) => has(id))
    .flatMap(([id, title], who) =>
      scenarios.flatMap((scenario, which) =>
        ranks.flatMap((count) =>
          (scenario?.startsWith('barrier') ? [0] : sizes).map((bytes, size): ResultLine => {
            const value = median(who + 3 * which + 5 * size);
            return {
              bench: 'result',
              measure: name,
              contestant: id,
              title,
              bytes,
              ...(scenario !== undefined && { scenario }),
              ...(count !== undefined && { ranks: count }),
              time: { count: 9, median: value, min: value, p99: value },
              figure: { unit, median: value, best: value, p99: value, ...more },
              ...(spent && { spent }),
              ...(isOurs(id) && { driver: 'signal', copy: 'cma' }),
            };
          }),
        ),
      ),
    );
  const skipped = all
    .filter(([id]) => !has(id))
    .map(([id, title]): Finding => {
      return {
        bench: 'skipped',
        measure: name,
        contestant: id,
        title,
        reason: `${title}: not installed (apt-get install <it>)`,
      };
    });
  return [...results, ...ratios(results, isOurs), ...skipped];
}
