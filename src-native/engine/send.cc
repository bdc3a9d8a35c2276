// Posting, offering and withdrawing sends. The order of the data ring is the
// order of the sends, so MPI's non-overtaking rule needs nothing else: what
// does not fit waits in its request slot, and everything after it behind it.
#include "engine/core.h"
#include "engine/failpoint.h"

namespace uintr {

namespace {
Posted finished(const Completion& c) { return Posted{kNoHandle, c}; }
}  // namespace

bool Core::ensure_ring(Partner& p, uint32_t peer) {
  if (p.ring_ready) return true;
  p.ring_ready = ports.commit(ports.self, Ports::Segment::Control, layout.data_ring(peer), layout.g.ring_bytes);
  return p.ring_ready;
}

// False: no credit or no room; nothing has happened.
bool Core::push_eager(Partner& p, uint32_t context, uint32_t tag, const void* data, uint64_t length) {
  uint32_t blocks = UnexpectedQueue::blocks_for(length);
  if (p.blocks_sent - p.blocks_returned + blocks > layout.g.credit_blocks) {
    // Looked at only when it matters: the peer writes this line with every message.
    uint64_t returned = p.their_released->acquire();
    if (p.blocks_sent - returned > layout.g.credit_blocks) return false;  // garbage, or nothing left
    if (p.blocks_sent - returned + blocks > layout.g.credit_blocks) return false;
    p.blocks_returned = returned;
  }
  if (!p.data_out.room(record_bytes(length))) return false;
  RecordHeader h{static_cast<uint32_t>(record_bytes(length)), RecordType::Eager, context, tag, 0, 0, length};
  p.data_out.put(&h, sizeof h);
  if (length != 0) p.data_out.put(data, length);
  p.data_out.align();
  p.data_out.publish();
  UINTR_FAILPOINT("eager.published");
  p.blocks_sent += blocks;
  ++count.eager_sent;
  return true;
}

// At once, if it is short and nothing is before it. False: nothing has happened.
bool Core::send_eagerly(const Send& send, Need need) {
  Partner& p = peers[send.dest];
  if (send.synchronous || send.lend || send.length > layout.g.eager_limit || !p.queued.empty() ||
      !push_eager(p, send.context, send.tag, send.data, send.length))
    return false;
  ++count.sends;
  count.bytes_sent += send.length;
  notify(send.dest, need);
  return true;
}

// False: the peer receives nothing new.
bool Core::can_send_to(uint32_t peer, Error* error, Cause* cause) const {
  const Partner& p = peers[peer];
  Life theirs = static_cast<Life>(p.life->acquire());
  *error = p.gone && p.faulty ? Error::Protocol : Error::PeerExited;
  *cause = p.gone ? p.cause : Cause::Closed;
  return !p.gone && theirs != Life::Closing && theirs != Life::Closed;
}

void Core::queue_send(Slot& s) {
  Partner& p = peers[s.peer];
  s.state = SlotState::Queued;
  if (s.buffer >= heap && s.buffer < heap + layout.g.heap_bytes) s.heap_offset = static_cast<uint64_t>(s.buffer - heap);
  s.lend = s.lend && s.length != 0 && s.heap_offset != kNoHeap;
  ++open_sends;
  ++p.outstanding;
  list_append(&p.queued, index(s), links());
  UINTR_FAILPOINT("send.queued");
}

Posted Core::post_send_now(const Send& send) {
  Partner& p = peers[send.dest];
  Completion c{kNoHandle, Error::None, Cause::None, rank, send.tag, send.length, kNoHeap};
  auto failed = [&](Error error, Cause cause) {
    c.error = error, c.cause = cause;
    if (error == Error::PeerExited) c.source = send.dest;
    return finished(c);
  };
  if (life != Life::Active) return failed(Error::Closed, Cause::None);
  Error error;
  Cause cause;
  if (!can_send_to(send.dest, &error, &cause)) return failed(error, cause);
  if (!ensure_ring(p, send.dest)) return failed(Error::NoMemory, Cause::None);

  if (send_eagerly(send, Need::Look)) {
    if (traced()) trace_short(TraceWhat::Send, send.dest, send.context, send.tag, send.length);
    if (send.dest == rank) run(Effort::Call);
    return finished(c);
  }
  uint32_t i = take_slot();
  if (i == kNone) return failed(Error::NoMemory, Cause::None);
  Slot& s = slots[i];
  s.flags = send.synchronous ? kSynchronous : 0;
  s.context = send.context;
  s.peer = send.dest;
  s.tag = send.tag;
  s.buffer = const_cast<unsigned char*>(static_cast<const unsigned char*>(send.data));
  s.length = send.length;
  s.lend = send.lend;
  queue_send(s);
  Handle handle = make_handle(i, s.generation);
  if (traced()) trace_post(TraceWhat::Send, handle, send.dest, send.context, send.tag, send.length);
  budget = kMaxSlice;
  flush_sends(send.dest, send.waits ? Effort::Idle : Effort::Call);
  if (send.dest == rank) run(Effort::Call);
  return Posted{handle, {}};
}

// Writes what is queued into the data ring, in order, as far as there is room.
void Core::flush_sends(uint32_t peer, Effort effort) {
  Partner& p = peers[peer];
  if (p.gone) return;
  if (p.queued.empty()) {
    if (p.pipelines == 0) p.data_out.stop_wanting();
    return;
  }
  bool eager = false, offered = false, collective = false;
  bool waited = p.data_out.wanting();
  while (!p.queued.empty()) {
    uint32_t i = p.queued.head - 1;
    Slot& s = slots[i];
    if ((s.flags & kSynchronous) == 0 && !s.lend && s.length <= layout.g.eager_limit &&
        push_eager(p, s.context, s.tag, s.buffer, s.length)) {
      list_remove(&p.queued, i, links());
      collective |= s.schedule != nullptr;
      finish(s, Error::None);
      eager = true;
      continue;
    }
    if (match_advertised(s, effort)) continue;
    if (!p.data_out.room_or_want(kLongRecord)) break;
    // The match word is open before the envelope that names it can be seen
    // (SYNC POINT: ring).
    match::open(&match_words[i], s.generation);
    UINTR_FAILPOINT("rts.open");
    RecordHeader h{kLongRecord, RecordType::Rts, s.context, s.tag, i, s.generation, s.length};
    RtsBody b{reinterpret_cast<uint64_t>(s.buffer), s.heap_offset, s.lend ? 1u : 0u, 0};
    p.data_out.put(&h, sizeof h);
    p.data_out.put(&b, sizeof b);
    p.data_out.publish();
    UINTR_FAILPOINT("rts.published");
    list_remove(&p.queued, i, links());
    s.state = SlotState::Offered;
    ++count.rendezvous_sent;
    offered = true;
  }
  if (p.data_out.faulty()) return fault(peer);
  bool full = !p.queued.empty();
  if (!full && p.pipelines == 0) p.data_out.stop_wanting();
  // A full ring, too, needs the peer's CPU: to make room.
  if (full && (offered || eager || !waited))
    notify(peer, Need::Cpu);
  else if (offered || collective)
    notify(peer, Need::Match);
  else if (eager)
    notify(peer, Need::Look);
}

// Takes a send back whose matching has not begun. False: too late.
bool Core::withdraw(Slot& s, Error error, Cause cause) {
  uint64_t met;
  if (s.state == SlotState::Queued) {
    list_remove(&peers[s.peer].queued, index(s), links());
  } else if (s.state != SlotState::Offered) {
    return false;
  } else if (!match::decide(&match_words[index(s)], s.generation, match::Withdrawn, &met)) {
    // Matched, unless the word says what neither end can have written. A second
    // look could find it handed back. What one has sent to oneself needs no word
    // to tell.
    if (s.peer == rank ? s.matched_here : match::taken(met, s.generation)) return false;
  }
  UINTR_FAILPOINT("send.withdrawn");
  if (s.state == SlotState::Offered && s.peer != rank) {
    say_claim(s, claim::kOver);
    if (received_after_all(s)) {
      // The word has been set back. Who has the message touches it no more once it is told.
      s.error = error, s.cause = cause;
      s.state = SlotState::Closing;
      return true;
    }
  }
  finish(s, error, cause);
  return true;
}

// Whether a Match can be true of that request, whichever end has made it.
bool Core::plausible(const Slot& s, const RecordHeader& h, const MatchBody& b) const {
  const uint64_t heap_bytes = layout.g.heap_bytes;
  if (h.length > s.length || b.generation == 0 || b.slot >= layout.g.max_requests) return false;
  if (b.chunk == 0 || h.length / b.chunk >= claim::kMaxChunks) return false;
  return b.heap_offset == kNoHeap || (b.heap_offset <= heap_bytes && h.length <= heap_bytes - b.heap_offset);
}

// The request has met the one that a Match names.
void Core::meet(Slot& s, const RecordHeader& h, const MatchBody& b) {
  s.moving = h.length;
  s.remote_address = b.address;
  s.remote_heap = b.heap_offset;
  s.remote_slot = b.slot;
  s.remote_generation = b.generation;
  s.chunk = b.chunk;
  s.chunks = static_cast<uint32_t>((h.length + b.chunk - 1) / b.chunk);
}

void Core::on_match(uint32_t peer, const RecordHeader& h, const MatchBody& b, Effort effort) {
  Slot* s = slot_of(h.slot, h.generation);
  if (s == nullptr || s->peer != peer) return disown(peer, h, b);
  if (is_receive(*s)) return on_taken(*s, h, b, effort);
  UINTR_FAILPOINT("match.heard");
  bool waits = (s->state == SlotState::Offered || s->state == SlotState::Closing) && s->remote_generation == 0;
  bool how_fits = b.how < How::Lent || (b.how == How::Lent && s->lend && h.length == s->length);
  if (!plausible(*s, h, b)) return fault(peer);
  if (s->state == SlotState::Done && s->remote_generation == 0) return disown(peer, h, b);
  if (!waits || !how_fits) return fault(peer);
  meet(*s, h, b);
  if (b.how == How::Lent) return on_borrowed(*s);
  if (b.how == How::Pipelined) {
    s->flags |= kPipelined;
    ++peers[peer].pipelines;
  }
  if (s->state == SlotState::Closing) {
    // We gave up while the match was on its way; now we know whom to tell.
    close_transfer(*s, s->error, s->cause, static_cast<uint32_t>(s->total));
    return;
  }
  start_sending(*s, effort);
}

}  // namespace uintr
