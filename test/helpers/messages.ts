// What a rank under test says to the test: JSON lines on stdout, found by their mark, so that a launcher may prefix
// them and a program may print what it likes in between.
import { writeSync } from 'node:fs';
import { isMainThread } from 'node:worker_threads';

const MARK = '@rank:';

export interface Said {
  rank: number;
  /** First thing a rank says. */
  pid?: number;
  /** What the rank is about to do; the last one shows in the report of a hang. */
  note?: string;
  /** Something the test may wait for. */
  event?: string;
  data?: unknown;
  /** The body has ended. */
  result?: unknown;
  error?: { message: string; code?: string; stack?: string };
}

/** Says it; on a pipe this is synchronous, so it is out even if the process dies at the next instruction. */
export function say(what: Said): void {
  const line = `${MARK}${JSON.stringify(what)}\n`;
  if (isMainThread) process.stdout.write(line);
  else writeAll(line);
}

/** A worker's stdout is what its main thread makes of it, which may be computing; so not by that. */
function writeAll(line: string): void {
  for (;;) {
    try {
      writeSync(1, line);
      return;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') throw error;
    }
  }
}

/** What a line of output says, or undefined if it is only text. */
export function heard(line: string): Said | undefined {
  const at = line.indexOf(MARK);
  if (at < 0) return undefined;
  return JSON.parse(line.slice(at + MARK.length)) as Said;
}
