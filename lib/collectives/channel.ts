// The collective operations of one communicator: their order, what is under way, and whether one has failed.
import type { Passed } from '../bytes.js';
import { ANY_SOURCE, ANY_TAG } from '../constants.js';
import { contextOfPurpose, Purpose } from '../context.js';
import { type Core, readStatus } from '../core.js';
import { AbortError, UintrError } from '../errors.js';
import { FLAG_PATIENT } from '../exchange.js';
import type { Group } from '../group.js';
import type { Status } from '../message.js';
import {
  create,
  fail,
  fulfil,
  isActive,
  type Request,
  rejected,
  started,
  takeOutcome,
  whenOver,
  withdrawWith,
} from '../request.js';
import type { Scope } from '../scope.js';
import { Sink } from '../sink.js';
import { Check } from './check.js';
import { Execution } from './execution.js';
import { FAILURE_BYTES, Failure } from './failure.js';
import { Offloaded } from './offloaded.js';
import type { OpFunction } from './operators.js';
import type { Run } from './plan.js';
import { type Schedule, writtenBy } from './schedule.js';

/** An operation that a program has called. */
export interface Call<T> {
  /** What all ranks have to agree on, in words. */
  readonly called: string;
  readonly schedule: Schedule;
  /** The program's, from 1 on. */
  readonly buffers: readonly Passed[];
  /** What the request gives. */
  readonly result: T;
  readonly combine?: OpFunction;
}

/** Made once: to make an error takes longer than to take back a receive, which each operation does. */
const NOTHING_TO_HEAR = new AbortError('no collective operation is under way');

/** Tags go round. */
const SEQUENCES = 2 ** 31;

export class Channel {
  readonly #core: Core;
  readonly #group: Group;
  readonly #scope: Scope | undefined;
  readonly #collective: number;
  readonly #revoke: number;
  readonly #underWay = new Set<Run>();
  readonly #heard = new Uint8Array(FAILURE_BYTES);
  #next = 0;
  #failure: Failure | undefined;
  /** A rank has come back: this is over. */
  hasEnded = false;
  // Posted while something is under way: another rank may tell that it has failed.
  #guard: Request<Status> | undefined;
  #isStopping = false;
  // Of the world, after a failure.
  #sinks: Sink[] | undefined;

  /** `context`: of the communicator's point-to-point messages. */
  constructor(core: Core, context: number, group: Group, scope: Scope | undefined) {
    this.#core = core;
    this.#group = group;
    this.#scope = scope;
    this.#collective = contextOfPurpose(context, Purpose.Collective);
    this.#revoke = contextOfPurpose(context, Purpose.Revoke);
    (scope ?? core).endCollectives = (error) => this.#end(error);
  }

  /** A rank has come back, which takes no part in what was begun. Nobody need be told, for all others see that. */
  #end(error: UintrError): void {
    this.hasEnded = true;
    for (const sink of this.#sinks ?? []) sink.stop();
    for (const execution of [...this.#underWay]) execution.fail(error);
    if (this.#underWay.size === 0) this.#stopListening();
  }

  /**
   * Starts an operation. All ranks start theirs in the same order, and any number may be under way.
   * @throws ERR_UINTR_CLOSED, ERR_UINTR_NO_MEMORY: nothing has been started
   */
  start<T>(call: Call<T>): Request<T> {
    // Who is told of requests may start more, which come after this.
    return this.#core.steps.whole(() => this.#start(call));
  }

  #start<T>(call: Call<T>): Request<T> {
    const core = this.#core;
    const group = this.#group;
    core.checkOpen();
    this.#scope?.check();
    const { schedule, buffers, combine } = call;
    const { check, records } = this.#prepare(call);
    if (core.loans.some) {
      for (const written of writtenBy(records, buffers)) core.loans.checkWritable(written, 'into');
    }
    const tag = this.#next;
    if (this.#guard !== undefined && !isActive(this.#guard)) this.#hear(this.#guard);
    // Several may have told something already.
    while (!this.#hasFailedBy(tag) && !this.#isListening() && this.#listen());
    this.#next = (tag + 1) % SEQUENCES;
    if (this.#hasFailedBy(tag)) return rejected(core, this.#failure!.errorFor(tag, group));

    // Others need what it sends, so it keeps the process alive as a send does.
    const request = create<T>(core, unread, undefined, true);
    started(request, -1);
    const memory: ArrayBufferLike[] = [];
    for (const data of buffers) {
      const buffer = ArrayBuffer.isView(data) ? data.buffer : data;
      if (memory.includes(buffer)) continue;
      memory.push(buffer);
      core.hold(buffer);
    }
    this.#scope?.hold();
    // The engine's handlers carry it on while JavaScript computes, but cannot call a function of the program's.
    const execution: Run = new (combine === undefined ? Offloaded : Execution)(
      { schedule, records, buffers, check, combine },
      { core, group, context: this.#collective, tag },
      {
        hear: () => this.#hearNow(),
        failing: (error) => this.#fail(Failure.of(tag, core.rank, error)),
        over: (error) => {
          this.#underWay.delete(execution);
          for (const buffer of memory) core.release(buffer);
          this.#scope?.release();
          if (this.#underWay.size === 0) this.#stopListeningSoon();
          this.#sinkIfOver();
          if (error === undefined) fulfil(request, call.result);
          else fail(request, isPeerExited(error) ? Failure.of(tag, core.rank, error).errorFor(tag, group) : error);
        },
      },
    );
    this.#underWay.add(execution);
    execution.start();
    return request;
  }

  #prepare({ called, schedule }: Call<unknown>): NonNullable<Schedule['prepared']> {
    if (schedule.prepared !== undefined) return schedule.prepared;
    const group = this.#group;
    const check = new Check(group.rank, called);
    schedule.prepared = { check, records: schedule.records((rank) => group.toWorld(rank), check.message) };
    return schedule.prepared;
  }

  /** With an operation those after it fail. Those before it may yet end well, or fail by themselves. */
  #fail(failure: Failure): void {
    const { sequence } = failure;
    if (this.#failure !== undefined && !isBefore(sequence, this.#failure.sequence)) return;
    this.#failure = failure;
    this.#core.steps.whole(() => {
      this.#tell(failure);
      for (const execution of [...this.#underWay]) {
        if (isBefore(execution.sequence, sequence)) continue;
        execution.fail(failure.errorFor(execution.sequence, this.#group));
      }
      this.#sinkIfOver();
    });
  }

  /** Others have to do with those before the one that failed, also with those that this rank has not started yet. */
  #hasFailedBy(sequence: number): boolean {
    return this.#failure !== undefined && !isBefore(sequence, this.#failure.sequence);
  }

  /** Operations that failed leave messages that nobody receives, of which there are no more to come once no operation is. */
  #sinkIfOver(): void {
    if (this.hasEnded || this.#underWay.size > 0 || !this.#hasFailedBy(this.#next)) return;
    if (this.#scope !== undefined) {
      this.#scope.sink(Purpose.Collective);
      this.#scope.sink(Purpose.Revoke);
    } else {
      this.#sinks ??= [new Sink(this.#core, this.#collective), new Sink(this.#core, this.#revoke)];
    }
  }

  /**
   * Tells all other ranks. Each does so that hears of it: whoever heard of it first may die before it has told the rest,
   * who wait for ranks that have given up.
   */
  #tell(failure: Failure): void {
    const core = this.#core;
    if (core.closed || this.hasEnded) return;
    const bytes = failure.write();
    for (let rank = 0; rank < this.#group.size; rank += 1) {
      if (rank === this.#group.rank) continue;
      try {
        const told = core.postSend(bytes, this.#group.toWorld(rank), failure.sequence, this.#revoke, 0, undefined);
        this.#scope?.hold();
        whenOver(told, () => this.#scope?.release());
      } catch {
        // No slot is left. It hears of it from others, or when this rank ends.
      }
    }
  }

  #isListening(): boolean {
    return this.#guard !== undefined || this.#group.size === 1;
  }

  /** False if nobody is left to tell anything. */
  #listen(): boolean {
    if (this.#isListening()) return true;
    const core = this.#core;
    const guard = core.postRecv(
      readStatus,
      this.#heard,
      ANY_SOURCE,
      ANY_TAG,
      this.#revoke,
      undefined,
      undefined,
      FLAG_PATIENT,
    );
    this.#guard = guard;
    if (!isActive(guard)) return this.#hear(guard);
    this.#scope?.hold();
    whenOver(guard, () => {
      this.#scope?.release();
      this.#hear(guard);
    });
    return true;
  }

  /** Whether there was something to hear. */
  #hear(guard: Request<Status>): boolean {
    if (this.#guard !== guard) return false;
    this.#guard = undefined;
    const outcome = takeOutcome(guard);
    // It was taken back, or nobody is left to tell anything, or the world closes: operations under way notice themselves.
    if (outcome.status === 'rejected') return false;
    const { source, tag, byteLength } = outcome.value;
    this.#fail(Failure.read(tag, source, this.#heard.subarray(0, byteLength)));
    if (this.#underWay.size > 0) this.#listen();
    return true;
  }

  /** What others have told so far, before what else has happened is looked at. */
  #hearNow(): void {
    this.#core.progress();
    while (this.#guard !== undefined && !isActive(this.#guard)) this.#hear(this.#guard);
  }

  #stopListening(): void {
    if (this.#guard !== undefined) withdrawWith(this.#guard, NOTHING_TO_HEAR);
  }

  /** A program that calls one operation after another listens all the time, until the event loop has its turn. */
  #stopListeningSoon(): void {
    if (this.hasEnded || this.#failure !== undefined) {
      this.#stopListening();
    } else if (!this.#isStopping) {
      this.#isStopping = true;
      setImmediate(() => {
        this.#isStopping = false;
        // Who is told of requests may start one, and is to find that nobody listens.
        this.#core.steps.whole(() => {
          if (this.#underWay.size === 0) this.#stopListening();
        });
      });
    }
  }
}

/** Of numbers that go round, of which only a few next to each other are about. */
function isBefore(a: number, b: number): boolean {
  return a !== b && (b - a + SEQUENCES) % SEQUENCES < SEQUENCES / 2;
}

/** Below communicators ranks are the world's. */
function isPeerExited(error: unknown): boolean {
  return error instanceof UintrError && error.code === 'ERR_UINTR_PEER_EXITED';
}

function unread(): never {
  throw new Error('a collective operation has no record');
}
