// A file that holds the timelines of all ranks. Each adds its own, in whatever order they come, under a lock; after each
// the file is whole. Its first line says which run it is of and how it counts time.
import { closeSync, fstatSync, ftruncateSync, openSync, readFileSync, readSync, writeSync } from 'node:fs';
import { invalidArgument, timeoutError } from './errors.js';
import type { TraceScale } from './trace-events.js';

/** All files begin so, which tells them from what is not to be overwritten. */
const BEGIN = '{"displayTimeUnit":"ns","otherData":{"recorder":"uintr",';
const END = '\n]}\n';
/** More than the first line can have. */
const HEAD_BYTES = 512;
/** How long others may have the file, in milliseconds, and how long between two looks. */
const LOCK_MS = 30_000;
const LOOK_MS = 5;

interface Head extends Record<string, unknown> {
  /** Of the system's start, the first world in the file, and when that was (CLOCK_MONOTONIC, ns). */
  boot: string;
  world: number;
  written: number;
  clock: string;
  zero: string;
  unit: number;
}

export interface TracePart {
  boot: string;
  /** Unlike any other of this boot. */
  world: number;
  /** When this process was started (CLOCK_MONOTONIC, ns): what is older is not of this run. */
  started: number;
  /** Which clock the events are counted by. */
  clock: string;
  /** Takes the lock without waiting: whether it was free. */
  lock(fd: number): boolean;
  /** For the first rank to write; all others use the same, so that their times compare exactly. */
  scale(): TraceScale;
  /** What to add. `begun`: the file is of this run, and may have earlier parts of this rank. */
  lines(scale: TraceScale, begun: boolean): string[];
}

/** Throws what the file system says, ERR_UINTR_INVALID_ARGUMENT for a file that is something else, ERR_UINTR_TIMEOUT. */
export function addToTrace(file: string, part: TracePart): void {
  closeSync(openSync(file, 'a+')); // makes it, and leaves it as it is
  const { scale, begun } = withLocked(file, part, (fd, found) => {
    if (found !== undefined && isOf(part, found)) {
      return { scale: { zero: BigInt(found.zero), unit: found.unit }, begun: true };
    }
    const own = part.scale();
    replace(fd, part, own, '');
    return { scale: own, begun: false };
  });
  // What takes long, while others may write.
  const lines = part.lines(scale, begun).join(',\n');
  if (lines === '') return;
  withLocked(file, part, (fd, found) => {
    if (found?.zero !== `${scale.zero}` || found.unit !== scale.unit) {
      replace(fd, part, scale, `\n${lines}`);
      return;
    }
    const { at, joint } = endOf(fd);
    append(fd, at, `${joint}\n${lines}${END}`);
  });
}

function replace(fd: number, part: TracePart, scale: TraceScale, lines: string): void {
  ftruncateSync(fd, 0);
  append(fd, 0, `${headOf(part, scale)}${lines}${END}`);
}

function withLocked<T>(file: string, part: TracePart, use: (fd: number, found: Head | undefined) => T): T {
  return withFile(file, 'r+', (fd) => {
    waitForLock(fd, file, part);
    return use(fd, readHead(fd, file));
  });
}

/** Throws ERR_UINTR_INVALID_ARGUMENT where `file` is something else than a timeline, or cannot be written. */
export function checkTraceFile(file: string, name: string): void {
  try {
    withFile(file, 'a+', (fd) => readHead(fd, file, name));
  } catch (error) {
    const { code, syscall } = error as NodeJS.ErrnoException;
    if (syscall === undefined) throw error;
    throw invalidArgument(name, `a file that can be written (${code})`, file);
  }
}

function withFile<T>(file: string, flags: string, use: (fd: number) => T): T {
  const fd = openSync(file, flags);
  try {
    return use(fd);
  } finally {
    closeSync(fd);
  }
}

function isOf({ boot, clock, world, started }: TracePart, head: Head): boolean {
  return head.boot === boot && head.clock === clock && (head.world === world || head.written >= started);
}

function waitForLock(fd: number, file: string, part: TracePart): void {
  const clock = new Int32Array(new SharedArrayBuffer(4));
  for (let waited = 0; !part.lock(fd); waited += LOOK_MS) {
    if (waited >= LOCK_MS) throw timeoutError(LOCK_MS, `waiting for the lock on '${file}'`);
    Atomics.wait(clock, 0, 0, LOOK_MS);
  }
}

/** Undefined: the file is empty. */
function readHead(fd: number, file: string, name = 'file'): Head | undefined {
  const bytes = Buffer.alloc(HEAD_BYTES);
  const text = bytes.toString('utf8', 0, readSync(fd, bytes, 0, HEAD_BYTES, 0));
  if (text === '') return undefined;
  if (!text.startsWith(BEGIN)) throw invalidArgument(name, 'a new file, or one with a timeline in it', file);
  const [head] = text.split('\n');
  try {
    return (JSON.parse(`${head}]}`) as { otherData: Head }).otherData;
  } catch {
    // Whoever wrote it has not come to the end of the line.
    return { boot: '', world: 0, written: 0, clock: '', zero: '0', unit: 1 };
  }
}

function headOf({ boot, world, clock }: TracePart, { zero, unit }: TraceScale): string {
  const written = Number(process.hrtime.bigint());
  const head: Head = { recorder: 'uintr', boot, world, written, clock, zero: `${zero}`, unit };
  return `{"displayTimeUnit":"ns","otherData":${JSON.stringify(head)},"traceEvents":[`;
}

/** Behind the last event that is whole, for somebody may have ended in the middle of writing; and what belongs there. */
function endOf(fd: number): { at: number; joint: string } {
  const { size } = fstatSync(fd);
  const tail = Buffer.alloc(END.length + 1);
  readSync(fd, tail, 0, tail.length, size - tail.length);
  const [before, end] = [tail.toString('utf8', 0, 1), tail.toString('utf8', 1)];
  if (end === END) return { at: size - END.length, joint: before === '[' ? '' : ',' };
  const all = readFileSync(fd);
  const last = all.lastIndexOf('},\n');
  return last < 0 ? { at: all.indexOf('\n'), joint: '' } : { at: last + 1, joint: ',' };
}

function append(fd: number, at: number, text: string): void {
  ftruncateSync(fd, at);
  const bytes = Buffer.from(text);
  try {
    for (let done = 0; done < bytes.length; ) done += writeSync(fd, bytes, done, bytes.length - done, at + done);
  } catch (error) {
    // No space left: what others have written is to stay whole.
    ftruncateSync(fd, at);
    if (at > 0) writeSync(fd, END, at);
    throw error;
  }
}
