// How an object travels: one message that matches, and the rest in a context of its own.
//
// The header is an ordinary message, so order and wildcards are those of messages; it carries the clone too, unless that
// is long. What does not fit, a long clone and then each large buffer, follows in order under a tag that only this object
// of this sender has: no other receive can come between. Those messages are synchronous, so they wait in their sender's
// memory, unmatched, until the header was received, and can be taken back with it.
import { Buffer } from 'node:buffer';
import { clone, revive } from './clone.js';
import { Composite } from './composite.js';
import { MAX_TAG } from './constants.js';
import { type Core, readStatus } from './core.js';
import { returnedError, UintrError } from './errors.js';
import { FLAG_SYNCHRONOUS } from './exchange.js';
import type { Status } from './message.js';
import { type Request, rejected, takeBack } from './request.js';
import type { Scope } from './scope.js';

/** The contexts that objects of one kind travel in. */
export interface Channel {
  header: number;
  parts: number;
  /** Of the communicator whose ranks are meant; undefined: the world's. */
  scope?: Scope | undefined;
}

export interface SendTo {
  dest: number;
  tag: number;
  signal?: AbortSignal | undefined;
  /** What the receiver has as `note`: a number below 2^31. */
  note?: number;
  /** Done only when it is matched, even if it is small. */
  synchronous?: boolean;
}

export interface ReceiveFrom {
  source: number;
  tag: number;
  signal?: AbortSignal | undefined;
}

/** What the first message says, known even if the rest fails. */
export interface Envelope {
  source: number;
  tag: number;
  note: number;
}

export interface ReceivedObject extends Envelope {
  value: unknown;
  /** Of the clone and the buffers that came beside it. */
  byteLength: number;
}

// The header, little endian: magic, note, tag of the parts, number of large buffers (32 bits each), and the length of
// what follows it (a double): V8's bytes, then the lengths of the buffers (doubles). `MAGIC` changes with any of that.
const MAGIC = 0x314f5455;
const HEADER_BYTES = 24;
/** A receive cannot know what will come; a message of this length is still eager by default. */
const FIRST_BYTES = 16 * 1024;
/** At most so many receives of one object at a time, so that one does not take all of `maxRequests`. */
const WINDOW = 16;

// Not the one of a life before, of which something may still be under way (rejoin).
let lastPartTag = Math.floor(Math.random() * MAX_TAG);

/** Starts to send; the value must not change before the request is done. Throws what clone() and posting throw. */
export function sendObject(core: Core, channel: Channel, value: unknown, to: SendTo, rank: number): Request<Status> {
  return core.steps.whole(() => sendAll(core, channel, value, to, rank));
}

function sendAll(core: Core, channel: Channel, value: unknown, to: SendTo, rank: number): Request<Status> {
  const { dest, tag, signal } = to;
  if (signal?.aborted) return rejected(core, signal.reason);
  const { message, parts, partTag, byteLength } = encode(value, to.note ?? 0);
  const flags = parts.length > 0 || to.synchronous ? FLAG_SYNCHRONOUS : 0;
  const sent: Request<Status>[] = [];
  const post = (data: ArrayBuffer | Uint8Array, tagged: number, context: number, how: number, abort?: AbortSignal) =>
    core.postSend(data, dest, tagged, context, how, abort, channel.scope);
  const takeBackParts = (): void => sent.forEach(takeBack);
  let header: Request<Status>;
  try {
    for (const part of parts) sent.push(post(part, partTag, channel.parts, FLAG_SYNCHRONOUS));
    header = post(message, tag, channel.header, flags, signal);
  } catch (error) {
    takeBackParts();
    throw error;
  }
  const whole = new Composite<Status>(core, header, true, () => ({ source: rank, tag, byteLength }));
  whole.add(header, (outcome) => {
    if (outcome.status === 'fulfilled') return;
    whole.fail(outcome.reason);
    takeBackParts();
  });
  for (const part of sent) whole.add(part);
  whole.release();
  return whole.request;
}

function encode(
  value: unknown,
  note: number,
): { message: Uint8Array; parts: (ArrayBuffer | Uint8Array)[]; partTag: number; byteLength: number } {
  const { bytes, outside } = clone(value, HEADER_BYTES);
  let byteLength = bytes.length - HEADER_BYTES - outside.length * 8;
  for (const buffer of outside) byteLength += buffer.byteLength;
  lastPartTag = (lastPartTag + 1) & MAX_TAG;
  bytes.writeUInt32LE(MAGIC, 0);
  bytes.writeUInt32LE(note, 4);
  bytes.writeUInt32LE(lastPartTag, 8);
  bytes.writeUInt32LE(outside.length, 12);
  bytes.writeDoubleLE(bytes.length - HEADER_BYTES, 16);
  const fits = bytes.length <= FIRST_BYTES;
  return {
    message: fits ? bytes : bytes.subarray(0, HEADER_BYTES),
    parts: fits ? outside : [bytes.subarray(HEADER_BYTES), ...outside],
    partTag: lastPartTag,
    byteLength,
  };
}

// Receives come and go faster than garbage is collected.
const spare: Buffer<ArrayBuffer>[] = [];
const MOST_SPARE = 64;

/** One object that is received. Made by posting, which may throw. */
export class ObjectReceive<T> {
  readonly request: Request<T>;
  /** Once the first message has come, if it was one. */
  envelope: Envelope | undefined;
  readonly #core: Core;
  readonly #channel: Channel;
  readonly #whole: Composite<T>;
  readonly #first: Buffer<ArrayBuffer>;
  #partTag = 0;
  #life = 0;
  #buffers = 0;
  /** V8's bytes, once they are here. */
  #body: Buffer | undefined;
  /** Messages that are to follow, and the lengths of those that are wanted. */
  #total = 0;
  readonly #lengths: number[] = [];
  readonly #memory: ArrayBuffer[] = [];
  #next = 0;
  #posted = 0;
  #posting = false;

  /** `told` makes the request's value. */
  constructor(core: Core, channel: Channel, from: ReceiveFrom, told: (object: ReceivedObject) => T) {
    this.#core = core;
    this.#channel = channel;
    this.#first = spare.pop() ?? Buffer.allocUnsafeSlow(FIRST_BYTES);
    const { source, tag, signal } = from;
    const header = core.postRecv(readStatus, this.#first, source, tag, channel.header, signal, channel.scope);
    this.#whole = new Composite(core, header, false, () => told(this.#value()));
    this.request = this.#whole.request;
    this.#whole.add(header, (outcome) => {
      if (outcome.status === 'fulfilled') this.#begin(outcome.value);
      else this.#failed(outcome.reason);
    });
    this.#whole.release();
  }

  #begin({ source, tag, byteLength }: Status): void {
    const bytes = this.#first.subarray(0, byteLength);
    if (byteLength < HEADER_BYTES || bytes.readUInt32LE(0) !== MAGIC) {
      this.#whole.fail(garbled(this.#core, source, 'a message that is no object'));
      return;
    }
    this.envelope = { source, tag, note: bytes.readUInt32LE(4) };
    this.#life = this.#lifeOf(source);
    this.#partTag = bytes.readUInt32LE(8);
    this.#buffers = bytes.readUInt32LE(12);
    const length = bytes.readDoubleLE(16);
    const inline = length + HEADER_BYTES <= FIRST_BYTES;
    if (!isLength(length) || this.#partTag > MAX_TAG || byteLength !== HEADER_BYTES + (inline ? length : 0)) {
      this.#garbled('an object whose first message makes no sense');
    } else if (inline) {
      this.#open(bytes.subarray(HEADER_BYTES));
    } else {
      this.#total = 1;
      this.#limit(length);
      this.#lengths.push(length);
      this.#postParts();
    }
  }

  /** Nothing but the large buffers is missing. */
  #open(body: Buffer): void {
    const end = body.length - this.#buffers * 8;
    if (end < 0) {
      this.#garbled('an object that announces more buffers than it describes');
      return;
    }
    this.#body = body.subarray(0, end);
    this.#total += this.#buffers;
    let bytes = end;
    for (let at = end; at < body.length; at += 8) {
      const length = body.readDoubleLE(at);
      // What is no length is told when its turn comes.
      if (isLength(length)) bytes += length;
      this.#lengths.push(length);
    }
    this.#limit(bytes);
    this.#postParts();
  }

  /** Fails if that is more than this rank takes. What follows is received all the same, but nowhere. */
  #limit(bytes: number): void {
    const { rank, maxObjectBytes } = this.#core;
    if (bytes <= maxObjectBytes) return;
    const peer = this.envelope!.source;
    const message = `rank ${peer} sent an object of ${bytes} bytes, and the option 'maxObjectBytes' allows ${maxObjectBytes}`;
    this.#whole.fail(new UintrError('ERR_UINTR_NO_MEMORY', message, { rank, peer }));
  }

  #postParts(): void {
    // A part can be over at once, which leads here again.
    if (this.#posting) return;
    this.#posting = true;
    while (this.#next < this.#total && this.#posted < WINDOW && this.#postPart()) this.#next += 1;
    this.#posting = false;
  }

  /** False if it cannot be posted now, or never. */
  #postPart(): boolean {
    const { scope, parts } = this.#channel;
    const into = this.#allocate(this.#lengths[this.#next] ?? 0);
    let part: Request<Status>;
    try {
      this.#checkSender();
      part = this.#core.postRecv(readStatus, into, this.envelope!.source, this.#partTag, parts, undefined, scope);
    } catch (error) {
      this.#postLater(error as UintrError);
      return false;
    }
    this.#posted += 1;
    this.#memory.push(into);
    this.#whole.add(part, (outcome) => {
      this.#posted -= 1;
      if (outcome.status === 'rejected') this.#failed(outcome.reason);
      else if (outcome.value.byteLength !== into.byteLength) this.#garbled('a buffer that is shorter than announced');
      if (this.#body === undefined) this.#bodyCame();
      else this.#postParts();
    });
    return true;
  }

  /** It may have died and come back while this waited for a slot: then it knows nothing of this. Or this has ended. */
  #checkSender(): void {
    const { source } = this.envelope!;
    this.#channel.scope?.check();
    if (this.#lifeOf(source) !== this.#life) throw returnedError('world', source, this.#core.rank);
  }

  /** Of a sender in the world; a communicator has ended when a member comes back. */
  #lifeOf(source: number): number {
    return this.#channel.scope === undefined ? this.#core.incarnations[source]! : 0;
  }

  #postLater(error: UintrError): void {
    if (error.code !== 'ERR_UINTR_NO_MEMORY') {
      this.#whole.fail(error);
      this.#total = 0;
    } else if (this.#posted === 0) {
      this.#whole.hold();
      const goOn = (): void => {
        this.#postParts();
        this.#whole.release();
      };
      this.#core.steps.whenFreed(() => this.#core.steps.whole(goOn));
    }
  }

  #bodyCame(): void {
    const body = this.#memory.pop()!;
    if (!this.#whole.failed) {
      this.#open(Buffer.from(body));
      return;
    }
    // What the buffers are is not known, but their sender waits for them to be received.
    this.#body = Buffer.alloc(0);
    this.#total += this.#buffers;
    this.#postParts();
  }

  /** Where a part goes. Once all is in vain, or if there is no memory: nowhere, but it is received all the same. */
  #allocate(length: number): ArrayBuffer {
    if (!isLength(length)) this.#garbled(`a buffer of ${length} bytes`);
    if (this.#whole.failed) return new ArrayBuffer(0);
    try {
      // Not zeroed: what is not written in full is not shown to the program.
      return Buffer.allocUnsafeSlow(length).buffer;
    } catch (cause) {
      const { rank } = this.#core;
      const message = `no memory for ${length} bytes of an object`;
      this.#whole.fail(new UintrError('ERR_UINTR_NO_MEMORY', message, { rank, peer: this.envelope!.source, cause }));
      return new ArrayBuffer(0);
    }
  }

  /** A part was longer than announced, or than any may be: that is garbage, too. */
  #failed(error: unknown): void {
    const { code, peer } = error as UintrError;
    this.#whole.fail(
      code === 'ERR_UINTR_TRUNCATED' ? garbled(this.#core, peer ?? -1, 'more than it announced', error) : error,
    );
  }

  #garbled(what: string): void {
    this.#whole.fail(garbled(this.#core, this.envelope!.source, what));
  }

  #value(): ReceivedObject {
    const body = this.#body!;
    const envelope = this.envelope!;
    let byteLength = body.length;
    for (const buffer of this.#memory) byteLength += buffer.byteLength;
    try {
      return { ...envelope, value: revive(body, this.#memory), byteLength };
    } catch (cause) {
      throw garbled(this.#core, envelope.source, `an object that cannot be read: ${(cause as Error).message}`, cause);
    } finally {
      if (spare.length < MOST_SPARE) spare.push(this.#first);
    }
  }
}

function isLength(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 0;
}

function garbled(core: Core, peer: number, what: string, cause?: unknown): UintrError {
  return new UintrError('ERR_UINTR_PROTOCOL', `rank ${peer} sent ${what}`, { rank: core.rank, peer, cause });
}
