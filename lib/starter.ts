// MPICH's process manager tells a rank nothing by which one job differs from another. But on each host one process of
// it, the proxy, starts all ranks of a job.
import { readFileSync } from 'node:fs';

/**
 * Pid and start time of the process that started this rank, and the others of its job; undefined if it cannot be told.
 * `variable`: what it has set for each rank.
 */
export function starter(variable: string): string | undefined {
  try {
    for (let pid = process.ppid; pid > 1; ) {
      const { name, parent, startTime } = statOf(pid);
      // Between it and a rank stand wrappers, which have the rank's environment. The name first: a job that was started
      // by a rank of another has a proxy with that rank's environment.
      const environment = `\0${readFileSync(`/proc/${pid}/environ`, 'latin1')}`;
      if (name.startsWith('hydra') || !environment.includes(`\0${variable}=`)) return `${pid}.${startTime}`;
      pid = parent;
    }
  } catch {
    // It has ended, or belongs to somebody else.
  }
  return undefined;
}

// proc(5): the name, in parentheses, may contain both spaces and parentheses.
function statOf(pid: number): { name: string; parent: number; startTime: string } {
  const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
  const end = stat.lastIndexOf(')');
  const fields = stat.slice(end + 2).split(' ');
  return { name: stat.slice(stat.indexOf('(') + 1, end), parent: Number(fields[1]), startTime: fields[19]! };
}
