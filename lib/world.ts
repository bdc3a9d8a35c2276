// The world: all ranks that joined together, and this process's or thread's place among them.
import { constants } from 'node:buffer';
import { checkOptions, checkRank, checkTimeout, keySet } from './arguments.js';
import type { NativeWorld } from './binding.js';
import { contextFor } from './context.js';
import { Core } from './core.js';
import { closeChannel, peerExitChannel, peerJoinChannel } from './diagnostics.js';
import { closedError, invalidArgument, UintrError } from './errors.js';
import { EmittingComm } from './events.js';
import { Group } from './group.js';
import { inspection } from './inspection.js';
import { enter, type JoinOptions, type Make } from './join.js';
import { leave } from './leave.js';
import { free } from './received.js';
import { COPY_KINDS, type CopyKind, type WorldInspection, type WorldStats } from './reports.js';
import type { Handler, ServeOptions, Server } from './server.js';
import { serviceContexts } from './service-protocol.js';
import { type RequestOptions, request } from './service-request.js';
import { Services } from './services.js';
import { type SpawnOptions, spawnWorld } from './spawn.js';
import { hasRegion } from './sync/world-region.js';
import { type Trace, type TraceOptions, traced, worldClosed } from './trace.js';

/** Options of {@link World.close}. */
export interface CloseOptions {
  /** After this many milliseconds sends that are not done fail with ERR_UINTR_TIMEOUT. For ever if not given. */
  timeoutMs?: number;
}

// src-native/engine/types.h, enum Life
const CLOSED = 3;

const CLOSE_KEYS = keySet('timeoutMs');

/**
 * A world of ranks on this host, and everything a communicator has.
 *
 * Active sends and awaited or waited requests keep the process alive; a joined world, or a receive that nobody awaits,
 * does not.
 */
export class World extends EmittingComm {
  readonly #native: NativeWorld;
  readonly #core: Core;
  readonly #forget: () => void;
  readonly #services: Services;
  #driver: string;
  #held = false;
  #trace: Trace | undefined;
  #closing: Promise<void> | undefined;

  /**
   * Enters a world (compare MPI 4.1, 11.2, MPI_Init).
   *
   * Without a name: in what `uintr run`, {@link World.spawn}, mpirun, mpiexec or srun started, that world; else one of
   * size 1. With a name and a size: the world of all processes of this user that join under that name, ranks by arrival
   * unless given.
   *
   * Rejects with ERR_UINTR_JOIN (the others did not come within `joinTimeout`; the rank is taken; this thread is in that
   * world already), ERR_UINTR_INVALID_ARGUMENT, ERR_UINTR_NO_MEMORY, ERR_UINTR_UNSUPPORTED.
   */
  static async join(options?: JoinOptions): Promise<World> {
    return enter(options, (...made) => new World(...made));
  }

  /**
   * Starts `options.ranks` processes or worker threads that run `script`, and makes one world of them and the caller,
   * which is rank 0 (compare MPI 4.1, 11.8.2, MPI_Comm_spawn). Each calls `World.join()` without arguments; its own
   * children are no ranks.
   *
   * Processes share this one's standard output and error, threads write to them by way of this thread; neither gets the
   * standard input. They do not keep this process alive, and end by themselves: closing the world tells them so, by
   * 'peer-exit', as does the end of this process, with which threads end. How each has ended is told by 'child-exit';
   * a failure that nobody listens for, by a process warning.
   *
   * Rejects with ERR_UINTR_JOIN when one cannot be started or ends before it has joined (`peer` is its rank, and `cause`
   * a {@link ChildExit}), or `joinTimeout` is over, after the others were ended; with ERR_UINTR_INVALID_ARGUMENT,
   * ERR_UINTR_NO_MEMORY, ERR_UINTR_UNSUPPORTED.
   */
  static async spawn(script: string | URL, options: SpawnOptions): Promise<World> {
    return spawnWorld(script, options, (...made) => new World(...made));
  }

  private constructor(...[native, onBatch, forget, maxObjectBytes]: Parameters<Make<World>>) {
    const core = new Core(native, maxObjectBytes, {
      // News can come out of any call; listeners run outside of it, and after the continuations of whatever completed
      // before: a program that awaits a rank's last message and then listens for its exit is not to miss it.
      peerGone: (rank, cause) => {
        const life = core.incarnations[rank]!;
        setImmediate(() => {
          if (peerExitChannel.hasSubscribers) peerExitChannel.publish({ world: this, rank, cause });
          this.#services.peerGone(rank, cause, life);
          this.emit('peer-exit', { rank, cause });
        });
      },
      peerJoined: (rank, pid, incarnation) =>
        void setImmediate(() => {
          if (peerJoinChannel.hasSubscribers) peerJoinChannel.publish({ world: this, rank, pid, incarnation });
          this.#services.peerJoined();
          this.emit('peer-join', { rank, pid, incarnation });
        }),
      driverLost: () => {
        this.#driver = native.driver();
        process.emitWarning(
          'the program took over the signal of uintr; messages make progress only from calls and the event loop now',
          {
            type: 'UintrWarning',
            code: 'UINTR_SIGNAL_TAKEN',
          },
        );
      },
    });
    super(core, contextFor(0), Group.ofWorld(core.rank, core.size));
    this.#native = native;
    this.#core = core;
    this.#forget = forget;
    this.#services = new Services(core, serviceContexts(contextFor(0)));
    this.#driver = native.driver();
    hasRegion(this, native);
    onBatch((count) => core.settle(count));
  }

  /** How ranks interrupt this one: 'uintr', 'signal', or 'poll' (not at all). */
  get driver(): 'uintr' | 'signal' | 'poll' {
    return this.#driver as 'uintr' | 'signal' | 'poll';
  }

  /**
   * How a large message between this rank and `peer` travels.
   * @throws ERR_UINTR_INVALID_ARGUMENT, ERR_UINTR_CLOSED
   */
  copy(peer: number): CopyKind {
    checkRank(peer, this.size, 'peer');
    this.#checkUsable();
    return COPY_KINDS[Math.log2(this.#native.copy(peer))] ?? 'pipeline';
  }

  /**
   * How often that rank (the own one, if none is given) has come back, as far as is known here. In a world joined with
   * `rejoin: true` a rank that is gone, in whatever way, comes back when somebody joins as that rank again. Its join
   * resolves when every rank that is there has let it in, which they do from their event loops and calls; who is gone
   * then is gone for it, too, and it hears so by 'peer-exit'. On the others 'peer-exit' is followed by 'peer-join';
   * between the two, what needs the rank fails with ERR_UINTR_PEER_EXITED. Messages of its life before that had come
   * whole stay receivable. Receives from any rank wait even when nobody else is left.
   *
   * At 'peer-join' the communicators that had the rank are over, and the world's collective operations, dup and split
   * begin anew: those that wait fail, all with ERR_UINTR_REVOKED (compare ULFM's MPI_Comm_revoke). So the ranks call the
   * same ones again once each has heard of it, the rank that has come back from its join on.
   * @throws ERR_UINTR_INVALID_ARGUMENT
   */
  incarnation(rank: number = this.rank): number {
    return this.#core.incarnations[checkRank(rank, this.size)]!;
  }

  /** Whether that rank has not left the world. False on a closed world. */
  isAlive(rank: number): boolean {
    checkRank(rank, this.size);
    const life = this.#native.life(rank);
    return life >= 0 && life < CLOSED;
  }

  /**
   * A zeroed buffer in the shared heap, where messages travel fastest. It is freed by {@link free} or by garbage
   * collection (then when the event loop turns), and stays readable after close.
   * @param byteLength in bytes
   * @throws ERR_UINTR_NO_MEMORY: `heapBytes`, or the memory of the host, does not suffice
   */
  alloc(byteLength: number): Uint8Array<ArrayBuffer> {
    if (!Number.isSafeInteger(byteLength) || byteLength < 0) {
      throw invalidArgument('byteLength', 'a whole number of bytes, 0 or more', byteLength);
    }
    this.#core.checkOpen();
    if (byteLength === 0) return this.#core.emptyBlock();
    // A block that no ArrayBuffer of this Node can show is not taken, and not zeroed, in the first place.
    const most = Math.min(this.#native.heapBytes, constants.MAX_LENGTH);
    const block = byteLength <= most ? this.#native.alloc(byteLength) : undefined;
    if (block === undefined) {
      throw new UintrError(
        'ERR_UINTR_NO_MEMORY',
        `no block of ${byteLength} bytes in a heap of ${this.#native.heapBytes} (and at most ${constants.MAX_LENGTH} in one ArrayBuffer)`,
        {
          rank: this.rank,
        },
      );
    }
    return new Uint8Array(block);
  }

  /**
   * Gives back what {@link alloc} gave, or the data of a Message, and detaches it.
   * @throws ERR_UINTR_INVALID_ARGUMENT: it is in flight, is lent, was freed, or comes from elsewhere
   */
  free(view: Uint8Array): void {
    free(this.#core, view, 'view');
  }

  /**
   * Counts since joining.
   * @throws ERR_UINTR_CLOSED once the world is closed
   */
  stats(): WorldStats {
    this.#checkUsable();
    return this.#native.stats()!;
  }

  /**
   * Everything that is pending: "why is it stuck?"
   * @throws ERR_UINTR_CLOSED once the world is closed
   */
  inspect(): WorldInspection {
    this.#checkUsable();
    return inspection(this.#core);
  }

  /**
   * Records this rank's timeline from now on, or gives the recording that is under way (the options `trace` and
   * `traceEvents` begin one with the join). It is written to its file when the world is closed, or the process or
   * thread ends; not by one that is killed, nor by a worker that is terminated.
   *
   * A ring of fixed size keeps the latest events. Recording takes about 20 ns an event.
   * @throws ERR_UINTR_INVALID_ARGUMENT, ERR_UINTR_NO_MEMORY, ERR_UINTR_CLOSED
   */
  trace(options?: TraceOptions): Trace {
    this.#checkUsable();
    this.#trace = traced(this.#native, this.#trace, options);
    return this.#trace;
  }

  /**
   * Opens a service: `handler` gets the requests that ranks, the own one too, send with this tag by {@link request}, and
   * answers them. Tags of services have nothing to do with tags of messages. The handler is called from the event loop,
   * so while a rank computes or waits its requests wait too.
   *
   * At most `maxInFlight` requests are handled at a time; all others stay with their senders, in order. What a handler throws
   * is thrown at who asked. An open server keeps the process alive while another rank is left ({@link Server.ref}).
   * {@link close} does not wait for handlers: close the server first.
   * @param tag 0 to 2^31 - 1
   * @throws ERR_UINTR_INVALID_ARGUMENT (also: an open server has this tag), ERR_UINTR_CLOSED
   */
  serve<Req = unknown, Res = unknown>(tag: number, handler: Handler<Req, Res>, options?: ServeOptions): Server {
    return this.#services.serve(tag, handler, options);
  }

  /**
   * Asks the service with this tag of rank `dest`. Request and answer travel as {@link isendObject} says, so large buffers
   * must not change before the promise is settled. Where nobody serves the tag the request waits until somebody does.
   *
   * Rejects with the handler's error as an Error of that name, message and code, and with the handler's stack;
   * ERR_UINTR_CLOSED with `peer`: that service is closed and has not handled it; ERR_UINTR_PEER_EXITED: the rank is gone;
   * ERR_UINTR_TIMEOUT; the signal's reason; ERR_UINTR_INVALID_ARGUMENT; ERR_UINTR_NO_MEMORY; ERR_UINTR_CLOSED without `peer`: this
   * world is closed. One that is given up, by signal or timeout, is withdrawn, or if it has been received the
   * handler's signal is aborted.
   */
  async request<Req = unknown, Res = unknown>(
    dest: number,
    tag: number,
    value: Req,
    options?: RequestOptions,
  ): Promise<Res> {
    return request(this.#core, serviceContexts(contextFor(0)), dest, tag, value, options) as Promise<Res>;
  }

  /** Moves what can be moved now, and settles what is complete. A computation need not call it: interrupts do. */
  progress(): void {
    this.#core.progress();
  }

  /** Keeps the process alive until {@link unref} or {@link close}, also when nothing is under way. Does not count. */
  ref(): this {
    if (!this.#held && !this.#core.closed) {
      this.#held = true;
      this.#core.want();
    }
    return this;
  }

  /** Undoes {@link ref}. Active sends and awaited requests keep the process alive all the same. */
  unref(): this {
    if (this.#held) {
      this.#held = false;
      this.#core.unwant();
    }
    return this;
  }

  /**
   * Leaves the world (compare MPI 4.1, 11.2.2, MPI_Finalize). Own receives fail with ERR_UINTR_CLOSED; own sends are
   * finished first, until they are done, the partner is closing or gone, or the timeout fails them with
   * ERR_UINTR_TIMEOUT; what is lent need only be received. What is lent to this rank is released. What was sent before
   * is still received by the others. Called again it gives the same promise.
   */
  close(options?: CloseOptions): Promise<void> {
    if (this.#closing === undefined) {
      let limit: number;
      try {
        limit = checkTimeout(checkOptions(options, CLOSE_KEYS).timeoutMs);
      } catch (error) {
        return Promise.reject(error);
      }
      this.#closing = this.#close(limit);
    }
    return this.#closing;
  }

  /** {@link close}, for `await using`. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #close(limit: number): Promise<void> {
    this.#services.close();
    await leave(this.#core, limit);
    worldClosed(this.#trace);
    this.#held = false;
    this.#forget();
    if (closeChannel.hasSubscribers) closeChannel.publish({ world: this });
  }

  #checkUsable(): void {
    if (this.#core.left) throw closedError(this.rank);
  }
}
