// Every peer's two ends run on the same two processors, or the comparison would be one of placements. All are pinned by
// taskset: C programs are started through it, what runs JavaScript pins itself. (A C program that forks its other end
// pins both by the system call that taskset makes.)
import { execFileSync, spawnSync } from 'node:child_process';
import { readFileSync, readlinkSync } from 'node:fs';

/** "0-2,5" → [0, 1, 2, 5], the kernel's notation for sets of processors. */
export function parseCpuList(text: string): number[] {
  return text
    .trim()
    .split(',')
    .filter((part) => part !== '')
    .flatMap((part) => {
      const [first, last = first] = part.split('-').map(Number);
      return Array.from({ length: last - first + 1 }, (_, i) => first + i);
    });
}

function allowed(): number[] {
  const list = /^Cpus_allowed_list:\s*(\S+)/m.exec(readFileSync('/proc/self/status', 'utf8'));
  return list ? parseCpuList(list[1]) : [];
}

/** The processors that are the same core as `cpu`: two ends on one would share its arithmetic and its caches. */
function siblings(cpu: number): number[] {
  try {
    return parseCpuList(readFileSync(`/sys/devices/system/cpu/cpu${cpu}/topology/thread_siblings_list`, 'utf8'));
  } catch {
    return [cpu];
  }
}

/** The two processors to use, of different cores where there are two; undefined where ranks have to share one. */
export function chooseCpus(cpus: number[] = allowed(), shares = siblings): [number, number] | undefined {
  if (cpus.length < 2) return undefined;
  const [first, ...rest] = cpus;
  const apart = rest.find((cpu) => !shares(first).includes(cpu));
  return [first, apart ?? rest[0]];
}

/** For any number of ranks that take them in turn: one of each core first. Undefined where there is only one. */
export function orderedCpus(cpus: number[] = allowed(), shares = siblings): number[] | undefined {
  if (cpus.length < 2) return undefined;
  const first = cpus.filter((cpu, i) => !cpus.slice(0, i).some((other) => shares(other).includes(cpu)));
  return [...first, ...cpus.filter((cpu) => !first.includes(cpu))];
}

/** Why nothing is pinned here, or undefined. */
export function whyNotPinned(): string | undefined {
  if (chooseCpus() === undefined) return 'only one processor may be used, so the ranks share it';
  if (spawnSync('taskset', ['--version']).error) return 'taskset: not installed (apt-get install util-linux)';
  return undefined;
}

/** A command line's beginning that pins what follows it. */
export function pinned(cpu: number | undefined): string[] {
  return cpu === undefined ? [] : ['taskset', '-c', String(cpu)];
}

/** Pins the whole calling process, or, in a worker, only its thread. */
export function pinSelf(cpu: number | undefined, what: 'process' | 'thread' = 'process'): void {
  if (cpu === undefined) return;
  // <pid>/task/<tid>; synchronous calls run on the thread that makes them.
  const thread = readlinkSync('/proc/thread-self').split('/')[2];
  const target = what === 'thread' ? ['-cp', String(cpu), thread] : ['-acp', String(cpu), String(process.pid)];
  execFileSync('taskset', target, { stdio: 'ignore' });
}
