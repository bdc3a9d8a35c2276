// Collective operations of a communicator (MPI 4.1, chapter 6).
import type { Bytes } from './bytes.js';
import type { InPlace } from './collectives/arguments.js';
import { type Call, Channel } from './collectives/channel.js';
import {
  type Counts,
  callAllgather,
  callAllgatherv,
  callAlltoall,
  callAlltoallv,
  callBarrier,
  callBcast,
  callGather,
  callGatherv,
  callScatter,
  callScatterv,
} from './collectives/moving.js';
import type { NumericArray, Op } from './collectives/operators.js';
import { Plans, type Ranks } from './collectives/plans.js';
import { callAllreduce, callExscan, callReduce, callReduceScatter, callScan } from './collectives/reducing.js';
import { coreOf, groupOf, PointToPoint, scopeOf } from './point-to-point.js';
import type { Request } from './request.js';

/**
 * The collective part of a {@link Comm}: operations that all of its ranks start, in the same order. Any number may be
 * under way. Buffers must be left alone until the request is done; a request keeps the process alive, as a send does, and
 * cannot be cancelled. Every operation waits for all ranks to have started it. Where interrupts work, it then goes on
 * also on ranks that compute; one with a function for `op` only where JavaScript can call that.
 *
 * All lengths are in elements of the arrays; ArrayBuffers and DataViews have bytes. Blocks lie one after another, in the
 * order of the ranks, and are of equal length, except where counts are given. A buffer that only the root uses may be
 * empty, null or undefined elsewhere. IN_PLACE for `from` (for `into` in scatter and scatterv): the own part is where it
 * belongs in the other buffer; where only the root has a result, it is for the root.
 *
 * A request's value is its result buffer, `into`, and where this rank has none the buffer that it gave.
 *
 * All of them throw ERR_UINTR_INVALID_ARGUMENT, ERR_UINTR_CLOSED and ERR_UINTR_NO_MEMORY, and nothing has been started
 * then; those that return a promise reject. Otherwise, when one fails on one rank it fails on all that are not done with
 * it, and so do all that were or are started after it, for the ranks are no longer at the same one: with
 * ERR_UINTR_MISMATCH if the ranks did not call the same (operation, root, op, type, length), ERR_UINTR_PEER_EXITED if one
 * is gone, else ERR_UINTR_REVOKED.
 */
export abstract class Collective extends PointToPoint {
  #channel: Channel | undefined;

  #ranksAndPlans: Ranks | undefined;

  #ranks(): Ranks {
    this.#ranksAndPlans ??= { rank: this.rank, size: this.size, plans: new Plans() };
    return this.#ranksAndPlans;
  }

  #start<T>(call: Call<T>): Request<T> {
    const core = coreOf(this);
    const scope = scopeOf(this);
    if (this.#channel === undefined || this.#channel.hasEnded) {
      this.#channel = new Channel(core, scope?.context ?? core.worldContext, groupOf(this), scope);
    }
    return this.#channel.start(call);
  }

  /** Ends when all ranks have started it (MPI 4.1, 6.3, MPI_Ibarrier). */
  ibarrier(): Request<true> {
    return this.#start(callBarrier(this.#ranks()));
  }

  /** As {@link ibarrier}, as a promise (MPI_Barrier). */
  async barrier(): Promise<true> {
    return this.ibarrier();
  }

  /** The bytes of `buffer` at `root` go to that of all ranks (MPI 4.1, 6.4, MPI_Ibcast). */
  ibcast<T extends Bytes>(buffer: T, root: number): Request<T> {
    return this.#start(callBcast(this.#ranks(), buffer, root));
  }

  /** As {@link ibcast}, as a promise (MPI_Bcast). */
  async bcast<T extends Bytes>(buffer: T, root: number): Promise<T> {
    return this.ibcast(buffer, root);
  }

  /** The blocks `from` of all ranks go to `into` of `root` (MPI 4.1, 6.5, MPI_Igather). */
  igather<T extends Bytes>(from: Bytes | InPlace, into: T | null | undefined, root: number): Request<T> {
    return this.#start(callGather(this.#ranks(), from, into, root));
  }

  /** As {@link igather}, as a promise (MPI_Gather). */
  async gather<T extends Bytes>(from: Bytes | InPlace, into: T | null | undefined, root: number): Promise<T> {
    return this.igather(from, into, root);
  }

  /**
   * As {@link igather} with blocks of different lengths (MPI_Igatherv): `counts[i]` elements of `into` from rank i. Only
   * the root needs them.
   */
  igatherv<T extends Bytes>(
    from: Bytes | InPlace,
    into: T | null | undefined,
    counts: Counts | null | undefined,
    root: number,
  ): Request<T> {
    return this.#start(callGatherv(this.#ranks(), from, into, counts, root));
  }

  /** As {@link igatherv}, as a promise (MPI_Gatherv). */
  async gatherv<T extends Bytes>(
    from: Bytes | InPlace,
    into: T | null | undefined,
    counts: Counts | null | undefined,
    root: number,
  ): Promise<T> {
    return this.igatherv(from, into, counts, root);
  }

  /** Block i of `from` of `root` goes to `into` of rank i (MPI 4.1, 6.6, MPI_Iscatter). */
  iscatter<T extends Bytes>(from: Bytes | null | undefined, into: T | InPlace, root: number): Request<T> {
    return this.#start(callScatter(this.#ranks(), from, into, root));
  }

  /** As {@link iscatter}, as a promise (MPI_Scatter). */
  async scatter<T extends Bytes>(from: Bytes | null | undefined, into: T | InPlace, root: number): Promise<T> {
    return this.iscatter(from, into, root);
  }

  /**
   * As {@link iscatter} with blocks of different lengths (MPI_Iscatterv): `counts[i]` elements of `from` to rank i. Only
   * the root needs them.
   */
  iscatterv<T extends Bytes>(
    from: Bytes | null | undefined,
    into: T | InPlace,
    counts: Counts | null | undefined,
    root: number,
  ): Request<T> {
    return this.#start(callScatterv(this.#ranks(), from, into, counts, root));
  }

  /** As {@link iscatterv}, as a promise (MPI_Scatterv). */
  async scatterv<T extends Bytes>(
    from: Bytes | null | undefined,
    into: T | InPlace,
    counts: Counts | null | undefined,
    root: number,
  ): Promise<T> {
    return this.iscatterv(from, into, counts, root);
  }

  /** The blocks `from` of all ranks go to `into` of all (MPI 4.1, 6.7, MPI_Iallgather). */
  iallgather<T extends Bytes>(from: Bytes | InPlace, into: T): Request<T> {
    return this.#start(callAllgather(this.#ranks(), from, into));
  }

  /** As {@link iallgather}, as a promise (MPI_Allgather). */
  async allgather<T extends Bytes>(from: Bytes | InPlace, into: T): Promise<T> {
    return this.iallgather(from, into);
  }

  /**
   * As {@link iallgather} with blocks of different lengths (MPI_Iallgatherv): `counts[i]` elements of `into` from rank i.
   * All ranks give the same counts.
   */
  iallgatherv<T extends Bytes>(from: Bytes | InPlace, into: T, counts: Counts): Request<T> {
    return this.#start(callAllgatherv(this.#ranks(), from, into, counts));
  }

  /** As {@link iallgatherv}, as a promise (MPI_Allgatherv). */
  async allgatherv<T extends Bytes>(from: Bytes | InPlace, into: T, counts: Counts): Promise<T> {
    return this.iallgatherv(from, into, counts);
  }

  /** Block i of `from` of rank k goes to block k of `into` of rank i (MPI 4.1, 6.8, MPI_Ialltoall). */
  ialltoall<T extends Bytes>(from: Bytes | InPlace, into: T): Request<T> {
    return this.#start(callAlltoall(this.#ranks(), from, into));
  }

  /** As {@link ialltoall}, as a promise (MPI_Alltoall). */
  async alltoall<T extends Bytes>(from: Bytes | InPlace, into: T): Promise<T> {
    return this.ialltoall(from, into);
  }

  /**
   * As {@link ialltoall} with blocks of different lengths (MPI_Ialltoallv): `sendCounts[i]` elements of `from` to rank i,
   * `recvCounts[i]` elements of `into` from rank i. With IN_PLACE the latter hold for both.
   */
  ialltoallv<T extends Bytes>(
    from: Bytes | InPlace,
    into: T,
    sendCounts: Counts | null | undefined,
    recvCounts: Counts,
  ): Request<T> {
    return this.#start(callAlltoallv(this.#ranks(), from, into, sendCounts, recvCounts));
  }

  /** As {@link ialltoallv}, as a promise (MPI_Alltoallv). */
  async alltoallv<T extends Bytes>(
    from: Bytes | InPlace,
    into: T,
    sendCounts: Counts | null | undefined,
    recvCounts: Counts,
  ): Promise<T> {
    return this.ialltoallv(from, into, sendCounts, recvCounts);
  }

  /**
   * Combines the arrays `from` of all ranks, element by element, into that of `root` (MPI 4.1, 6.9.1, MPI_Ireduce).
   * Integers wrap as their array does; 'min' and 'max' are Math.min and Math.max; 'land' and 'lor' give 0 or 1. How sums
   * of floating-point numbers are grouped depends on the number of ranks and the length. A function that throws fails the
   * operation, with that on its own rank.
   */
  ireduce<T extends NumericArray>(
    from: NumericArray | InPlace,
    into: T | null | undefined,
    op: Op,
    root: number,
  ): Request<T> {
    return this.#start(callReduce(this.#ranks(), from, into, op, root));
  }

  /** As {@link ireduce}, as a promise (MPI_Reduce). */
  async reduce<T extends NumericArray>(
    from: NumericArray | InPlace,
    into: T | null | undefined,
    op: Op,
    root: number,
  ): Promise<T> {
    return this.ireduce(from, into, op, root);
  }

  /** As {@link ireduce}, into the arrays of all ranks (MPI 4.1, 6.9.6, MPI_Iallreduce), which are equal then. */
  iallreduce<T extends NumericArray>(from: NumericArray | InPlace, into: T, op: Op): Request<T> {
    return this.#start(callAllreduce(this.#ranks(), from, into, op));
  }

  /** As {@link iallreduce}, as a promise (MPI_Allreduce). */
  async allreduce<T extends NumericArray>(from: NumericArray | InPlace, into: T, op: Op): Promise<T> {
    return this.iallreduce(from, into, op);
  }

  /**
   * As {@link ireduce}, block i of the result to rank i (MPI 4.1, 6.10.1, MPI_Ireduce_scatter_block). IN_PLACE: `into`
   * holds what is combined, and its first block the result.
   */
  ireduceScatter<T extends NumericArray>(from: NumericArray | InPlace, into: T, op: Op): Request<T> {
    return this.#start(callReduceScatter(this.#ranks(), from, into, op));
  }

  /** As {@link ireduceScatter}, as a promise (MPI_Reduce_scatter_block). */
  async reduceScatter<T extends NumericArray>(from: NumericArray | InPlace, into: T, op: Op): Promise<T> {
    return this.ireduceScatter(from, into, op);
  }

  /** As {@link ireduce} of the ranks up to and including the own one, on each (MPI 4.1, 6.11.1, MPI_Iscan). */
  iscan<T extends NumericArray>(from: NumericArray | InPlace, into: T, op: Op): Request<T> {
    return this.#start(callScan(this.#ranks(), from, into, op));
  }

  /** As {@link iscan}, as a promise (MPI_Scan). */
  async scan<T extends NumericArray>(from: NumericArray | InPlace, into: T, op: Op): Promise<T> {
    return this.iscan(from, into, op);
  }

  /** As {@link iscan} of the ranks below the own one (MPI 4.1, 6.11.2, MPI_Iexscan). `into` of rank 0 stays as it is. */
  iexscan<T extends NumericArray>(from: NumericArray | InPlace, into: T, op: Op): Request<T> {
    return this.#start(callExscan(this.#ranks(), from, into, op));
  }

  /** As {@link iexscan}, as a promise (MPI_Exscan). */
  async exscan<T extends NumericArray>(from: NumericArray | InPlace, into: T, op: Op): Promise<T> {
    return this.iexscan(from, into, op);
  }
}
