// Runs one rank's part of a program, and checks what comes of it.
import { strict as assert } from 'node:assert';
import { type Comm, Matched, type Message, type Request, type Status, type World } from '../../lib/index.js';
import { assertPattern, fill } from '../helpers/pattern.js';
import { compute } from '../helpers/work.js';
import { Guarded } from './buffers.js';
import { BARRIER, keyOf, type Part, type Program, type Receive, type Send, type Step } from './program.js';
import { TakingPart } from './taking-part.js';
import { Verdict } from './verdict.js';
import { collected, waitBy } from './waiting.js';

/** A receive under way, or done. */
export interface Received {
  receive: Receive;
  request: Request<Status> | Request<Message>;
  buffer?: Guarded;
}

interface Sent {
  send: Send;
  request: Request<Status>;
  buffer: Guarded;
}

const GARBAGE = 0x5a;

export class Execution {
  readonly #world: World;
  readonly #comm: Comm;
  readonly #program: Program;
  readonly #sent = new Map<number, Sent>();
  readonly #received = new Map<number, Received>();
  readonly #parts = new Map<number, TakingPart>();

  constructor(world: World, comm: Comm, program: Program) {
    this.#world = world;
    this.#comm = comm;
    this.#program = program;
  }

  get name(): string {
    return this.#comm.name;
  }

  /** What this rank has to do, to be done in the order of time. */
  steps(): Step[] {
    return this.#program.steps.filter(({ rank }) => rank === this.#comm.rank);
  }

  async do(step: Step): Promise<void> {
    switch (step.kind) {
      case 'send':
        await this.#send(step);
        break;
      case 'receive':
        await this.#receive(step);
        break;
      case 'collective':
        await this.#takePart(step);
        break;
      case 'wait':
        await this.#wait(step);
        break;
      case 'compute':
        compute(step.units);
        break;
      case 'peek':
        this.#peek();
        break;
      case 'withdraw':
        this.#withdraw(step.id);
        break;
    }
  }

  async #send(send: Send): Promise<void> {
    const { dest, tag, abortAfter } = send;
    const buffer = new Guarded(this.#world, send.place, send.size);
    fill(buffer.bytes, keyOf(this.#program, send));
    const post = (signal?: AbortSignal): Request<Status> =>
      this.#comm[send.synchronous ? 'issend' : 'isend'](buffer.bytes, { dest, tag, signal });
    if (abortAfter === undefined) {
      this.#sent.set(send.id, { send, request: post(), buffer });
      return;
    }
    const controller = new AbortController();
    let request = post(controller.signal);
    compute(abortAfter);
    controller.abort();
    // Either it was matched, and then it ends by itself; or it has been as if it had never been.
    const withdrawn = await request.then(
      () => false,
      (reason) => {
        assert.equal(reason, controller.signal.reason);
        return true;
      },
    );
    if (withdrawn) request = post();
    else collected.add(request);
    this.#sent.set(send.id, { send, request, buffer });
  }

  /** The message is on its way or here. Returned where the probe has taken it, so that nobody else can receive it. */
  async #find(receive: Receive): Promise<Matched | undefined> {
    const { source, tag, probe } = receive;
    const options = { source, tag };
    let found: Status | Matched | null = null;
    if (probe === 'probe' || probe === 'mprobe') found = await this.#comm[probe](options);
    while (found === null) found = this.#comm[probe as 'iprobe' | 'improbe'](options);
    const { rank, tag: sentTag, size } = receive.gets!;
    assert.deepEqual({ ...found }, { source: rank, tag: sentTag, byteLength: size }, `${probe} for ${receive.id}`);
    return found instanceof Matched ? found : undefined;
  }

  async #receive(receive: Receive): Promise<void> {
    const { source, tag, cancelAfter } = receive;
    const options = { source, tag };
    const matched = receive.probe === undefined ? undefined : await this.#find(receive);
    const buffer = receive.room === undefined ? undefined : new Guarded(this.#world, receive.place, receive.room);
    const post = (): Received['request'] => {
      if (matched !== undefined) return buffer ? matched.irecv(buffer.bytes) : matched.irecv();
      return buffer ? this.#comm.irecv(buffer.bytes, options) : this.#comm.irecv(options);
    };
    let request = post();
    if (cancelAfter !== undefined) {
      compute(cancelAfter);
      if (request.cancel()) {
        assert.equal(request.done, true);
        buffer?.check(0);
        request = post();
      }
    }
    this.#received.set(receive.id, { receive, request, buffer });
  }

  async #takePart(part: Part): Promise<void> {
    const taking = new TakingPart(this.#world, this.#comm, part);
    this.#parts.set(part.id, taking);
    const { blocking } = part;
    if (blocking === undefined) return;
    if (blocking !== 'promise') await waitBy(blocking, [taking.request as Request<unknown>]);
    await taking.check();
  }

  async #wait({ ids, style }: { ids: number[]; style: Parameters<typeof waitBy>[0] }): Promise<void> {
    const operations = ids.map((id) => this.#sent.get(id) ?? this.#received.get(id) ?? this.#parts.get(id)!);
    await waitBy(
      style,
      operations.map(({ request }) => request as Request<unknown>),
    );
    for (const operation of operations) {
      const request = operation.request as Request<unknown>;
      assert.equal(request.done, true, `${style} returned before a request was done`);
      if (operation instanceof TakingPart) await operation.check();
      else if ('send' in operation) await this.#sendIsDone(operation);
    }
  }

  /** Its buffer is free: nobody may read it any more, so spoil it. */
  async #sendIsDone({ send, request, buffer }: Sent): Promise<void> {
    const { rank, tag, size } = send;
    assert.deepEqual({ ...(await request) }, { source: rank, tag, byteLength: size });
    assertPattern(buffer.bytes, keyOf(this.#program, send));
    buffer.check();
    buffer.bytes.fill(GARBAGE);
    buffer.free();
  }

  /** What a probe shows has to be one of the messages to this rank. */
  #peek(): void {
    const status = this.#comm.iprobe();
    if (status === null) return;
    const known = this.#program.steps.some(
      (step) =>
        step.kind === 'send' &&
        step.dest === this.#comm.rank &&
        step.rank === status.source &&
        step.tag === status.tag &&
        step.size === status.byteLength,
    );
    assert.ok(known || status.tag === BARRIER.go, `a probe shows ${JSON.stringify(status)}`);
  }

  #withdraw(id: number): void {
    const { request, buffer } = this.#received.get(id)!;
    assert.equal(request.cancel(), true, `receive ${id} that nothing matches could not be cancelled`);
    buffer?.check(0);
    buffer?.free();
    this.#received.delete(id);
  }

  /** Whether it came out right; to be called when all is done. */
  async finish(): Promise<void> {
    for (const taking of this.#parts.values()) taking.free();
    const verdict = new Verdict(this.#comm.rank, this.#program);
    for (const received of this.#received.values()) await verdict.take(received);
    for (const { receive, request, buffer } of this.#received.values()) {
      buffer?.free();
      // What is small is left to the garbage collector.
      if (!buffer && receive.id % 4 !== 0) this.#world.free(((await request) as Message).data);
    }
  }
}
