// The progression engine of one rank in one world: what the addon (and the
// simulator, and the C++ tests) call. Freestanding: no libc, no allocation, no
// lock, no wait, general-purpose registers only, so that all of it may run in
// an interrupt handler. How it works is told in docs/protocol.md.
//
// Two contexts enter it: the rank's thread (every function but on_interrupt)
// and that same thread's interrupt handler (on_interrupt only). The soft mask
// keeps them apart; nothing else does, so no other thread may call anything.
#pragma once

#include "engine/layout.h"
#include "engine/schedule.h"
#include "engine/types.h"

namespace uintr {

// What the engine needs from the layers around it. Those marked [interrupt] are
// called in handlers and keep to a handler's rules.
struct Ports {
  void* self;
  // [interrupt] Makes `peer` run its handler (driver). `force`: also if an
  // interrupt seems to be on its way already (a sender may have died between
  // the two steps of a send).
  void (*interrupt)(void* self, uint32_t peer, bool force);
  // [interrupt] Writes the eventfd of `peer`, which may be this rank itself.
  void (*wake)(void* self, uint32_t peer);
  // Thread only. Makes memory of an own segment (or of the own rows of the world
  // segment) really exist, so that a later touch cannot raise SIGBUS. False: no
  // memory. May be called repeatedly for the same range.
  enum class Segment : uint32_t { Control, World, Heap };
  bool (*commit)(void* self, Segment segment, uint64_t offset, uint64_t bytes);
  // [interrupt] inout = inout op in, for each of `elements`; `reduction` is type * 16 + operation (schedule.h). What it
  // needs of vector registers it saves itself. Null: no schedule has a Reduce.
  void (*reduce)(uint32_t reduction, void* inout, const void* in, uint64_t elements);
};

// Where one rank's segments are mapped in this address space.
struct PeerMap {
  const unsigned char* control;  // own rank: writable
  unsigned char* heap;
  int32_t pid;                   // as the kernel told it at bootstrap, in this PID namespace; 0: not usable
  uint32_t copy_kinds;           // CopyKind bits that were tried and work towards this peer
  bool interruptible = true;     // Ports::interrupt reaches it
  uint32_t let_go = 0;           // lives of this rank that the peer had let go of before this one
  bool absent = false;           // it was gone before this rank came; the memory is this rank's own
  uint64_t nonce = 0;            // unlike any other rank's, and where it lies in the peer's address space: by this its
  uint64_t nonce_address = 0;    // program is told from one that has its pid since; 0: not known
};

struct Setup {
  Geometry geometry;
  uint32_t rank;
  uint32_t slice_bytes;   // what a handler may copy in one run; 0: by message length
  uint64_t glance_cycles = 0;   // for how long it looks whether a peer comes to wait, before it is interrupted
  uint64_t handler_cycles = 0;  // for how long a handler copies in one run, by the time-stamp counter; 0: no matter
  bool interrupts;        // false: driver 'poll', interrupts are never asked for
  bool interrupt_wakes;   // an interrupt ends a system call the peer sleeps in (signals do, UINTR does not)
  // Nobody but this rank clears a bit of its bitmap. False: any rank may, so the rings are looked at as well, before
  // every sleep and once in kLooksPerSurvey looks.
  bool trusts_bitmap = true;
  unsigned char* world;
  const PeerMap* peers;   // geometry.size of them; copied
  Ports ports;
};

// What post_send and post_recv answer. With handle == kNoHandle the operation
// is over already and `completion` is its outcome (its handle is kNoHandle);
// otherwise its Completion comes out of drain() later, exactly once.
struct Posted {
  Handle handle;
  Completion completion;
};

struct Send {
  uint32_t dest;
  uint32_t context;  // of the communicator
  uint32_t tag;
  const void* data;
  uint64_t length;
  bool synchronous;  // done only when matched (MPI_Issend)
  // The data lie in the own arena, and a receive without a buffer need not copy them. Done when that has let go of them.
  bool lend = false;
  bool waits = false;  // the thread is about to wait for it, and may as well copy now
};

struct Receive {
  uint32_t source;   // or kAnySource
  uint32_t context;
  uint32_t tag;      // or kAnyTag
  void* data;        // nullptr with allocate
  uint64_t length;
  bool allocate;     // receive into a block of the own arena, whatever the length
  bool patient = false;  // its message can wait until the thread looks by itself
  bool waits = false;    // as for a send
};

struct Envelope {
  uint32_t source, tag;
  uint64_t length;
};

constexpr uint32_t kHandlerBuckets = 32;
// Of one rank, in its private memory: plain words that its thread and its handlers alone write, under the soft mask. Not
// slots per processor: those are counted in by restartable sequences, which handlers do not use (drivers/restartable.h).
struct Counters {
  uint64_t sends, receives;                  // requests completed without error
  uint64_t bytes_sent, bytes_received;       // of those
  uint64_t eager_sent, rendezvous_sent, pushed;  // pushed: those that found a receive advertised
  uint64_t interrupts_posted;                // notices that wanted the peer's CPU
  uint64_t interrupts_sent;                  // of those: an interrupt was asked of the driver
  uint64_t interrupts_suppressed;            // of those: the peer was attentive anyway
  uint64_t interrupts_handled;               // handler runs
  uint64_t interrupts_deferred;              // of those: found the engine masked
  uint64_t wakes_sent;                       // eventfd writes to peers
  uint64_t copied_bytes[4][2];               // [log2 CopyKind][0 as receiver, 1 as sender]
  uint64_t lent, borrowed;                   // messages that were lent to a peer, and by one
  uint64_t pieces_copied;                    // chunks, and pieces of pipelined transfers
  uint64_t slices_in_handler;                // chunks copied in handlers
  uint64_t batons_passed;
  uint64_t unexpected;                       // messages that found no posted receive
  uint64_t schedules, schedules_failed;      // collective operations completed, without error and with one
  uint64_t steps_in_handler;                 // of those operations, taken in handlers
  uint64_t handler_cycles[kHandlerBuckets];  // histogram: bucket i counts runs of 2^i <= cycles < 2^(i+1)
};

// One request as inspect() shows it.
struct RequestView {
  Handle handle;
  enum class Kind : uint32_t { Send, Receive, Collective } kind;
  enum class State : uint32_t { Queued, Offered, Posted, Matched, Active, Closing, Stalled, Done, Lent } state;
  uint32_t peer, tag, context;  // peer and tag may be wildcards while Posted
  uint64_t length, moved;       // bytes; moved by this end, or of a collective operation those of the steps begun
  uint32_t round, rounds;       // of a collective operation: in which it is, from 1 on, and of how many
};
// A message that is lent to this rank: it lies in the lender's arena.
struct Loan {
  uint32_t lender;
  uint64_t offset, length;  // bytes
};
struct QueueView {
  uint32_t posted, unexpected_eager, unexpected_rendezvous, active, queued_sends, slots_used;
};

class Trace;

class Engine {
 public:
  // Bytes of private memory one engine needs; most of it is touched only as
  // pairs talk, so give it a lazily backed mapping (MAP_NORESERVE).
  static uint64_t private_bytes(const Geometry& geometry);
  // False, with the reason's place in `what`, for a geometry no world may have.
  static bool valid(const Geometry& geometry, const char** what);
  // `memory`: zeroed, page-aligned, private. The own control segment must be
  // zeroed too; create() writes its header's attention and life (the other
  // fields of the header are bootstrap's).
  static Engine* create(void* memory, const Setup& setup);

  // ---- posting (thread) ---------------------------------------------------
  // A short message costs little more than the lines that come from the peer's cache: these have them come, all at once,
  // while the caller still looks at its arguments. Nothing else happens.
  void about_to_send(uint32_t dest) const;
  void about_to_receive(uint32_t source) const;
  // Buffers stay the engine's until the completion is out.
  Posted post_send(const Send& send);
  Posted post_recv(const Receive& receive);
  // A collective operation. Its steps and buffers have been checked, and its memory (schedule.h) stays the engine's
  // until its completion is out, with the error of whatever failed first and as tag the step it failed in: then nobody
  // touches a buffer of it.
  Posted post_schedule(Schedule* schedule);
  // Withdraws a receive that is not matched, or a send whose matching has not
  // begun, or gives a collective operation up. True: it completes with
  // Error::Cancelled. False: too late.
  bool cancel(Handle handle);
  // The first message that a receive with these arguments would match now.
  bool probe(uint32_t source, uint32_t context, uint32_t tag, Envelope* envelope);
  // The same, and takes it out of matching (MPI_Improbe): nothing but imrecv() with the handle receives it; what nobody
  // has received goes when this rank closes. kNoHandle: there is none, or with *error no request slot for it.
  Handle improbe(uint32_t source, uint32_t context, uint32_t tag, Envelope* envelope, Error* error);
  // Receives it (MPI_Imrecv); the completion has the same handle. Error::Closed: the handle names no such message.
  Posted imrecv(Handle handle, void* data, uint64_t length, bool allocate);
  // Can a receive from `source` get nothing but what is here already, because whoever could send is gone? Then `outcome`
  // is what it would fail with.
  bool unreachable(uint32_t source, Completion* outcome) const;

  // ---- progress (thread) --------------------------------------------------
  // Looks at everything pending and advances it. True: there is more that this
  // thread could do right now (chunks to copy).
  bool progress(Effort effort);
  // Pieces of transfers this rank has copied so far, in calls and handlers: a
  // waiter sees by it that a transfer moves.
  uint64_t pieces_copied() const;
  bool copying() const;                 // something matched is to be moved by this end
  bool transferring() const;            // messages of its own that are not over, or that it is receiving
  uint64_t interrupts_handled() const;  // handler runs
  // Takes up to `max` finished requests. Handles in them are free afterwards.
  uint32_t drain(Completion* out, uint32_t max);
  bool has_completions() const;
  uint32_t completions() const;  // how many
  // Receives without a buffer that found no committed block: commits memory
  // for them and lets them go on. Thread only; called where has_stalled().
  bool has_stalled() const;
  // Some receive has stalled, whether or not it is worth another try yet.
  bool waits_for_memory() const;
  void resume_stalled();
  bool is_stalled(Handle handle) const;
  // For a caller whose program gives no memory back while it waits: the stalled
  // receive completes with Error::NoMemory, and its message is there for the next
  // that fits, in its place in the order. False: it has not stalled, or memory
  // may still come back without the program.
  bool give_up_stalled(Handle handle);

  // ---- lent messages (thread) ----------------------------------------------
  // What the completion of a receive without a buffer has told of, by its handle, until give_back(). False: nothing.
  bool loan(Handle handle, Loan* out) const;
  // Nobody here looks at it any more; its sender is told. Nothing, where that has happened before.
  void give_back(Handle handle);

  // ---- waiting for an arrival (thread) -------------------------------------
  // While somebody waits for a message without a receive posted (MPI_Probe), an unexpected arrival, or the end of a
  // peer, is something to do before sleeping.
  void watch(bool on);
  bool has_sightings() const;
  // Whether there was one since it was asked last.
  bool take_sightings();

  // ---- attention (thread) -------------------------------------------------
  // Entering wait(): peers need not interrupt.
  void begin_polling();
  // About to sleep, as Sleeping (event loop) or Blocked (wait()). False: there
  // is something to do; the state is back to what it was before. A caller that
  // sleeps although this said false loses a wakeup.
  bool prepare_sleep(Attention how);
  // Awake again: Polling if `polling`, else Computing; passes on what only this
  // rank was advancing.
  void resume(bool polling);
  Attention attention() const;
  // Interrupts every rank that has something of ours, whether or not an
  // interrupt seems under way. For a waiter that sees no progress for about a
  // millisecond (then with back-off), and after a rank has died.
  // `everybody`: also those that have nothing of ours, because the rank that died
  // may have left an interrupt to one of them half sent.
  void kick(bool everybody = false);
  // Some rank that only an interrupt reaches has something of ours, and has not
  // looked since it was told: the interrupt may have been lost. A sleeping event
  // loop comes back then, and kicks.
  bool unanswered() const;

  // ---- ends (thread) ------------------------------------------------------
  // The peer is gone (pidfd or lifeline says so: it executes nothing any more).
  // What it delivered stays receivable. Idempotent.
  void peer_gone(uint32_t peer, Cause cause);
  // A rank that is gone, and of whose last life nothing runs any more, has come
  // back in a new one, which has not begun to write: everything towards it begins
  // anew. Messages of the old one that came whole, and that nobody has received,
  // stay if their context is `kept`. The memory of the old one is not touched
  // after this.
  void revive(uint32_t peer, const PeerMap& map, uint32_t kept);
  // What a peer has published of its life; a peer that closes is noticed by
  // progress() and shows here.
  Life peer_life(uint32_t peer) const;
  bool peer_is_gone(uint32_t peer) const;
  Cause peer_cause(uint32_t peer) const;
  // How many peers progress() has found Closed; each is gone, with that cause.
  uint32_t closed_peers() const;
  // Starts closing: fails own receives (Error::Closed) and tells all peers.
  void begin_close();
  // All own sends are over and no peer touches this rank's buffers.
  bool quiescent() const;
  // No request slot is in use: nothing of this rank's can be touched at all.
  bool idle() const;
  // Fails what is still unfinished (after close's timeout, or at environment
  // teardown); quiescent() tells when the last transfer has let go.
  void abandon(Error error);
  // Something of the peer's may still be inside a copy from or to this rank's
  // buffers; after an abandon() nothing but.
  bool peer_may_touch(uint32_t peer) const;
  // More exactly: it has claimed a piece of a transfer that was given up here, and
  // has not said that it is copied.
  bool peer_inside_copy(uint32_t peer) const;
  // The same as peer_may_touch() afterwards, without an engine: whether a peer that has such a copy
  // has finished it, as it does when it has seen that this rank is gone.
  static bool peer_has_let_go(const Geometry& geometry, const PeerMap& map, uint32_t rank);
  // Last word: Closed after a close, Exited when the environment ends without.
  void publish_life(Life life);

  // ---- arena (thread) -----------------------------------------------------
  // A block of the own heap segment, committed; kNoHeap: no memory. Not zeroed.
  uint64_t heap_alloc(uint64_t bytes);
  void heap_free(uint64_t offset);

  // ---- looking (thread) ---------------------------------------------------
  void counters(Counters* out);
  void queues(QueueView* out) const;
  // Calls `visit` for every request that is not free.
  void each_request(void (*visit)(void*, const RequestView&), void* to) const;
  // Records the timeline there from now on; null: no more. The memory is the caller's (trace.h).
  void record(Trace* trace);
  // What stands in it is not written to any more: the next short message is another event, though alike.
  void seal_trace();
  // For the timeline, what the calls above do not tell: that a wait goes on (Polling), and that JavaScript is about to run
  // in the middle of what counts as Sleeping (Computing).
  void record_turn(Attention to);
  // How a large message from/to this peer would travel: one CopyKind bit.
  uint32_t copy_kind(uint32_t peer) const;

  // ---- interrupt context --------------------------------------------------
  void on_interrupt();

 protected:
  Engine() = default;
};

}  // namespace uintr
