// Timelines as files: where tests put them, and what is in them.
import { strict as assert } from 'node:assert';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Of Chrome's trace-event format, what timelines use. */
export interface TraceEvent {
  ph: 'M' | 'X' | 'i' | 's' | 'f';
  name: string;
  cat: string;
  pid: number;
  tid: number;
  /** Microseconds. */
  ts: number;
  dur: number;
  id: string;
  args: Record<string, unknown>;
}

const made: string[] = [];

/** A path that no other test has, nor another run. */
export function timelineFile(): string {
  const file = join(tmpdir(), `uintr-timeline-${process.pid}-${Date.now().toString(36)}-${made.length}.json`);
  made.push(file);
  return file;
}

export function removeTimelines(): void {
  for (const file of made) rmSync(file, { force: true });
}

/** A folder that goes when this process does: for a body, which runs in a rank. */
export function timelineFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'uintr-timeline-'));
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** What one rank's track has. */
export class Track {
  readonly events: TraceEvent[];

  constructor(events: TraceEvent[]) {
    this.events = events;
  }

  /** What has a length, and belongs to that category. */
  slices(category: string): TraceEvent[] {
    return this.events.filter(({ ph, cat }) => ph === 'X' && cat === category);
  }

  points(category: string): TraceEvent[] {
    return this.events.filter(({ ph, cat }) => ph === 'i' && cat === category);
  }
}

/**
 * Of each rank in the file its track, by rank; of the `wanted`th world of its thread. Also checks what holds for every
 * timeline.
 */
export function readTimeline(file: string, wanted = 1): Map<number, Track> {
  const { traceEvents } = JSON.parse(readFileSync(file, 'utf8')) as { traceEvents: TraceEvent[] };
  const tracks = new Map<number, Track>();
  for (const { ph, name, pid, tid, args } of traceEvents) {
    if (ph !== 'M' || name !== 'thread_name') continue;
    const [, number, world] = /^rank (\d+)(?: \(world (\d+) of this thread\))?$/.exec(args.name as string)!;
    if (Number(world ?? 1) !== wanted) continue;
    const rank = Number(number);
    const own = traceEvents.filter((event) => event.pid === pid && event.tid === tid && event.ph !== 'M');
    // Named again where a rank has recorded, stopped and recorded again.
    assert.deepEqual(tracks.get(rank)?.events ?? own, own, `rank ${rank} has two tracks`);
    tracks.set(rank, new Track(own));
    assertNested(own);
  }
  assertFlows(traceEvents);
  return tracks;
}

/** Of what rank 0 has posted; `wanted` as for readTimeline. */
export function postedTags(file: string, wanted = 1): unknown[] {
  const posts = readTimeline(file, wanted).get(0)!.points('post');
  return posts.map(({ args }) => args.tag);
}

/** Whether `inner` is within `outer`, up to what is lost by decimals. */
export function isInside(inner: TraceEvent, outer: TraceEvent): boolean {
  return outer.ts <= inner.ts && endOf(inner) <= endOf(outer) + 0.001;
}

function endOf({ ph, ts, dur }: TraceEvent): number {
  return ph === 'X' ? ts + dur : ts;
}

/** Every slice has ended, and within the one around it. */
function assertNested(events: TraceEvent[]): void {
  const open: TraceEvent[] = [];
  for (const slice of events.filter(({ ph }) => ph === 'X')) {
    assert.ok(slice.dur >= 0, `${slice.name} has no length`);
    while (open.length > 0 && endOf(open.at(-1)!) <= slice.ts + 0.001) open.pop();
    const around = open.at(-1);
    assert.ok(!around || isInside(slice, around), `${slice.name} at ${slice.ts} ends outside ${around?.name}`);
    open.push(slice);
  }
}

/** Whatever arrow arrives has left before. */
function assertFlows(events: TraceEvent[]): void {
  const left = new Map<string, number>();
  const key = ({ cat, name, id }: TraceEvent): string => `${cat} ${name} ${id}`;
  for (const event of events) if (event.ph === 's') left.set(key(event), event.ts);
  for (const event of events.filter(({ ph }) => ph === 'f')) {
    const at = left.get(key(event));
    assert.ok(at !== undefined, `${key(event)} arrives and has not left`);
    assert.ok(at <= event.ts, `${key(event)} arrives at ${event.ts}, before it has left at ${at}`);
  }
}
