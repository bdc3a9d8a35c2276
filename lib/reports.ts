// What a world tells about itself.

/** Bytes moved in one way, by which end did the copying. */
export interface CopiedBytes {
  asReceiver: number;
  asSender: number;
}

/**
 * Counts since the world was joined. What the hardware hides is absent: under `uintr` nobody here can see which
 * interrupts coalesced.
 */
export interface WorldStats {
  /** Sends and receives that completed without error. */
  sends: number;
  receives: number;
  /** Bytes of those. */
  bytesSent: number;
  bytesReceived: number;
  /** How messages left: through the ring at once, or by rendezvous. */
  eagerSent: number;
  rendezvousSent: number;
  /** Of the latter, those that found their receive posted, matched it by themselves and copied at once (not by pipeline). */
  matchedBySender: number;
  interrupts: {
    /** Notices that wanted a peer's CPU; of those, how many became an interrupt, and how many the peer did not need. */
    posted: number;
    sent: number;
    suppressed: number;
    /** Runs of this rank's handler; of those, how many found the engine busy and were made up for afterwards. */
    handled: number;
    deferred: number;
  };
  /** Messages that were lent to their receivers, and that were lent to this rank. */
  lent: number;
  borrowed: number;
  /** Peers woken out of a sleep. */
  wakesSent: number;
  /** Chunks copied in the handler, and how often it passed the work on to the other end. */
  slicesInHandler: number;
  batonsPassed: number;
  /** Messages that came before a receive for them was posted. */
  unexpected: number;
  /**
   * Collective operations that ended without error, and with one, and how many of their steps (a message, a copy, a
   * reduction) were begun in the handler. Those with a function, which JavaScript carries out, are not counted.
   */
  collectives: number;
  collectivesFailed: number;
  collectiveStepsInHandler: number;
  /** Bytes copied, by kind and side. */
  copied: Record<CopyKind, CopiedBytes>;
  /** Time in the handler: element i counts the runs of 2^i to 2^(i+1) cycles of the time-stamp counter. */
  handlerCycles: number[];
}

/** One request that is not finished. */
export interface RequestInspection {
  /**
   * A collective operation's messages are listed as well, each by itself, while they are under way; of one with a
   * function only these are.
   */
  kind: 'send' | 'receive' | 'collective';
  /**
   * - queued: a send that waits for room in its ring
   * - offered: a send whose receiver has not matched it
   * - posted: a receive that has not been matched
   * - matched: a message that a probe has taken and that is not received yet
   * - active: bytes move
   * - closing: ended, but the other end has not let go
   * - stalled: a receive without a buffer that waits for memory
   * - lent: received without a copy, and not released: by the peer, if it is a send, else by this rank
   * - done: finished, and not yet told
   */
  state: 'queued' | 'offered' | 'posted' | 'matched' | 'active' | 'closing' | 'stalled' | 'lent' | 'done';
  /** The communicator: 'world', or what `Comm.name` says. */
  comm: string;
  /** What it belongs to: point-to-point messages, or the package's own work for that communicator. */
  purpose: 'messages' | 'objects' | 'services' | 'collective' | 'management';
  /** The other rank of that communicator, or ANY_SOURCE. */
  peer: number;
  /** The tag, or ANY_TAG. */
  tag: number;
  /** Length of the message or of the receive buffer, in bytes, and how much of it this end has moved. */
  byteLength: number;
  moved: number;
  /** Of a collective: what was called, in words; in which round of messages it is, from 1 on, and of how many. */
  called?: string;
  round?: number;
  rounds?: number;
}

/** "Why is it stuck": everything that is pending at this moment. */
export interface WorldInspection {
  posted: number;
  unexpectedEager: number;
  unexpectedRendezvous: number;
  active: number;
  queuedSends: number;
  /** Of `maxRequests`. */
  slotsUsed: number;
  requests: RequestInspection[];
}

/**
 * How a large message travels: `direct` (between threads of one process, and to oneself), `heap` (its buffer lies in the
 * shared heap), `cma` (the kernel copies from process to process), `pipeline` (through the ring; always works).
 */
export type CopyKind = 'direct' | 'heap' | 'cma' | 'pipeline';

/** By bit, as the engine counts them. */
export const COPY_KINDS: readonly CopyKind[] = ['direct', 'heap', 'cma', 'pipeline'];
