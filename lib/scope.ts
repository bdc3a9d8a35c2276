// What a communicator has that is not the world: ranks of its own, requests of its own, and an end of its own.
import { contextFor, contextOfPurpose, type Purpose } from './context.js';
import type { Core } from './core.js';
import { type ExitCause, returnedError, UintrError } from './errors.js';
import { ANY, R_SOURCE } from './exchange.js';
import type { Group } from './group.js';
import { type Request, withdrawWith } from './request.js';
import { Sink } from './sink.js';

export class Scope {
  readonly core: Core;
  /** As context.ts has it. */
  readonly id: number;
  /** The same at all its ranks. */
  readonly name: string;
  readonly group: Group;
  /** Of its point-to-point messages. */
  readonly context: number;
  readonly #sends = new Set<Request<unknown>>();
  readonly #receives = new Set<Request<unknown>>();
  readonly #wildcards = new Set<Request<unknown>>();
  // Operations of any kind.
  #underWay = 0;
  #onIdle: (() => void) | undefined;
  #watched: { world: number; then: (cause: ExitCause) => void } | undefined;
  // Other ranks that are not known to be gone.
  #others: number;
  #lastLost: { peer: number; cause: ExitCause } | undefined;
  #ended: (() => UintrError) | undefined;
  readonly #sinks = new Map<Purpose, Sink>();
  // How often each rank had come back when this was made; empty where ranks do not.
  readonly #lives: readonly number[];
  /** Fails the collective operations under way. */
  endCollectives: ((error: UintrError) => void) | undefined;
  #isOutdated = false;
  /** A dup or split of it has failed. */
  hasFailed = false;

  constructor(core: Core, id: number, name: string, group: Group, lives: readonly number[] = []) {
    this.core = core;
    this.id = id;
    this.name = name;
    this.group = group;
    this.context = contextFor(id);
    this.#others = group.size - 1;
    core.scopes.set(id, this);
    this.#lives = lives;
    for (const [rank, cause] of core.gone) this.lost(rank, cause);
    for (let rank = 0; rank < lives.length; rank += 1) this.returned(group.toWorld(rank));
  }

  /** Another of its contexts. */
  contextOf(purpose: Purpose): number {
    return contextOfPurpose(this.context, purpose);
  }

  /** Throws once it has ended. */
  check(): void {
    if (this.#ended !== undefined) throw this.#ended();
  }

  get ended(): boolean {
    return this.#ended !== undefined;
  }

  /** For people. */
  get shownName(): string {
    return this.ended ? `${this.name} (freed)` : this.name;
  }

  /** From now on its operations, and the receives that no message has matched, fail with that. */
  end(error: () => UintrError): void {
    this.#ended ??= error;
    for (const request of [...this.#receives]) withdrawWith(request, error());
    this.core.probes.look();
  }

  /** As {@link end}, and the messages that nobody has matched fail, too, also where it has ended before. */
  revoke(error: () => UintrError): void {
    this.end(error);
    for (const request of [...this.#sends]) withdrawWith(request, error());
  }

  /** From now on nobody receives in that context: what comes is thrown away. */
  sink(purpose: Purpose): void {
    if (this.#isOutdated || this.#sinks.has(purpose)) return;
    const sink = new Sink(this.core, this.contextOf(purpose));
    this.#sinks.set(purpose, sink);
    if (this.#isOutdated) sink.stop();
  }

  /** What comes, and what has come, is for others to take. */
  stopSinks(): void {
    for (const sink of this.#sinks.values()) sink.stop();
  }

  /** That rank of the world may have come back: in its new life it knows nothing of this. */
  returned(world: number): void {
    const peer = this.group.toGroup(world);
    if (peer === undefined || !(this.#lives[peer]! < this.core.incarnations[world]!)) return;
    const error = (): UintrError => returnedError(this.name, peer, this.group.rank);
    this.#isOutdated = true;
    this.revoke(error);
    this.#watched = undefined;
    this.endCollectives?.(error());
    this.stopSinks();
    this.core.leftovers.lookSoon();
  }

  /** A member has come back since it was made. Then nothing is sent in it any more (leftovers.ts). */
  get isOutdated(): boolean {
    return this.#isOutdated;
  }

  /** The rank in a record, which is the world's, as the communicator's. */
  localize(words: Int32Array, at: number): void {
    words[at + R_SOURCE] = this.group.toGroup(words[at + R_SOURCE]!) ?? ANY;
  }

  // ---- requests -------------------------------------------------------------

  begin(request: Request<unknown>, isSend: boolean): void {
    this.hold();
    (isSend ? this.#sends : this.#receives).add(request);
  }

  over(request: Request<unknown>): void {
    this.#sends.delete(request);
    this.#receives.delete(request);
    this.#wildcards.delete(request);
    this.release();
  }

  /** Something is under way that free() must let finish; to be followed by {@link release}. */
  hold(): void {
    this.#underWay += 1;
  }

  release(): void {
    this.#underWay -= 1;
    if (this.#underWay === 0) this.#onIdle?.();
  }

  /** Nothing is under way any more. */
  idle(): Promise<void> {
    return new Promise((resolve) => {
      if (this.#underWay === 0) resolve();
      else this.#onIdle = resolve;
    });
  }

  // ---- ranks that are gone --------------------------------------------------

  // The engine knows the world alone: a receive from any rank ends there when every other rank of the world is gone.

  /** A receive from any rank was posted and waits. */
  waitsForAny(request: Request<unknown>): void {
    this.#wildcards.add(request);
    this.#failWildcards();
  }

  /** That rank of the world is gone, and what it had delivered is matched or among the unexpected messages. */
  lost(world: number, cause: ExitCause): void {
    if (this.#watched?.world === world) this.#watched.then(cause);
    const peer = this.group.toGroup(world);
    if (peer === undefined || peer === this.group.rank) return;
    this.#others -= 1;
    this.#lastLost = { peer, cause };
    this.#failWildcards();
  }

  /** Calls `then` when that rank of the world, a member or not, is gone. */
  whenGone(world: number, then: (cause: ExitCause) => void): void {
    const cause = this.core.gone.get(world);
    if (cause === undefined) this.#watched = { world, then };
    else then(cause);
  }

  /** What a receive from any rank has to fail with where nothing is there for it; undefined while somebody is left. */
  aloneError(): UintrError | undefined {
    if (this.#others > 0 || this.#lastLost === undefined) return undefined;
    const { peer, cause } = this.#lastLost;
    const text = `every other rank of '${this.name}' is gone, rank ${peer} last (${cause})`;
    return new UintrError('ERR_UINTR_PEER_EXITED', text, { rank: this.group.rank, peer, cause });
  }

  #failWildcards(): void {
    const error = this.aloneError();
    if (error === undefined) return;
    for (const request of [...this.#wildcards]) withdrawWith(request, error);
  }
}
