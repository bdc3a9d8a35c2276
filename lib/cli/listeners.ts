// Who among the processes of the ranks has a handler for a signal.
import { readdirSync, readFileSync } from 'node:fs';
import { constants } from 'node:os';

/** Pids of the processes in these process groups that handle the signal. */
export function listenersIn(groups: readonly number[], signal: NodeJS.Signals): number[] {
  const pids = readdirSync('/proc').filter((entry) => /^\d+$/.test(entry));
  return pids.map(Number).filter((pid) => groups.includes(groupOf(pid)) && handles(pid, signal));
}

// proc(5): the third field behind the name, which is in parentheses and may contain some.
function groupOf(pid: number): number {
  const stat = read(pid, 'stat');
  return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[2]);
}

function handles(pid: number, signal: NodeJS.Signals): boolean {
  const caught = /^SigCgt:\s*([0-9a-f]+)$/m.exec(read(pid, 'status'))?.[1] ?? '0';
  return (BigInt(`0x${caught}`) & (1n << BigInt(constants.signals[signal] - 1))) !== 0n;
}

/** Nothing if the process has ended. */
function read(pid: number, file: string): string {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'latin1');
  } catch {
    return '';
  }
}
