// What Linux tells of a process.
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}

/** State and CPU time of a process, for a person who wants to know whether it sleeps or spins. */
export function describeProcess(pid: number): string {
  const stat = read(`/proc/${pid}/stat`);
  if (stat === '') return 'gone';
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const wchan = read(`/proc/${pid}/wchan`).trim();
  return `state ${fields[0]}, user ${fields[11]} and system ${fields[12]} ticks, waits in ${wchan || '?'}`;
}

/** The processes whose environment has `text`. */
export function processesWith(text: string): number[] {
  return readdirSync('/proc')
    .filter((entry) => /^\d+$/.test(entry))
    .filter((pid) => read(`/proc/${pid}/environ`).includes(text))
    .map(Number)
    .filter((pid) => !read(`/proc/${pid}/stat`).includes(') Z '));
}

/** What the descriptors of this process are, by number. */
export function openDescriptors(): Map<number, string> {
  const found = new Map<number, string>();
  for (const fd of readdirSync('/proc/self/fd')) {
    try {
      found.set(Number(fd), readlinkSync(`/proc/self/fd/${fd}`));
    } catch {
      // The one that listed the directory.
    }
  }
  return found;
}

/** The memory mappings of this process that have a file behind them, by name. */
export function mappedFiles(): string[] {
  return read('/proc/self/maps')
    .split('\n')
    .map((line) => line.split(/\s+/).slice(5).join(' '))
    .filter((name) => name.startsWith('/'));
}

/** The threads of this process. */
export function threadCount(): number {
  return readdirSync('/proc/self/task').length;
}
