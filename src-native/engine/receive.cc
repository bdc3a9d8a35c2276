// Posting and matching receives, and arena blocks for those without a buffer.
#include "engine/core.h"
#include "engine/failpoint.h"
#include "engine/sizes.h"

namespace uintr {

uint32_t Core::find_unexpected(uint32_t context, uint32_t source, uint32_t tag) {
  return unexpected.find(context, source, tag, [this](const Unexpected& u) {
    return u.eager || match::is_open(&peers[u.source].match_words[u.slot], u.generation);
  });
}

void Core::copy_out(uint32_t entry, unsigned char* to, uint64_t n) {
  for (uint32_t b = entry; n != 0; b = unexpected.at(b).next_block - 1) {
    uint64_t piece = n < kBlockBytes ? n : kBlockBytes;
    copy_bytes(to, unexpected.block(b), piece);
    to += piece;
    n -= piece;
  }
}

// The blocks of an eager message are free again, and their credit goes back.
void Core::release_entry(uint32_t entry) {
  Unexpected& u = unexpected.at(entry);
  Partner& p = peers[u.source];
  uint32_t blocks = UnexpectedQueue::blocks_for(u.length);
  unexpected.give_blocks(&p.pool, entry);
  release_credit(p, blocks);
}

// A receive has found its message: what it knows of it from now on. It counts as moved until it is over.
void Core::attach(Slot& s, uint32_t entry) {
  const Unexpected& u = unexpected.at(entry);
  ++open_transfers;
  ++peers[u.source].outstanding;
  s.matcher = true;
  s.peer = u.source;
  s.tag = u.tag;
  s.total = u.length;
  s.entry = u.eager ? entry : kNone;
  if (!u.eager) {
    s.remote_slot = u.slot;
    s.remote_generation = u.generation;
    s.remote_address = u.address;
    s.remote_heap = u.heap_offset;
    s.lend = u.lend;
    if (u.source == rank) {
      if (Slot* sent = slot_of(u.slot, u.generation)) sent->matched_here = true;
    }
  }
}

// Gives an allocating receive a block of the arena. False: none is committed.
bool Core::place(Slot& s) {
  if (s.total == 0) return true;
  uint64_t at = arena.take(s.total);
  if (at == kNoHeap) return false;
  s.heap_offset = at;
  s.buffer = heap + at;
  s.length = s.total;
  return true;
}

uint64_t Core::allocate(uint64_t bytes) {
  uint64_t at = arena.take(bytes);
  if (at != kNoHeap) return at;
  uint64_t from = arena.committed_bytes();
  uint64_t end = arena.fresh_end(bytes);
  if (end == 0) {
    at = arena.find_run(bytes);
    if (at == kNoHeap) return kNoHeap;
    end = at + Arena::units_for(bytes) * kUnitBytes;
  }
  if (end > from && !ports.commit(ports.self, Ports::Segment::Heap, from, end - from)) return kNoHeap;
  if (at == kNoHeap) return arena.take_fresh(bytes);
  arena.take_run(at, bytes);
  return at;
}

// Commits what a handler is likely to need for a receive without a buffer. Where
// there is no memory for it, the receive waits for the thread, that is all.
void Core::reserve_for_handlers() {
  if (arena.has(kHandlerReserve)) return;
  uint64_t from = arena.committed_bytes();
  uint64_t end = from + kHandlerReserve < arena.limit_bytes() ? from + kHandlerReserve : arena.limit_bytes();
  if (end > from && ports.commit(ports.self, Ports::Segment::Heap, from, end - from)) arena.grow(end);
}

// Matched, but there is no memory for it that a handler may take: the thread
// goes on with it (resume_stalled).
void Core::stall(Slot& s) {
  s.state = SlotState::Stalled;
  list_append(&stalled, index(s), links());
  UINTR_FAILPOINT("receive.stalled");
  retry_stalled = true;
  stop_advertising(s.peer);
}

// `s` hangs in no list and is matched with `entry`, which is in no queue any
// more; of a rendezvous, the match word has been won (Open → Matched).
void Core::receive_entry(Slot& s, uint32_t entry, Effort effort) {
  attach(s, entry);
  receive_matched(s, effort);
}

void Core::receive_matched(Slot& s, Effort effort) {
  s.state = SlotState::Active;
  if (borrows(s)) return borrow(s);
  if ((s.flags & kAllocate) != 0 && !place(s)) return stall(s);
  if (s.entry == kNone) return start_receiving(s, effort);
  copy_out(s.entry, s.buffer, s.total < s.length ? s.total : s.length);
  UINTR_FAILPOINT("receive.copied_out");
  release_entry(s.entry);
  finish(s, s.total > s.length ? Error::Truncated : Error::None);
}

// The stalled receive ends, and its message goes to the next that fits, as if
// this one had never been.
void Core::hand_back(Slot& s) {
  uint32_t e = s.entry != kNone ? s.entry : unexpected.stub(s.peer, s.remote_slot);
  const Unexpected& u = unexpected.at(e);
  if (!u.eager && (u.queued || u.generation != s.remote_generation)) {
    return fail_matched(s, Error::NoMemory);  // its sender has written another envelope over it
  }
  uint32_t other = find_posted(s.context, s.peer, s.tag);
  // SYNC POINT: hand-back. A sender that gives the message up closes the word
  // (match.h): either it sees that nobody has the message, or we see that it
  // waits for us.
  if (other == kNone && !u.eager && !match::hand_back(&peers[u.source].match_words[u.slot], u.generation)) {
    return fail_matched(s, Error::NoMemory);
  }
  UINTR_FAILPOINT("receive.handed_back");
  list_remove(&stalled, index(s), links());
  finish(s, Error::NoMemory);
  if (other != kNone) {
    unpost(other);
    return receive_entry(slots[other], e, Effort::Call);
  }
  if (!u.eager && u.source == rank) {
    if (Slot* sent = slot_of(u.slot, u.generation)) sent->matched_here = false;
  }
  sighted = true;
  unexpected.put_back(e);
}

// Does somebody else hold a block that comes back if his message fails?
bool Core::blocks_under_way() const {
  for (uint32_t i = 0; i < slots_touched; ++i) {
    const Slot& s = slots[i];
    bool moving = s.state == SlotState::Active || s.state == SlotState::Closing;
    if (moving && (s.flags & kAllocate) != 0 && s.heap_offset != kNoHeap) return true;
  }
  return false;
}

void Core::resume_stalled_now() {
  retry_stalled = false;
  budget = kMaxSlice;
  // One round: what stalls again waits for memory to come back.
  for (uint32_t l = stalled.head; l != 0;) {
    Slot& s = slots[l - 1];
    l = s.links.next;
    uint64_t at = allocate(s.total);
    bool hopeless = at == kNoHeap && Arena::units_for(s.total) > arena.limit_bytes() / kUnitBytes;
    if (at == kNoHeap && !hopeless) continue;
    list_remove(&stalled, index(s), links());
    s.state = SlotState::Active;
    if (at != kNoHeap) {
      s.heap_offset = at;
      s.buffer = heap + at;
      s.length = s.total;
    }
    if (s.entry == kNone) {
      // A message larger than the whole arena is received as nothing; its
      // sender is not to suffer for it.
      start_receiving(s, Effort::Call);
    } else {
      if (!hopeless) copy_out(s.entry, s.buffer, s.total);
      release_entry(s.entry);
      finish(s, hopeless ? Error::NoMemory : Error::None);
    }
  }
}

void Core::post(uint32_t i) {
  const bool told = posted.pressing() != 0;
  posted.append(i);
  // SYNC POINT: posted. That there is one is published, then the bitmap is looked
  // at (post_recv_now, run); the sender of an envelope sets its bit, then reads
  // the word (notice.cc). It stays as it is while there are some, for every send
  // to this rank reads the line it lies in.
  if (!told) header->posted.exchange_sc(posted.pressing());
  UINTR_FAILPOINT("receive.said");
  advertise(i);
}

void Core::unpost(uint32_t i) {
  Slot& s = slots[i];
  if (s.advert != 0) retract(s);
  posted.remove(i);
  if (posted.pressing() == 0) header->posted.release(0);
  if (!worth_advertising(s)) return;
  uint32_t next = posted.find(s.context, s.peer, s.tag);
  if (next != kNone) advertise(next);
}

// Where a receive's message is to go.
void Core::describe(Slot& s, void* data, uint64_t length, bool allocate) {
  s.flags = static_cast<uint8_t>(kReceive | (allocate ? kAllocate : 0));
  s.buffer = static_cast<unsigned char*>(data);
  s.length = allocate ? 0 : length;
  if (!allocate && s.buffer >= heap && s.buffer < heap + layout.g.heap_bytes)
    s.heap_offset = static_cast<uint64_t>(s.buffer - heap);
}

// Takes `entry`, the first message that fits, out of matching, or the next that fits where it was withdrawn under our
// eyes. kNone: none is left.
uint32_t Core::claim_unexpected(uint32_t entry, uint32_t context, uint32_t source, uint32_t tag) {
  while (entry != kNone) {
    const Unexpected& u = unexpected.at(entry);
    unexpected.remove(entry);
    if (u.eager || match::decide(&peers[u.source].match_words[u.slot], u.generation, match::Matched)) break;
    entry = find_unexpected(context, source, tag);
  }
  return entry;
}

Posted Core::post_recv_now(const Receive& r) {
  Completion c{kNoHandle, Error::None, Cause::None, r.source, r.tag, 0, kNoHeap};
  auto failed = [&](Error error, Cause cause) {
    c.error = error, c.cause = cause;
    return Posted{kNoHandle, c};
  };
  if (life != Life::Active) return failed(Error::Closed, Cause::None);

  uint32_t entry = find_unexpected(r.context, r.source, r.tag);
  if (entry != kNone) {
    Unexpected& u = unexpected.at(entry);
    if (u.eager && !r.allocate) {
      // No slot needed: the receive is over before it began.
      unexpected.remove(entry);
      copy_out(entry, static_cast<unsigned char*>(r.data), u.length < r.length ? u.length : r.length);
      release_entry(entry);
      received_short(r, u.source, u.tag, u.length, &c);
      return Posted{kNoHandle, c};
    }
  } else if (unreachable(r.source, &c) || receive_from_ring(r, &c)) {
    return Posted{kNoHandle, c};
  }

  uint32_t i = take_slot();
  if (i == kNone) return failed(Error::NoMemory, Cause::None);
  budget = kMaxSlice;
  Slot& s = slots[i];
  describe(s, r.data, r.length, r.allocate);
  s.patient = r.patient;
  s.context = r.context;
  s.peer = r.source;
  s.tag = r.tag;
  Handle handle = make_handle(i, s.generation);
  if (traced()) trace_post(TraceWhat::Receive, handle, r.source, r.context, r.tag, s.length);

  Effort effort = r.waits ? Effort::Idle : Effort::Call;
  entry = claim_unexpected(entry, r.context, r.source, r.tag);
  if (entry != kNone) {
    receive_entry(s, entry, effort);
    if (s.state == SlotState::Stalled) resume_stalled_now();  // the thread itself may commit memory
    return Posted{handle, {}};
  }
  if (r.allocate) reserve_for_handlers();
  s.state = SlotState::Posted;
  const bool first = posted.pressing() == 0;
  post(i);
  // SYNC POINT: posted. The first one has to look; after that whoever sends an
  // envelope interrupts. Short messages that come meanwhile are cheaper to take
  // all at once; for a long one the look may spare that interrupt.
  const bool short_one = !r.allocate && r.length <= layout.g.eager_limit;
  if (first || !short_one || ++posts_since_look >= kPostsPerLook) look(effort);
  return Posted{handle, {}};
}

void Core::look(Effort effort) {
  posts_since_look = 0;
  if (anything_pending()) run(effort);
}

// What lies next in the ring of its source may be for this very receive: then it
// goes straight into the buffer, and needs no slot. What comes before it goes to
// the receives that are posted. The pending bit stays, so whatever is left there,
// and the space, are seen to as ever. False: this receive has got nothing.
bool Core::receive_from_ring(const Receive& r, Completion* c) {
  if (r.allocate || r.source >= size || posts_since_look >= kPostsPerLook) return false;
  Partner& p = peers[r.source];
  RecordHeader h;
  while (!p.gone && !p.faulty && next_eager(p, &h)) {
    const uint32_t next = posted.find(h.context, r.source, h.tag);
    if (next != kNone && slots[next].schedule != nullptr) return false;  // its next step is for run()
    const uint32_t i = next == kNone || take_back(next) ? next : find_posted(h.context, r.source, h.tag);
    if (i == kNone && (h.context != r.context || (r.tag != kAnyTag && h.tag != r.tag))) return false;
    if (i == kNone) {
      p.data_in.peek(r.data, sizeof h, h.length < r.length ? h.length : r.length);
      UINTR_FAILPOINT("receive.from_ring");
      release_credit(p, UnexpectedQueue::blocks_for(h.length));
      received_short(r, r.source, h.tag, h.length, c);
    } else {
      take_eager(r.source, h, i);
    }
    p.data_in.skip(h.bytes);
    // A sender matches what is advertised only where it sees that all it sent before has been taken.
    if (p.adverts != 0 || p.data_in.unreturned() >= layout.g.ring_bytes / 8) give_space_back(r.source);
    if (i != kNone) continue;
    ++posts_since_look;
    return true;
  }
  return false;
}

// False: it is something else, or nothing, or what drain_data() is to judge.
bool Core::next_eager(Partner& p, RecordHeader* h) const {
  if (p.data_in.readable() == 0 && !p.data_in.open()) return false;
  if (p.data_in.readable() < sizeof *h) return false;
  p.data_in.peek(h, 0, sizeof *h);
  return h->type == RecordType::Eager && h->length <= layout.g.eager_limit && h->bytes == record_bytes(h->length) &&
         h->bytes <= p.data_in.readable() && h->tag <= 0x7fffffffu;
}

// A receive was over before it had a slot.
void Core::received_short(const Receive& r, uint32_t source, uint32_t tag, uint64_t length, Completion* c) {
  c->source = source, c->tag = tag, c->length = length;
  if (length > r.length) c->error = Error::Truncated;
  ++count.receives;
  count.bytes_received += length;
  if (traced()) trace_short(TraceWhat::Receive, source, r.context, tag, length);
}

// ---- arrivals ---------------------------------------------------------------

void Core::on_eager(uint32_t peer, const RecordHeader& h) {
  take_eager(peer, h, find_posted(h.context, peer, h.tag));
}

// `i`: the receive it is for, or kNone.
void Core::take_eager(uint32_t peer, const RecordHeader& h, uint32_t i) {
  Partner& p = peers[peer];
  uint32_t blocks = UnexpectedQueue::blocks_for(h.length);
  if (i != kNone && (slots[i].flags & kAllocate) == 0) {
    Slot& s = slots[i];
    unpost(i);
    s.peer = peer;
    s.tag = h.tag;
    s.total = h.length;
    p.data_in.peek(s.buffer, sizeof h, h.length < s.length ? h.length : s.length);
    release_credit(p, blocks);
    return finish(s, h.length > s.length ? Error::Truncated : Error::None);
  }
  uint32_t e = unexpected.take_blocks(&p.pool, peer, blocks);
  if (e == kNone) return fault(peer);  // it has overdrawn its credit
  Unexpected& u = unexpected.at(e);
  u.source = peer, u.tag = h.tag, u.context = h.context;
  u.eager = true;
  u.stamp = unexpected.next_stamp();
  u.length = h.length;
  uint64_t at = 0;
  for (uint32_t b = e; at < h.length; b = unexpected.at(b).next_block - 1) {
    uint64_t piece = h.length - at < kBlockBytes ? h.length - at : kBlockBytes;
    p.data_in.peek(unexpected.block(b), sizeof h + at, piece);
    at += piece;
  }
  if (i == kNone) {
    unexpected.append(e);
    UINTR_FAILPOINT("receive.unexpected");
    ++count.unexpected;
    sighted = true;
    return;
  }
  unpost(i);
  receive_entry(slots[i], e, Effort::Handler);
}

void Core::on_rts(uint32_t peer, const RecordHeader& h, const RtsBody& b, Effort effort) {
  bool in_heap = b.heap_offset == kNoHeap ||
                 (b.heap_offset <= layout.g.heap_bytes && h.length <= layout.g.heap_bytes - b.heap_offset);
  // The offset is one into the peer's own arena, so it can lend nothing else.
  bool lendable = b.lend == 0 || (b.lend == 1 && b.heap_offset != kNoHeap && h.length != 0);
  if (h.slot >= layout.g.max_requests || h.generation == 0 || !in_heap || !lendable || h.length > (1ull << 48))
    return fault(peer);
  uint32_t e = unexpected.stub(peer, h.slot);
  Unexpected& u = unexpected.at(e);
  // An older message of the same slot that still lies here was withdrawn, or
  // its sender could not have used the slot again.
  if (u.queued) unexpected.remove(e);
  u.source = peer, u.tag = h.tag, u.context = h.context;
  u.eager = false;
  u.stamp = unexpected.next_stamp();
  u.length = h.length;
  u.slot = h.slot, u.generation = h.generation;
  u.address = b.address, u.heap_offset = b.heap_offset;
  u.lend = b.lend != 0;
  uint32_t i = life == Life::Active ? find_posted(h.context, peer, h.tag) : kNone;
  if (i == kNone) {
    unexpected.append(e);
    UINTR_FAILPOINT("receive.envelope_kept");
    ++count.unexpected;
    sighted = true;
    return;
  }
  if (!match::decide(&peers[peer].match_words[h.slot], h.generation, match::Matched)) return advertise(i);  // withdrawn
  UINTR_FAILPOINT("receive.matched");
  unpost(i);
  receive_entry(slots[i], e, effort);
}

}  // namespace uintr
