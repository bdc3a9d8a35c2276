// What Linux tells of a process.
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { constants } from 'node:os';

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

/** How many mappings of worlds' memory this process has. */
export function heldMemory(): number {
  return mappedFiles().filter((name) => name.startsWith('/memfd:uintr-')).length;
}

/** Whether all threads of a process stand still after SIGSTOP. */
export function isStopped(pid: number): boolean {
  const threads = readdirSync(`/proc/${pid}/task`);
  return threads.every((tid) => /\) T /.test(read(`/proc/${pid}/task/${tid}/stat`)));
}

// linux/sched.h
const PF_EXITING = 0x4;

/** The threads of this process. One that was joined has run its last instruction, but may be listed for a while yet. */
export function threadCount(): number {
  return readdirSync('/proc/self/task').filter((tid) => {
    const stat = read(`/proc/self/task/${tid}/stat`);
    const flags = Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[6]);
    return stat !== '' && (flags & PF_EXITING) === 0;
  }).length;
}

/** Whether this process handles or ignores the signal, so that it does not have its default action. */
export function handles(signal: NodeJS.Signals): boolean {
  const bit = 1n << BigInt(constants.signals[signal] - 1);
  const masks = read('/proc/self/status').matchAll(/^Sig(?:Cgt|Ign):\s*([0-9a-f]+)$/gm);
  return [...masks].some(([, mask]) => (BigInt(`0x${mask}`) & bit) !== 0n);
}
