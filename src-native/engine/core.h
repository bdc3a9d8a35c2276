// The engine's state and the work on it, seen from inside. Every function here
// runs with the soft mask raised, in the thread or in its handler; engine.cc is
// the only way in.
//
// One file per matter:
//   engine.cc    the way in and out (mask), set-up
//   send.cc      posting, offering and withdrawing sends
//   receive.cc   posting, matching and cancelling receives; arena blocks for them
//   probe.cc     looking for messages, and taking one to receive it later
//   inbound.cc   records out of the rings
//   advert.cc    receives that their senders match
//   reply.cc     Match and Fin towards peers, also when the ring is full
//   lend.cc      messages that stay where they are, and are lent
//   schedule.cc  collective operations
//   transfer.cc  chunks: claiming, copying, the baton, the end of a transfer
//   notice.cc    notices, attention and sleeping
//   ends.cc      closing, peers that are gone or faulty
//   views.cc     counters and inspection
//   trace.cc     the timeline
#pragma once

#include "engine/arena.h"
#include "engine/claim.h"
#include "engine/engine.h"
#include "engine/match.h"
#include "engine/posted.h"
#include "engine/records.h"
#include "engine/slots.h"
#include "engine/soft_mask.h"
#include "engine/trace.h"
#include "engine/unexpected.h"

namespace uintr {

struct Partner {
  RingWriter data_out, reply_out;
  RingReader data_in, reply_in;
  const Shared<uint32_t>* attention;
  const Shared<uint32_t>* life;
  const Shared<uint32_t>* posted;
  const Outbound* theirs;                    // what the peer says as producer towards us
  Outbound* mine;                            // and we towards it
  const Shared<uint64_t>* their_released;    // eager credit the peer has given back to us
  Shared<uint64_t>* my_released;             // and we to it
  const Shared<uint64_t>* their_adverts;     // receives of the peer that we may match
  Shared<uint64_t>* my_adverts;              // and of ours that it may
  const PublicSlot* slots;
  Shared<uint64_t>* my_copying;              // the send of the peer's that we copy from unannounced
  const Shared<uint64_t>* their_copying;     // and of ours that it does
  MatchWord* match_words;                    // of the peer's slots
  Doorbell* bell;
  unsigned char* heap;
  int32_t pid;
  uint64_t nonce, nonce_address;  // PeerMap's
  bool interruptible;
  uint32_t kinds;             // CopyKind bits we can use on the peer's buffers
  // Eager credit. Of a peer that has come back, what it still holds from before counts as given back less than nothing.
  uint64_t blocks_sent;       // ever used towards the peer
  uint64_t blocks_returned;   // of that, what it had given back when we last looked
  uint64_t blocks_released;   // ever given back to it
  UnexpectedQueue::Pool pool;
  List queued;                // own sends that are not offered yet, in order
  List owed;                  // own slots that owe the peer a reply
  uint32_t adverts;           // which of my_adverts are in use, as bits
  uint32_t advertised[kAdverts];  // and the slots that are advertised there
  uint64_t taken[kAdverts];   // of their_adverts: what we have matched there, once and for all
  uint32_t unseen;            // so many times yet its coming to wait is not looked for,
  uint32_t unheeded;          // and so many times whether it looks by itself
  uint32_t pipelines;         // own pipelined sends on the way to it
  uint32_t outstanding;       // own sends not done, and receives being moved
  bool ring_ready;            // the data ring towards it is committed
  bool gone;
  bool faulty;                // wrote what no correct engine writes; failed by the thread soon
  bool closing;               // its Life said Closing: it receives nothing new
  Cause cause;
};

// What a notice asks of its receiver.
enum class Need : uint32_t {
  Look,   // there is something for you: it is enough that you look before you sleep
  Match,  // an envelope, or data of a collective operation: needs your CPU if you have a receive posted for it
  Cpu,    // a baton, a reply, room in a ring: needs your CPU
};

struct Core : Engine {
  // ---- memory and set-up
  Layout layout;
  uint32_t rank, size;
  uint32_t slice_bytes;
  uint64_t handler_cycles, glance_cycles;
  bool interrupts, interrupt_wakes, trusts_bitmap;
  Ports ports;
  unsigned char* control;  // own segment
  ControlHeader* header;
  PublicSlot* public_slots;
  MatchWord* match_words;  // of own slots
  Doorbell* bell;
  unsigned char* heap;
  Partner* peers;

  // ---- requests
  SoftMask mask;
  Slot* slots;
  uint32_t free_head;       // index + 1 of the first unused slot, linked by Slot::links.next
  uint32_t slots_touched;   // slots ever used
  uint32_t slots_committed; // slots whose public words and match words exist
  uint32_t slots_used;
  PostedQueue posted;
  UnexpectedQueue unexpected;
  Arena arena;
  List done;                // completion list, by Slot::links
  uint32_t done_count;      // of it
  List stalled;             // receives that wait for arena memory, by Slot::links
  List work;                // transfers this rank may copy for, by Slot::work
  List ready;               // schedules that can go on, by Slot::links
  uint32_t running_schedules;
  uint32_t open_sends, open_transfers, owed_replies;
  uint32_t turn;            // counts runs
  bool survey_due;          // the next run looks at every peer, whatever the bitmap says
  bool handling;            // this run is a handler's, which waits for nothing
  bool inside;              // Attention::Inside is published, in place of `state`
  uint64_t budget;          // bytes that this run may still copy, all transfers together
  uint64_t ends_at;         // when a handler's run has copied long enough, by the time-stamp counter; 0: no matter
  uint32_t last_lost;       // the peer whose end left this rank alone, or kNone
  uint32_t closed_peers;    // that were seen to be Closed, rather than told to be gone
  Life life;
  Attention state;          // own copy of the published attention
  bool peers_changed;       // a peer turned faulty or published a new Life: the thread's business
  bool retry_stalled;       // a receive stalled, or arena memory came back
  bool watching, sighted;   // probes wait; an unexpected message has come, or a peer gone
  bool posted_parts;        // a schedule has posted a receive in this run
  uint32_t posts_since_look;  // receives posted, or over at once, since what is pending was looked at
  Counters count;
  Trace* trace;             // null: nothing is recorded
  Attention traced_attention;  // as the timeline has it
  uint64_t traced_short;       // where the latest short message stands in it,
  uint32_t traced_alike;       // and how many that follow it at once may be counted there

  LinksOf<Slot, &Slot::links> links() const { return {slots}; }
  LinksOf<Slot, &Slot::work> work_links() const { return {slots}; }
  LinksOf<Slot, &Slot::owes> owes_links() const { return {slots}; }
  LinksOf<Slot, &Slot::part> part_links() const { return {slots}; }
  uint32_t index(const Slot& s) const { return static_cast<uint32_t>(&s - slots); }

  // ---- engine.cc
  void attach_peer(uint32_t peer, const PeerMap& map);
  bool run(Effort effort);                 // all pending sources, then transfers; true: more to copy
  void run_as_handler();
  [[gnu::noinline]] void run_deferred();  // it does not burden who has nothing to make up for
  void leave();
  void service(uint32_t peer, Effort effort);
  void survey(Effort effort);
  uint32_t take_slot();                    // thread only; kNone: none left, or no memory
  Slot& renew(uint32_t i);                 // under a new generation
  void free_slot(uint32_t i);
  Slot* slot_of(uint32_t slot, uint32_t generation);  // a live one, or nullptr
  void finish(Slot& s, Error error, Cause cause = Cause::None);  // to the completion list
  void outcome(const Slot& s, Completion* out) const;

  // ---- send.cc
  Posted post_send_now(const Send& send);
  bool ensure_ring(Partner& p, uint32_t peer);
  bool can_send_to(uint32_t peer, Error* error, Cause* cause) const;
  bool send_eagerly(const Send& send, Need need);
  bool push_eager(Partner& p, uint32_t context, uint32_t tag, const void* data, uint64_t length);
  void queue_send(Slot& s);
  void flush_sends(uint32_t peer, Effort effort);
  bool withdraw(Slot& s, Error error, Cause cause);
  bool plausible(const Slot& s, const RecordHeader& h, const MatchBody& b) const;
  static void meet(Slot& s, const RecordHeader& h, const MatchBody& b);
  void on_match(uint32_t peer, const RecordHeader& h, const MatchBody& b, Effort effort);

  // ---- receive.cc
  Posted post_recv_now(const Receive& receive);
  bool receive_from_ring(const Receive& receive, Completion* out);
  void received_short(const Receive& receive, uint32_t source, uint32_t tag, uint64_t length, Completion* out);
  void look(Effort effort);
  uint32_t find_unexpected(uint32_t context, uint32_t source, uint32_t tag);
  uint32_t claim_unexpected(uint32_t entry, uint32_t context, uint32_t source, uint32_t tag);
  void on_eager(uint32_t peer, const RecordHeader& h);
  void take_eager(uint32_t peer, const RecordHeader& h, uint32_t i);
  bool next_eager(Partner& p, RecordHeader* h) const;
  void on_rts(uint32_t peer, const RecordHeader& h, const RtsBody& b, Effort effort);
  void describe(Slot& s, void* data, uint64_t length, bool allocate);
  void receive_entry(Slot& s, uint32_t entry, Effort effort);
  void receive_matched(Slot& s, Effort effort);
  void copy_out(uint32_t entry, unsigned char* to, uint64_t n);
  void release_entry(uint32_t entry);
  bool place(Slot& s);                     // gives an allocating receive its block; false: none committed
  void post(uint32_t i);
  void unpost(uint32_t i);
  void stall(Slot& s);
  void resume_stalled_now();
  void hand_back(Slot& s);                 // thread only
  bool blocks_under_way() const;
  void reserve_for_handlers();             // thread only, likewise
  uint64_t allocate(uint64_t bytes);       // thread only: commits memory where that is needed
  void attach(Slot& s, uint32_t entry);

  // ---- schedule.cc
  Posted post_schedule_now(Schedule& c);
  bool add_part(Schedule& c);
  Slot& take_part(Schedule& c, const ScheduleStep& step);
  void return_part(Slot& s);
  void release_parts(Schedule& c);
  void post_part(Slot& s, Effort effort);
  void part_over(Slot& s);
  void take_back_parts(Schedule& c);
  void make_ready(Schedule& c);
  void advance_schedules(Effort effort, bool first);
  bool go_on(Schedule& c, Effort effort);  // false: it could at once, but for the budget
  bool local_step(Schedule& c, const ScheduleStep& step);
  static uint64_t copy_piece(const ScheduleStep& step, uint64_t done, uint64_t most);
  void message_step(Schedule& c, const ScheduleStep& step, Effort effort);
  void fail_schedule(Schedule& c, Error error, Cause cause, uint32_t peer, uint32_t step, uint64_t total);
  void fail_schedules(Error error);        // thread only
  void complete(Schedule& c);
  void come_back();

  // ---- advert.cc
  bool worth_advertising(const Slot& s) const;
  void advertise(uint32_t i);
  void hide(Slot& s);
  bool retract(Slot& s);
  bool take_back(uint32_t i);
  void note_taken(Slot& s);
  uint32_t find_posted(uint32_t context, uint32_t source, uint32_t tag);
  void stop_advertising(uint32_t peer);
  void on_taken(Slot& s, const RecordHeader& h, const MatchBody& b, Effort effort);
  bool match_advertised(Slot& s, Effort effort);

  // ---- lend.cc
  void borrow(Slot& s);
  void on_borrowed(Slot& s);
  void let_go(Slot& s, Error error);       // thread only
  void end_loans(Error error);             // thread only

  // ---- inbound.cc
  void drain_data(uint32_t peer, Effort effort);
  void drain_replies(uint32_t peer, Effort effort);
  bool match_lies_unheard(const Slot& s);
  void give_space_back(uint32_t peer);     // of its data ring
  void release_credit(Partner& p, uint32_t blocks);

  // ---- reply.cc
  void owe_match(Slot& s, Need need);
  void owe_fin(Slot& s, Error error, uint32_t sys_errno);
  void disown(uint32_t peer, const RecordHeader& m, const MatchBody& b);
  void owe(Slot& s, uint8_t what, Need need);
  void flush_owed(uint32_t peer);
  bool push_owed(Slot& s);

  // ---- transfer.cc
  void start_receiving(Slot& s, Effort effort);
  void start_sending(Slot& s, Effort effort);
  bool advance_all(Effort effort);         // true: more that this thread could copy
  bool advance(Slot& s, Effort effort);
  bool left_to_peer(const Slot& s) const;
  void say_claim(const Slot& s, uint32_t flags);
  void say_copying(const Slot& s, bool copying);
  claim::Seen other_end(const Slot& s) const;
  bool any_left(const Slot& s) const;
  bool claim_next(Slot& s);
  bool copy_next(Slot& s);                 // one chunk; false: nothing claimed
  bool copy_unannounced(Slot& s);          // the only chunk; false: not copied
  long copy_chunk(Slot& s, uint32_t chunk);
  void copy_failed(Slot& s, long result);
  void conclude(Slot& s);
  void pass_baton(Slot& s);
  bool holds_baton(const Slot& s) const;
  bool push_data(Slot& s);
  void charge(uint64_t bytes) {
    budget -= budget < bytes ? budget : bytes;
    if (ends_at != 0 && arch::cycles() > ends_at) budget = 0;
  }
  void on_data(uint32_t peer, const RecordHeader& h, const DataBody& b);
  void on_fin(uint32_t peer, const RecordHeader& h);
  void settle(Slot& s, Error error, Cause cause, bool tell);
  void close_transfer(Slot& s, Error error, Cause cause, uint32_t sys_errno);
  bool other_end_inside(const Slot& s) const;
  bool copies_unannounced(const Slot& s) const;
  bool received_after_all(const Slot& s);
  static uint32_t chunk_for(uint64_t length);
  static uint32_t best_kind(uint32_t kinds, bool in_heap);
  uint32_t usable_kind(const Slot& s) const;
  void to_work(Slot& s);
  void off_work(Slot& s);

  // ---- notice.cc
  void notify(uint32_t peer, Need need);
  bool looks_by_itself(uint32_t peer);
  bool comes_to_wait(const Slot& s);
  void say_inside();
  void come_out();
  bool anything_pending() const;
  bool overlooked(const Partner& p) const;
  bool anything_overlooked() const;
  bool something_to_do();
  bool may_have_something_of_ours(const Partner& p) const;
  bool attentive(uint32_t peer) const;     // the peer is at it, or will be as soon as it is woken

  // ---- trace.cc: where traced()
  bool traced() const { return __builtin_expect(trace != nullptr, false); }
  uint64_t clock() const { return traced() ? trace->now() : 0; }
  void trace_turn(Attention to) {
    if (to != traced_attention) trace_attention(to, trace->now());
  }
  UINTR_RARE_CALL void trace_attention(Attention to, uint64_t at);
  UINTR_RARE_CALL void trace_wait(uint64_t at);  // one that does more than look is shown from there on, however short
  [[gnu::noinline]] void trace_post(TraceWhat what, Handle handle, uint32_t peer, uint32_t context, uint32_t tag,
                                    uint64_t bytes);
  [[gnu::noinline]] void trace_short(TraceWhat what, uint32_t peer, uint32_t context, uint32_t tag, uint64_t bytes);
  UINTR_RARE_CALL void trace_match(const Slot& s);
  [[gnu::noinline]] void trace_completion(const Slot& s);  // out of finish(), which calls others anyway
  UINTR_RARE_CALL void trace_interrupt(uint32_t peer);  // before it is sent
  bool unnoticed(const Partner& p) const { return p.theirs->interrupt_at.acquire() != p.mine->noticed_at.relaxed(); }
  UINTR_RARE_CALL void trace_notice(uint32_t peer);
  UINTR_RARE_CALL void trace_wake(uint32_t peer);
  UINTR_RARE_CALL void trace_run(TraceWhat what, uint64_t began, uint32_t detail);
  UINTR_RARE_CALL void trace_copy(const Slot& s, uint32_t kind, uint64_t bytes, uint64_t began);

  // ---- ends.cc
  void fault(uint32_t peer);
  void see_changes();
  void lose_peer(uint32_t peer, Cause cause, Error error);
  void fail_sends_to(uint32_t peer);
  void fail_posted(Error error);
  void fail_matched(Slot& s, Error error);
};

inline Core* core(Engine* e) { return static_cast<Core*>(e); }
inline const Core* core(const Engine* e) { return static_cast<const Core*>(e); }

// Raises the soft mask for a call of the thread; on the way out does what
// handlers left behind in the meantime.
struct Inside {
  explicit Inside(Core* c) : core_(c) { core_->mask.raise(); }
  ~Inside() { core_->leave(); }
  Core* core_;
};

// Addresses of user buffers travel as integers; this is the one place where one
// becomes a pointer, for peers in the same address space.
inline unsigned char* as_pointer(uint64_t address) { return reinterpret_cast<unsigned char*>(address); }

}  // namespace uintr
