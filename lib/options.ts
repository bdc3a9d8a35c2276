// The options of a world: one table, from which defaults, checks, environment variables and documentation come.
import { invalidArgument } from './errors.js';

/** Options of {@link World.join}. Each is also an environment variable: `UINTR_` and its name in upper snake case. */
export interface WorldOptions {
  /** How ranks interrupt each other; `poll`: not at all, progress comes from calls and the event loop only. Default `auto`. */
  driver?: 'auto' | 'uintr' | 'signal' | 'poll';
  /** The signal of the signal driver. Default `SIGURG`, which is ignored where nobody handles it. */
  signal?: string;
  /**
   * How large messages travel (see {@link CopyKind}). Default `auto`: the best that works between each two ranks. With any
   * other, what cannot travel that way goes by `pipeline`.
   */
  copy?: 'auto' | 'direct' | 'heap' | 'cma' | 'pipeline';
  /** Up to this many bytes a message is sent without waiting for its receiver. Default 16 KiB, at most `ringBytes` / 4. */
  eagerLimit?: number;
  /** Size of the ring between each two ranks that talk, in bytes; a power of two. Default 256 KiB. */
  ringBytes?: number;
  /** How much a handler copies before it returns to the computation, in bytes. Default 0: by the length of the message. */
  sliceBytes?: number;
  /** The most that a rank's part of the shared heap can grow to, in bytes (rounded up to 2 MiB). Default 1 GiB; unused memory costs nothing. */
  heapBytes?: number;
  /** Room for messages from one rank that come before their receive, in bytes. Default 1 MiB; beyond it they stay with their sender. */
  unexpectedBytes?: number;
  /** The most requests that a rank may have outstanding. Default 32768. */
  maxRequests?: number;
  /**
   * How long the event loop polls before it sleeps, in microseconds. It does so while requests are outstanding and
   * messages come that fast, judged by the last one, and where each rank has a processor. Default 50; 0: never.
   */
  spinMicroseconds?: number;
  /**
   * The largest object that is received (`recvObject`, services), in bytes: its clone and the buffers beside it. Default
   * 1 GiB. A larger one is lost, and its receive fails with ERR_UINTR_NO_MEMORY before memory is taken for it.
   */
  maxObjectBytes?: number;
  /** How long to wait for the other ranks when joining, in milliseconds. Default 30000. */
  joinTimeout?: number;
  /** Records a timeline from the join on, and writes it to this file in the end (see {@link World.trace}). Default: none. */
  trace?: string;
  /** How many events of it are kept: a power of two; the oldest are overwritten. Default 65536, of 64 bytes each. */
  traceEvents?: number;
}

export type ResolvedOptions = Required<WorldOptions>;

interface Choice {
  name: keyof WorldOptions;
  type: 'choice';
  values: readonly string[];
  default: string;
  doc: string;
}
interface Text {
  name: keyof WorldOptions;
  type: 'text';
  default: string;
  doc: string;
}
interface Whole {
  name: keyof WorldOptions;
  type: 'number';
  unit: 'bytes' | 'requests' | 'events' | 'microseconds' | 'milliseconds';
  default: number;
  min: number;
  max: number;
  powerOfTwo?: true;
  doc: string;
}
export type OptionEntry = Choice | Text | Whole;

const KiB = 1024;
const MiB = 1024 * KiB;
const GiB = 1024 * MiB;

/** How many events a timeline can keep. */
export const TRACE_EVENTS = 65_536;
export const MIN_TRACE_EVENTS = 1024;
/** What is written at a time becomes one string. */
export const MAX_TRACE_EVENTS = 2 ** 19;

/** What an option is called, means and allows. Also printed by `uintr doctor`. */
export const OPTIONS: readonly OptionEntry[] = [
  {
    name: 'driver',
    type: 'choice',
    values: ['auto', 'uintr', 'signal', 'poll'],
    default: 'auto',
    doc: 'how ranks interrupt each other; poll: not at all',
  },
  { name: 'signal', type: 'text', default: 'SIGURG', doc: 'the signal of the signal driver' },
  {
    name: 'copy',
    type: 'choice',
    values: ['auto', 'direct', 'heap', 'cma', 'pipeline'],
    default: 'auto',
    doc: 'how large messages travel',
  },
  {
    name: 'eagerLimit',
    type: 'number',
    unit: 'bytes',
    default: 16 * KiB,
    min: 0,
    max: 256 * MiB,
    doc: 'up to this length a message does not wait for its receiver',
  },
  {
    name: 'ringBytes',
    type: 'number',
    unit: 'bytes',
    default: 256 * KiB,
    min: 16 * KiB,
    max: GiB,
    powerOfTwo: true,
    doc: 'size of the ring between each two ranks that talk',
  },
  {
    name: 'sliceBytes',
    type: 'number',
    unit: 'bytes',
    default: 0,
    min: 0,
    max: GiB,
    doc: 'how much one run of a handler copies; 0: by the length of the message',
  },
  {
    name: 'heapBytes',
    type: 'number',
    unit: 'bytes',
    default: GiB,
    min: 2 * MiB,
    max: 512 * GiB,
    doc: "the most that a rank's part of the shared heap grows to",
  },
  {
    name: 'unexpectedBytes',
    type: 'number',
    unit: 'bytes',
    default: MiB,
    min: 512,
    max: GiB,
    doc: 'room for messages from one rank that come before their receive',
  },
  {
    name: 'maxRequests',
    type: 'number',
    unit: 'requests',
    default: 32768,
    min: 16,
    max: 2 ** 20,
    doc: 'the most requests that a rank may have outstanding',
  },
  {
    name: 'spinMicroseconds',
    type: 'number',
    unit: 'microseconds',
    default: 50,
    min: 0,
    max: 1_000_000,
    doc: 'how long the event loop polls before it sleeps, where the last message came that fast; 0: never',
  },
  {
    name: 'maxObjectBytes',
    type: 'number',
    unit: 'bytes',
    default: GiB,
    min: 16 * KiB,
    max: Number.MAX_SAFE_INTEGER,
    doc: 'the largest object that is received: its clone and the buffers beside it',
  },
  {
    name: 'joinTimeout',
    type: 'number',
    unit: 'milliseconds',
    default: 30_000,
    min: 1,
    max: 2 ** 31 - 1,
    doc: 'how long to wait for the other ranks when joining',
  },
  {
    name: 'trace',
    type: 'text',
    default: '',
    doc: 'records a timeline and writes it to this file in the end',
  },
  {
    name: 'traceEvents',
    type: 'number',
    unit: 'events',
    default: TRACE_EVENTS,
    min: MIN_TRACE_EVENTS,
    max: MAX_TRACE_EVENTS,
    powerOfTwo: true,
    doc: 'how many events of the timeline are kept; the oldest are overwritten',
  },
];

/** The environment variable of an option. */
export function variableOf(name: string): string {
  return `UINTR_${name.replace(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase()}`;
}

/** Each option as it was given, else as the environment has it, else its default. */
export function resolveOptions(given: WorldOptions, env: NodeJS.ProcessEnv): ResolvedOptions {
  const resolved: Record<string, string | number> = {};
  for (const entry of OPTIONS) {
    const value = given[entry.name];
    const variable = variableOf(entry.name);
    const text = env[variable];
    if (value !== undefined) resolved[entry.name] = check(entry, value, entry.name);
    else if (text !== undefined && text !== '') resolved[entry.name] = check(entry, parse(entry, text), variable);
    else resolved[entry.name] = entry.default;
  }
  const options = resolved as unknown as ResolvedOptions;
  options.heapBytes = Math.ceil(options.heapBytes / (2 * MiB)) * 2 * MiB;
  reconcile(options, given, env);
  return options;
}

/** What depends on another option follows it where it was not set itself, and is refused where it was. */
function reconcile(options: ResolvedOptions, given: WorldOptions, env: NodeJS.ProcessEnv): void {
  const isSet = (name: keyof WorldOptions): boolean => given[name] !== undefined || Boolean(env[variableOf(name)]);
  const most = options.ringBytes / 4;
  if (options.eagerLimit > most) {
    if (isSet('eagerLimit')) {
      throw invalidArgument('eagerLimit', `at most a quarter of ringBytes (${most})`, options.eagerLimit);
    }
    options.eagerLimit = most;
  }
  // An eager message and its header have to fit the room for unexpected ones.
  const least = options.eagerLimit + 2 * 512;
  if (options.unexpectedBytes < least) {
    if (isSet('unexpectedBytes') && isSet('eagerLimit')) {
      throw invalidArgument('unexpectedBytes', `at least eagerLimit + 1024 (${least})`, options.unexpectedBytes);
    }
    if (isSet('unexpectedBytes')) options.eagerLimit = Math.max(0, options.unexpectedBytes - 2 * 512);
    else options.unexpectedBytes = least;
  }
}

function parse(entry: OptionEntry, text: string): string | number {
  return entry.type === 'number' && /^\d+(\.\d+)?$/.test(text) ? Number(text) : text;
}

function check(entry: OptionEntry, value: unknown, shownAs: string): string | number {
  switch (entry.type) {
    case 'choice':
      if (typeof value === 'string' && entry.values.includes(value)) return value;
      throw invalidArgument(shownAs, `one of ${entry.values.map((one) => `'${one}'`).join(', ')}`, value);
    case 'text':
      if (typeof value === 'string' && value !== '') return value;
      throw invalidArgument(shownAs, 'a string that is not empty', value);
    case 'number': {
      const isWhole = typeof value === 'number' && Number.isInteger(value) && value >= entry.min && value <= entry.max;
      if (isWhole && !(entry.powerOfTwo && !Number.isInteger(Math.log2(value)))) return value;
      const kind = entry.powerOfTwo ? 'a power of two' : 'an integer';
      throw invalidArgument(shownAs, `${kind} from ${entry.min} to ${entry.max} (${entry.unit})`, value);
    }
  }
}
