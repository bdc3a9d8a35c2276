// The way in and out of the engine, and its set-up.
#include "engine/core.h"
#include "engine/failpoint.h"
#include "engine/sizes.h"

namespace uintr {

namespace {

// Hands out parts of the private memory, or only counts them (base == nullptr).
struct Carver {
  unsigned char* base;
  uint64_t used;
  template <class T>
  T* take(uint64_t n) {
    used = round_up(used, 64);
    T* at = base == nullptr ? nullptr : reinterpret_cast<T*>(base + used);
    used += n * sizeof(T);
    return at;
  }
};

uint32_t chain_count(const Geometry& g) {
  uint32_t n = 64;
  while (n < g.max_requests / 4) n *= 2;
  return n;
}

struct Parts {
  Core* core;
  Partner* peers;
  Slot* slots;
  List *posted_chains, *unexpected_chains;
  Unexpected* entries;
  unsigned char* blocks;
  Arena::Unit* units;
};

uint64_t carve(unsigned char* memory, const Geometry& g, Parts* out) {
  Carver c{memory, 0};
  out->core = c.take<Core>(1);
  out->peers = c.take<Partner>(g.size);
  out->slots = c.take<Slot>(g.max_requests);
  out->posted_chains = c.take<List>(chain_count(g));
  out->unexpected_chains = c.take<List>(chain_count(g));
  c.used = round_up(c.used, 4096);
  out->entries = c.take<Unexpected>(UnexpectedQueue::entries_needed(g));
  out->blocks = c.take<unsigned char>(uint64_t{g.size} * g.credit_blocks * kBlockBytes);
  out->units = c.take<Arena::Unit>(Arena::units_for(g.heap_bytes));
  return round_up(c.used, 4096);
}

constexpr uint32_t kCommitStep = 256;  // slots

// Word by word, because `rep stos`, which an assignment becomes, takes longer to start than this takes.
void clear(Slot& s) {
  using Word [[gnu::may_alias]] = uint64_t;
  static_assert(sizeof(Slot) % sizeof(Word) == 0);
  auto* words = reinterpret_cast<Word*>(&s);
  for (size_t i = 0; i < sizeof(Slot) / sizeof(Word); ++i) words[i] = 0;
}

}  // namespace

bool Engine::valid(const Geometry& g, const char** what) {
  auto power_of_two = [](uint64_t n) { return n != 0 && (n & (n - 1)) == 0; };
  *what = "size";
  if (g.size == 0 || g.size > kMaxRanks) return false;
  *what = "maxRequests";
  if (g.max_requests < 16 || g.max_requests > kMaxRequests) return false;
  *what = "ringBytes";
  if (!power_of_two(g.ring_bytes) || g.ring_bytes < 1024 || g.ring_bytes > (1u << 30)) return false;
  *what = "eagerLimit";
  if (g.eager_limit > g.ring_bytes / 4) return false;
  *what = "unexpectedBytes";
  if (g.credit_blocks < UnexpectedQueue::blocks_for(g.eager_limit)) return false;
  if (UnexpectedQueue::entries_needed(g) >= kAnySource) return false;
  *what = "rejoin";
  if (g.elastic > 1) return false;
  *what = "heapBytes";
  if (g.heap_bytes == 0 || g.heap_bytes % kUnitBytes != 0 || g.heap_bytes > (1ull << 39)) return false;
  return true;
}

uint64_t Engine::private_bytes(const Geometry& g) {
  Parts parts;
  return carve(nullptr, g, &parts);
}

Engine* Engine::create(void* memory, const Setup& setup) {
  const Geometry& g = setup.geometry;
  Parts parts;
  carve(static_cast<unsigned char*>(memory), g, &parts);
  Core* c = parts.core;
  c->layout = Layout{g};
  c->rank = setup.rank, c->size = g.size;
  c->slice_bytes = setup.slice_bytes;
  c->handler_cycles = setup.handler_cycles;
  c->glance_cycles = setup.glance_cycles;
  c->interrupts = setup.interrupts, c->interrupt_wakes = setup.interrupt_wakes;
  c->trusts_bitmap = setup.trusts_bitmap;
  c->ports = setup.ports;
  c->control = const_cast<unsigned char*>(setup.peers[setup.rank].control);
  c->header = reinterpret_cast<ControlHeader*>(c->control);
  c->public_slots = reinterpret_cast<PublicSlot*>(c->control + c->layout.slot(0));
  c->match_words = reinterpret_cast<MatchWord*>(setup.world + c->layout.match_word(c->rank, 0));
  c->bell = reinterpret_cast<Doorbell*>(setup.world + c->layout.doorbell(c->rank));
  c->heap = setup.peers[setup.rank].heap;
  c->peers = parts.peers;
  c->slots = parts.slots;
  c->posted.attach(parts.posted_chains, chain_count(g), parts.slots);
  c->unexpected.attach(parts.unexpected_chains, chain_count(g), parts.entries, parts.blocks, g);
  c->arena.attach(parts.units, g.heap_bytes);

  for (uint32_t i = 0; i < g.size; ++i) {
    c->peers[i].match_words = reinterpret_cast<MatchWord*>(setup.world + c->layout.match_word(i, 0));
    c->peers[i].bell = reinterpret_cast<Doorbell*>(setup.world + c->layout.doorbell(i));
    c->attach_peer(i, setup.peers[i]);
  }
  c->last_lost = kNone;
  c->life = Life::Active;
  c->header->life.release(static_cast<uint32_t>(Life::Active));
  c->header->attention.release(static_cast<uint32_t>(Attention::Computing));
  return c;
}

// What this rank and the peer have written so far is nothing, or what Engine::revive() has left.
void Core::attach_peer(uint32_t peer, const PeerMap& m) {
  Partner& p = peers[peer];
  auto* to = reinterpret_cast<Outbound*>(control + layout.outbound(peer));
  auto* from = reinterpret_cast<Inbound*>(control + layout.inbound(peer));
  auto* their_out = reinterpret_cast<const Outbound*>(m.control + layout.outbound(rank));
  auto* their_in = reinterpret_cast<const Inbound*>(m.control + layout.inbound(rank));
  auto* theirs = reinterpret_cast<const ControlHeader*>(m.control);
  uint32_t ring_bytes = layout.g.ring_bytes;
  p.data_out.attach(control + layout.data_ring(peer), ring_bytes, &to->data_tail, &their_in->data_head,
                    &to->want_data_space);
  p.reply_out.attach(control + layout.reply_ring(peer), kReplyRingBytes, &to->reply_tail, &their_in->reply_head,
                     &to->want_reply_space);
  p.data_in.attach(m.control + layout.data_ring(rank), ring_bytes, &their_out->data_tail, &from->data_head,
                   &their_out->want_data_space);
  p.reply_in.attach(m.control + layout.reply_ring(rank), kReplyRingBytes, &their_out->reply_tail, &from->reply_head,
                    &their_out->want_reply_space);
  p.attention = &theirs->attention;
  p.life = &theirs->life;
  p.posted = &theirs->posted;
  p.theirs = their_out;
  p.their_released = &their_in->released_blocks;
  p.my_released = &from->released_blocks;
  p.their_adverts = their_in->adverts;
  p.my_adverts = from->adverts;
  p.my_copying = &from->copying;
  p.their_copying = &their_in->copying;
  p.slots = reinterpret_cast<const PublicSlot*>(m.control + layout.slot(0));
  p.heap = m.heap;
  p.pid = m.pid;
  p.nonce = m.nonce, p.nonce_address = m.nonce_address;
  p.interruptible = interrupts && m.interruptible;
  p.kinds = m.absent ? 0 : peer == rank ? uint32_t{kCopyDirect} : m.copy_kinds;
  p.mine = to;
  p.mine->copy_kinds.set_relaxed(p.kinds);
  // Less than nothing, where this rank comes back and the peer still keeps messages of its life before.
  p.blocks_returned = m.absent ? 0 : p.their_released->acquire();
  p.gone = m.absent;
  p.cause = m.absent ? Cause::Killed : Cause::None;
}

// ---- requests -------------------------------------------------------------

uint32_t Core::take_slot() {
  uint32_t i;
  if (free_head != 0) {
    i = free_head - 1;
    free_head = slots[i].links.next;
  } else {
    if (slots_touched == layout.g.max_requests) return kNone;
    if (slots_touched == slots_committed) {
      uint32_t n = layout.g.max_requests - slots_committed;
      if (n > kCommitStep) n = kCommitStep;
      if (!ports.commit(ports.self, Ports::Segment::Control, layout.slot(slots_committed), n * sizeof(PublicSlot)) ||
          !ports.commit(ports.self, Ports::Segment::World, layout.match_word(rank, slots_committed), n * sizeof(MatchWord)))
        return kNone;
      slots_committed += n;
      UINTR_FAILPOINT("slots.committed");
    }
    i = slots_touched++;
  }
  renew(i);
  ++slots_used;
  return i;
}

Slot& Core::renew(uint32_t i) {
  Slot& s = slots[i];
  uint32_t generation = s.generation + 1;
  if (generation == 0) generation = 1;
  clear(s);
  s.generation = generation;
  s.heap_offset = s.remote_heap = kNoHeap;
  s.entry = kNone;
  public_slots[i].claim.release(claim::make(generation, 0));
  public_slots[i].passes.release(uint64_t{generation} << 32);
  return s;
}

void Core::free_slot(uint32_t i) {
  if (slots[i].schedule != nullptr) return return_part(slots[i]);
  slots[i].state = SlotState::Free;
  slots[i].links.next = free_head;
  free_head = i + 1;
  --slots_used;
}

Slot* Core::slot_of(uint32_t slot, uint32_t generation) {
  if (slot >= slots_touched) return nullptr;
  Slot& s = slots[slot];
  return s.state != SlotState::Free && s.generation == generation ? &s : nullptr;
}

// The request is over: to the completion list, or a schedule's message, which
// that goes on from. It hangs in no other list any more, and the other end
// touches its buffer no more.
void Core::finish(Slot& s, Error error, Cause cause) {
  bool matched = s.state == SlotState::Active || s.state == SlotState::Closing || s.state == SlotState::Stalled ||
                 s.state == SlotState::Matched || s.state == SlotState::Taken;
  if (!is_receive(s)) {
    --open_sends;
    --peers[s.peer].outstanding;
    if ((s.flags & kPipelined) != 0) --peers[s.peer].pipelines;
  } else if (matched) {
    --open_transfers;
    --peers[s.peer].outstanding;
  }
  off_work(s);
  // Whoever scribbles over a match word can have the two ends of a message disagree whether it is matched: one that
  // believes so copies nothing more.
  if (error != Error::None && error != Error::Truncated) say_claim(s, claim::kOver);
  if (error == Error::None || error == Error::Truncated) {
    (is_receive(s) ? count.receives : count.sends) += 1;
    (is_receive(s) ? count.bytes_received : count.bytes_sent) += is_receive(s) ? s.total : s.length;
  } else if ((s.flags & kAllocate) != 0 && s.heap_offset != kNoHeap) {
    arena.give(s.heap_offset);
    s.heap_offset = kNoHeap;
    retry_stalled = true;
  }
  UINTR_FAILPOINT("request.finishing");
  s.state = SlotState::Done;
  s.error = error;
  s.cause = cause;
  if (s.schedule != nullptr) return part_over(s);
  if (traced()) trace_completion(s);
  ++done_count;
  list_append(&done, index(s), links());
}

void Core::outcome(const Slot& s, Completion* out) const {
  out->handle = make_handle(index(s), s.generation);
  out->error = s.error;
  out->cause = s.cause;
  out->source = is_receive(s) || s.error == Error::PeerExited ? s.peer : rank;
  out->tag = s.collective != nullptr ? s.collective->failed : s.tag;
  out->length = is_receive(s) || s.error == Error::CopyFailed ? s.total : s.length;
  out->heap_offset = (s.flags & kAllocate) == 0 ? kNoHeap : borrows(s) ? s.remote_heap | kLent : s.heap_offset;
}

// ---- progress ---------------------------------------------------------------

void Core::service(uint32_t peer, Effort effort) {
  Partner& p = peers[peer];
  if (p.gone) return;
  if (traced() && unnoticed(p)) trace_notice(peer);
  // Read before the rings: what a peer published before it said Closed is in
  // them, and must be taken before it counts as gone (ends.cc).
  Life seen = static_cast<Life>(p.life->acquire());
  if (seen == Life::Closing || seen == Life::Closed) peers_changed |= !p.closing || seen == Life::Closed;
  if (!p.faulty) {
    UINTR_FAILPOINT("run.servicing");
    drain_replies(peer, effort);
    drain_data(peer, effort);
  }
  if (!p.faulty) {
    UINTR_FAILPOINT("run.emptied");
    flush_owed(peer);
    flush_sends(peer, effort);
  }
}

// Whoever has something for this rank, also where its bit is gone.
void Core::survey(Effort effort) {
  survey_due = false;
  for (uint32_t i = 0; i < size; ++i)
    if (overlooked(peers[i])) service(i, effort);
}

bool Core::run(Effort effort) {
  budget = effort == Effort::Idle ? kIdleBudget : kMaxSlice;
  ++turn;
  // Not in handlers: their threads look before they sleep, and are woken where they do (something_to_do).
  if (!trusts_bitmap && effort != Effort::Handler && (survey_due || turn % kLooksPerSurvey == 0)) survey(effort);
  uint32_t words = (size + 63) / 64;
  bool again, first = true;
  do {
    for (uint32_t w = 0; w < words; ++w) {
      const uint64_t seen = bell->pending[w].load_sc();
      if (seen == 0) continue;
      // Taking the bits waits for their line, and then the ring's lines would be waited for one after another.
      const uint32_t next = w * 64 + static_cast<uint32_t>(__builtin_ctzll(seen));
      if (next < size) peers[next].data_in.prefetch();
      // SYNC POINT: pending. The bits are taken before the rings are read; a
      // source that publishes after that sets its bit again.
      uint64_t bits = bell->pending[w].exchange_sc(0);
      UINTR_FAILPOINT("run.bits_taken");
      while (bits != 0) {
        uint32_t source = w * 64 + static_cast<uint32_t>(__builtin_ctzll(bits));
        bits &= bits - 1;
        if (source < size) service(source, effort);
      }
    }
    // Messages to oneself: everything they need happens right here.
    again = effort != Effort::Handler && (bell->pending[rank / 64].relaxed() & (1ull << (rank % 64))) != 0;
    if (effort != Effort::Handler && peers_changed) see_changes();
    if (ready.empty()) continue;
    posted_parts = false;
    advance_schedules(effort, first);
    first = false;
    // SYNC POINT: posted. What was posted for them is published; then the bitmap is looked at once more.
    again |= posted_parts && anything_pending();
  } while (again);
  bool more = work.empty() ? false : advance_all(effort);
  return more || !ready.empty();
}

void Core::run_as_handler() {
  uint64_t sent = count.interrupts_sent;
  ends_at = handler_cycles != 0 ? arch::cycles() + handler_cycles : 0;
  handling = true;
  UINTR_FAILPOINT("handler.begun");
  run(Effort::Handler);
  UINTR_FAILPOINT("handler.ran");
  handling = false;
  ends_at = 0;
  // A sleeper's loop is to settle what is done, to copy on at full speed, and to
  // watch over interrupts that this run has sent (unanswered); wait() does anyway.
  bool watch = state == Attention::Sleeping && count.interrupts_sent != sent;
  if (watch || ((state == Attention::Sleeping || state == Attention::Blocked) && something_to_do())) {
    ports.wake(ports.self, rank);
  }
}

void Core::run_deferred() {
  uint64_t began = clock();
  if (traced()) trace_wait(began);
  run_as_handler();
  if (traced()) trace_run(TraceWhat::Deferred, began, 0);
}

// Lowers the mask, and does what handlers have left undone meanwhile.
void Core::leave() {
  if (inside) come_out();
  while (mask.lower_with_note()) run_deferred();
  if (!ready.empty()) come_back();
}

void Engine::on_interrupt() {
  Core* c = core(this);
  uint64_t begin = arch::cycles();
  uint64_t began = c->clock();
  ++c->count.interrupts_handled;
  if (!c->mask.try_raise_from_handler()) {
    ++c->count.interrupts_deferred;
    if (c->traced()) c->trace_run(TraceWhat::Handler, began, 1);
    return;
  }
  if (c->traced()) c->trace_wait(began);
  c->run_as_handler();
  c->leave();
  uint64_t took = arch::cycles() - begin;
  uint32_t bucket = took == 0 ? 0 : 63 - static_cast<uint32_t>(__builtin_clzll(took));
  ++c->count.handler_cycles[bucket < kHandlerBuckets ? bucket : kHandlerBuckets - 1];
  if (c->traced()) c->trace_run(TraceWhat::Handler, began, 0);
}

bool Engine::progress(Effort effort) {
  Core* c = core(this);
  Inside inside(c);
  return c->run(effort);
}

uint64_t Engine::pieces_copied() const { return core(this)->count.pieces_copied; }
bool Engine::copying() const { return !core(this)->work.empty(); }
bool Engine::transferring() const { return core(this)->open_sends != 0 || core(this)->open_transfers != 0; }
uint64_t Engine::interrupts_handled() const { return core(this)->count.interrupts_handled; }

uint32_t Engine::drain(Completion* out, uint32_t max) {
  Core* c = core(this);
  Inside inside(c);
  uint32_t n = 0;
  while (n < max && !c->done.empty()) {
    uint32_t i = c->done.head - 1;
    Slot& s = c->slots[i];
    list_remove(&c->done, i, c->links());
    --c->done_count;
    c->outcome(s, &out[n++]);
    UINTR_FAILPOINT("request.drained");
    if (borrows(s))
      s.state = SlotState::Lent;  // until give_back()
    else if ((s.flags & (kOwesMatch | kOwesFin)) != 0)
      s.flags |= kDrained;  // freed when its reply has found room (reply.cc)
    else
      c->free_slot(i);
  }
  return n;
}

bool Engine::has_completions() const { return !core(this)->done.empty(); }
uint32_t Engine::completions() const { return core(this)->done_count; }
bool Engine::has_stalled() const { return core(this)->retry_stalled && !core(this)->stalled.empty(); }
bool Engine::waits_for_memory() const { return !core(this)->stalled.empty(); }

void Engine::resume_stalled() {
  Core* c = core(this);
  Inside inside(c);
  c->resume_stalled_now();
  if (c->anything_pending()) c->run(Effort::Call);
}

bool Engine::is_stalled(Handle handle) const {
  const Core* c = core(this);
  uint32_t i = handle_slot(handle);
  return i < c->slots_touched && c->slots[i].generation == handle_generation(handle) &&
         c->slots[i].state == SlotState::Stalled;
}

bool Engine::give_up_stalled(Handle handle) {
  Core* c = core(this);
  Inside inside(c);
  if (!is_stalled(handle) || c->retry_stalled || c->blocks_under_way()) return false;
  c->budget = kMaxSlice;
  c->hand_back(c->slots[handle_slot(handle)]);
  return true;
}

void Engine::about_to_send(uint32_t dest) const {
  const Core* c = core(this);
  if (dest >= c->size) return;
  const Partner& p = c->peers[dest];
  p.data_out.prefetch();
  arch::prefetch_for_write(&p.bell->pending[c->rank / 64]);
  arch::prefetch(p.attention);
}

void Engine::about_to_receive(uint32_t source) const {
  const Core* c = core(this);
  if (source < c->size) c->peers[source].data_in.prefetch();
}

Posted Engine::post_send(const Send& send) {
  Inside inside(core(this));
  return core(this)->post_send_now(send);
}

Posted Engine::post_recv(const Receive& receive) {
  Inside inside(core(this));
  return core(this)->post_recv_now(receive);
}

bool Engine::cancel(Handle handle) {
  Core* c = core(this);
  Inside inside(c);
  Slot* s = c->slot_of(handle_slot(handle), handle_generation(handle));
  if (s == nullptr) return false;
  if (s->state == SlotState::Running) {
    if (s->error != Error::None) return false;
    c->fail_schedule(*s->collective, Error::Cancelled, Cause::None, c->rank, kNone, 0);
    c->run(Effort::Call);
    return true;
  }
  if (!is_receive(*s)) return c->withdraw(*s, Error::Cancelled, Cause::None);
  if (s->state != SlotState::Posted || !c->take_back(c->index(*s))) return false;
  c->unpost(c->index(*s));
  c->finish(*s, Error::Cancelled);
  return true;
}

uint64_t Engine::heap_alloc(uint64_t bytes) {
  Inside inside(core(this));
  return core(this)->allocate(bytes);
}

void Engine::heap_free(uint64_t offset) {
  Inside inside(core(this));
  core(this)->arena.give(offset);
  core(this)->retry_stalled = true;
}

void Engine::begin_polling() {
  Core* c = core(this);
  Inside inside(c);
  c->state = Attention::Polling;
  c->header->attention.release(static_cast<uint32_t>(Attention::Polling));
  UINTR_FAILPOINT("poll.said");
}

bool Engine::prepare_sleep(Attention how) {
  Core* c = core(this);
  Inside inside(c);
  Attention before = c->state;
  // SYNC POINT: upid. An interrupt that was announced and never came (its sender
  // died in between, the program took the signal over) leaves ON set, and nobody
  // would send another. A sleeper starts afresh: ON is cleared, then the bitmap
  // is looked at.
  c->bell->upid.status.and_sc(~kUpidOn);
  UINTR_FAILPOINT("sleep.on_cleared");
  // SYNC POINT: attention. We say that we sleep, then look at the bitmap once
  // more; a sender sets its bit, then reads what we said (notice.cc).
  c->state = how;
  c->header->attention.exchange_sc(static_cast<uint32_t>(how));
  UINTR_FAILPOINT("sleep.said");
  if (!c->something_to_do()) {
    if (c->traced()) c->trace_turn(how);
    return true;
  }
  c->state = before;
  c->header->attention.release(static_cast<uint32_t>(before));
  return false;
}

void Engine::resume(bool polling) {
  Core* c = core(this);
  Inside inside(c);
  if (c->traced() && !polling) c->trace_turn(Attention::Computing);
  Attention before = c->state;
  Attention to = polling ? Attention::Polling : Attention::Computing;
  c->state = to;
  if ((before == Attention::Polling || before == Attention::Blocked) && !polling) {
    // SYNC POINT: attention. Peers left us alone because we were looking; now
    // we say that we are not, then look once more, and pass on what only we
    // were advancing.
    c->header->attention.exchange_sc(static_cast<uint32_t>(to));
    UINTR_FAILPOINT("resume.said");
    c->run(Effort::Call);
  } else {
    // From Sleeping, every notice of that time either interrupted us or is in
    // our eventfd; and Polling asks less of senders than any other state.
    c->header->attention.release(static_cast<uint32_t>(to));
    if (!polling && !c->work.empty()) c->run(Effort::Call);
  }
}

Attention Engine::attention() const { return core(this)->state; }

}  // namespace uintr
