// Turns what the engine has recorded of one rank (src-native/engine/trace.h) into lines of Chrome's trace-event format:
// one event each, of those that Perfetto reads.
import { purposeOf } from './inspection.js';
import { COPY_KINDS } from './reports.js';

/** Where the events come from, in a file that holds several ranks. */
export interface TraceOrigin {
  rank: number;
  pid: number;
  /** The kernel's number of the rank's thread. */
  tid: number;
  /** Which of the worlds of that thread, from 0 on: each is a track. */
  world: number;
}

/** How a file counts time: in nanoseconds of CLOCK_MONOTONIC, as `process.hrtime` does. */
export interface TraceScale {
  /** What the events' clock showed at its 0. */
  zero: bigint;
  /** Nanoseconds per unit of the events' clock. */
  unit: number;
}

/** More than a thread's number can be (PID_MAX_LIMIT). */
const TIDS = 2 ** 22;

/** Bytes of one TraceEvent. */
export const EVENT_BYTES = 64;
// Its fields, by their offsets in bytes.
const AT = 8;
const WHAT = 16;
const PEER = 20;
const HANDLE = 24;
const BYTES = 32;
const TAG = 40;
const DETAIL = 44;
const TOOK = 48;

// enum TraceWhat
enum What {
  Attention = 1,
  Send,
  Receive,
  Collective,
  Match,
  Completion,
  Interrupt,
  Wake,
  Notice,
  Handler,
  Deferred,
  Copy,
}
const AS_SENDER = 16;
const NO_HANDLE = 2 ** 64;
const ANY = 2 ** 31;

// src-native/engine/types.h, enum Attention
const ATTENTION = ['computation', 'polling', 'event loop (asleep or in an I/O callback)', 'asleep in wait()'];
// The same, enum Error
const ERRORS = [
  '',
  'truncated',
  'peer exited',
  'closed',
  'cancelled',
  'no memory',
  'protocol',
  'copy failed',
  'timeout',
  'mismatch',
];

/** A request's handle has 52 bits; a rank before it leaves it below 2^64. */
const HANDLE_DIGITS = 13;

interface Slice {
  begin: number;
  end: number;
  name: string;
  category: string;
  args: object;
}

interface Post {
  name: string;
  at: number;
}

/** One rank's part of one file. Times inside are whole nanoseconds. */
export class TraceLines {
  readonly #origin: TraceOrigin;
  readonly #scale: TraceScale;
  // What goes on over the end of what was read.
  #state: { attention: number; since: number } | undefined;
  readonly #posts = new Map<number, Post>();

  #slices: Slice[] = [];
  // What has no length.
  #lines: { at: number; text: string }[] = [];
  // Names are known ones, and need no escapes.
  readonly #where: string;
  readonly #tid: number;

  constructor(origin: TraceOrigin, scale: TraceScale) {
    this.#origin = origin;
    this.#scale = scale;
    this.#tid = origin.tid + origin.world * TIDS;
    this.#where = `"pid":${origin.pid},"tid":${this.#tid}`;
  }

  /** Names of the tracks. */
  header(): string[] {
    const { rank, pid, world } = this.#origin;
    const tid = this.#tid;
    const meta = (name: string, args: object): string => JSON.stringify({ ph: 'M', name, pid, tid, args });
    return [
      meta('process_name', { name: 'node' }),
      meta('process_sort_index', { sort_index: rank }),
      meta('thread_name', { name: `rank ${rank}${world === 0 ? '' : ` (world ${world + 1} of this thread)`}` }),
      meta('thread_sort_index', { sort_index: rank }),
    ];
  }

  /** `lost` events were overwritten before these, which reach up to `now`, a reading of their clock. */
  read(events: ArrayBuffer, lost: number, now: bigint): string[] {
    this.#slices = [];
    this.#lines = [];
    const view = new DataView(events);
    const until = this.#nanoseconds(now);
    if (lost > 0) {
      const first = events.byteLength > 0 ? this.#nanoseconds(view.getBigUint64(AT, true)) : until;
      this.#point(first, `${lost} events before this were overwritten`, 'loss', { lost });
      this.#state = undefined;
      this.#posts.clear(); // their ends may be among those
    }
    for (let at = 0; at < events.byteLength; at += EVENT_BYTES) this.#event(view, at);
    if (this.#state !== undefined && until > this.#state.since) {
      this.#endState(until);
      this.#state.since = until;
    }
    return this.#sorted();
  }

  #event(view: DataView, offset: number): void {
    const clock = view.getBigUint64(offset + AT, true);
    const at = this.#nanoseconds(clock);
    const peer = view.getUint32(offset + PEER, true);
    const handle = number(view, offset + HANDLE);
    const bytes = number(view, offset + BYTES);
    const tag = view.getUint32(offset + TAG, true);
    const detail = view.getUint32(offset + DETAIL, true);
    const alike = (): number => number(view, offset + TOOK);
    const end = (): number => this.#nanoseconds(clock + view.getBigUint64(offset + TOOK, true));
    switch (view.getUint32(offset + WHAT, true) as What) {
      case What.Attention:
        this.#endState(at);
        this.#state = { attention: detail, since: at };
        break;
      case What.Send:
        this.#post(at, `send → ${peer}${purpose(detail)}`, handle, { tag, bytes }, alike());
        break;
      case What.Receive:
        this.#post(at, `receive ← ${orAny(peer)}${purpose(detail)}`, handle, { tag: orAny(tag), bytes }, alike());
        break;
      case What.Collective:
        this.#post(at, 'collective', handle, { bytes }, 1);
        break;
      case What.Match:
        this.#point(at, `matched: ${this.#posts.get(handle)?.name ?? 'request'}`, 'match', { peer, tag, bytes });
        break;
      case What.Completion:
        this.#completion(at, handle, { peer: orAny(peer), tag: orAny(tag), bytes }, ERRORS[detail]!);
        break;
      case What.Interrupt:
        this.#point(at, `interrupt → ${peer}`, 'interrupt', { peer }, this.#interruptFlow('s', at, clock, peer));
        break;
      case What.Wake:
        this.#point(at, `wake → ${peer}`, 'interrupt', { peer });
        break;
      case What.Notice: {
        const flow = this.#interruptFlow('f', at, view.getBigUint64(offset + BYTES, true), peer);
        this.#point(at, `interrupted by ${peer}`, 'interrupt', { peer }, flow);
        break;
      }
      case What.Handler: {
        const name = detail === 0 ? 'handler' : 'handler (deferred)';
        this.#slices.push({ begin: at, end: end(), name, category: 'handler', args: {} });
        break;
      }
      case What.Deferred:
        this.#slices.push({ begin: at, end: end(), name: "handler's work", category: 'handler', args: {} });
        break;
      case What.Copy: {
        const asSender = (detail & AS_SENDER) !== 0;
        const kind = COPY_KINDS[Math.log2(detail & ~AS_SENDER)];
        const name = asSender ? `copy as sender → ${peer}` : `copy as receiver ← ${peer}`;
        this.#slices.push({ begin: at, end: end(), name, category: 'copy', args: { kind, bytes, tag } });
        break;
      }
    }
  }

  #nanoseconds(clock: bigint): number {
    return Math.round(Number(clock - this.#scale.zero) * this.#scale.unit);
  }

  #endState(at: number): void {
    if (this.#state === undefined || at <= this.#state.since) return;
    const name = ATTENTION[this.#state.attention]!;
    this.#slices.push({ begin: this.#state.since, end: at, name, category: 'computation', args: {} });
  }

  /** `alike`: of what was over at once, how many were posted in quick succession from then on. */
  #post(at: number, name: string, handle: number, args: object, alike: number): void {
    if (handle === NO_HANDLE) {
      const many = alike > 1 ? { count: alike } : {};
      this.#point(at, `${name}${alike > 1 ? ` × ${alike}` : ''}`, 'post', { ...args, done: 'at once', ...many });
      return;
    }
    this.#posts.set(handle, { name, at });
    this.#point(at, name, 'post', args);
  }

  /** The arrow begins at its post, which may stand in the file already; order does not matter there. */
  #completion(at: number, handle: number, args: object, error: string): void {
    const post = this.#posts.get(handle);
    this.#posts.delete(handle);
    const name = `${error === '' ? 'done' : error}: ${post?.name ?? 'request'}`;
    if (post === undefined) {
      this.#point(at, name, 'completion', args);
      return;
    }
    const id = `0x${this.#origin.rank.toString(16)}${handle.toString(16).padStart(HANDLE_DIGITS, '0')}`;
    this.#lines.push({ at: post.at, text: this.#flow('s', post.at, 'request', 'request', id) });
    this.#point(at, name, 'completion', args, this.#flow('f', at, 'request', 'request', id));
  }

  /** Both ends know when the interrupt was sent; with who sent it to whom that is its name. */
  #interruptFlow(phase: 's' | 'f', at: number, sent: bigint, peer: number): string {
    const { rank } = this.#origin;
    const name = phase === 's' ? `${rank} → ${peer}` : `${peer} → ${rank}`;
    return this.#flow(phase, at, 'interrupt', name, `0x${sent.toString(16)}`);
  }

  #flow(phase: 's' | 'f', at: number, category: string, name: string, id: string): string {
    const end = phase === 'f' ? ',"bp":"e"' : '';
    return `{"ph":"${phase}","cat":"${category}","name":"${name}","id":"${id}","ts":${micros(at)},${this.#where}${end}}`;
  }

  /** With a flow behind it, which binds to it: to an instant, not to the slice around it. */
  #point(at: number, name: string, category: string, args: object, flow = ''): void {
    const event = `{"ph":"i","s":"t","cat":"${category}","name":"${name}","ts":${micros(at)},${this.#where},"args":${JSON.stringify(args)}}`;
    this.#lines.push({ at, text: flow === '' ? event : `${event},\n${flow}` });
  }

  /** In the order of time, which a reader does not need, but a person does; slices before the points in them. */
  #sorted(): string[] {
    nest(this.#slices);
    const slices = this.#slices.map(({ begin, end, name, category, args }) => ({
      at: begin,
      text: `{"ph":"X","cat":"${category}","name":"${name}","ts":${micros(begin)},"dur":${micros(end - begin)},${this.#where},"args":${JSON.stringify(args)}}`,
    }));
    return [...slices, ...this.#lines].sort((a, b) => a.at - b.at).map(({ text }) => text);
  }
}

/**
 * In the order of their beginnings, each within the one around it. It is so when they are recorded, but the time-stamp
 * counter may be read a few instructions early.
 */
function nest(slices: Slice[]): void {
  slices.sort((a, b) => a.begin - b.begin || b.end - a.end);
  const open: Slice[] = [];
  for (const slice of slices) {
    while (open.length > 0 && open.at(-1)!.end <= slice.begin) open.pop();
    const around = open.at(-1);
    if (around !== undefined && slice.end > around.end) slice.end = around.end;
    open.push(slice);
  }
}

/** The format's unit. A quarter of a nanosecond more, because Perfetto multiplies by 1000 and cuts off what follows the point. */
function micros(nanoseconds: number): number {
  return (nanoseconds + 0.25) / 1000;
}

/** Exact up to 2^53; 2^64 - 1 becomes 2^64. */
function number(view: DataView, offset: number): number {
  return view.getUint32(offset + 4, true) * 2 ** 32 + view.getUint32(offset, true);
}

/** Of what is not the program's own message. */
function purpose(context: number): string {
  const of = purposeOf(context);
  return of === 'messages' ? '' : ` (${of})`;
}

function orAny(value: number): number | 'any' {
  return value >= ANY ? 'any' : value;
}
