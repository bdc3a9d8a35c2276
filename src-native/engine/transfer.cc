// A matched rendezvous on the move: who copies which chunk, who copies next
// (the baton), and how it ends.
#include "engine/copy.h"
#include "engine/core.h"
#include "engine/sizes.h"

namespace uintr {

namespace {

constexpr long kEsrch = 3;

uint64_t slice_for(uint64_t length, uint64_t configured) {
  if (configured != 0) return configured;
  uint64_t s = length / 8;
  return s < kMinSlice ? kMinSlice : s > kMaxSlice ? kMaxSlice : s;
}

uint32_t log2_kind(uint32_t kind) { return static_cast<uint32_t>(__builtin_ctz(kind)); }

uint32_t counted_for(uint64_t word, uint32_t generation, uint32_t otherwise) {
  return static_cast<uint32_t>(word >> 32) == generation ? static_cast<uint32_t>(word) : otherwise;
}

}  // namespace

// Eight chunks of a medium message, so that both ends find work, and a handler
// soon sees that its peer has come to wait.
uint32_t Core::chunk_for(uint64_t length) {
  if (length <= kSingleChunk) return static_cast<uint32_t>(length == 0 ? 1 : length);
  uint64_t c = round_up(length / 8, kChunkUnit);
  if (c < kMinChunk) c = kMinChunk;
  if (c > kMaxChunk) c = kMaxChunk;
  while (length / c >= claim::kMaxChunks) c *= 2;
  return static_cast<uint32_t>(c);
}

// The best way to reach a buffer, of those in `kinds`; 0: none.
uint32_t Core::best_kind(uint32_t kinds, bool in_heap) {
  if ((kinds & kCopyDirect) != 0) return kCopyDirect;
  if ((kinds & kCopyHeap) != 0 && in_heap) return kCopyHeap;
  return kinds & kCopyCma;
}

ClaimWord* Core::claim_of(const Slot& s) const {
  return is_receive(s) ? &peers[s.peer].claims[s.remote_slot] : &claims[index(s)];
}

// The generation that the transfer's claim word carries: the sender's.
static uint32_t claim_generation(const Slot& s) { return is_receive(s) ? s.remote_generation : s.generation; }

uint32_t Core::usable_kind(const Slot& s) const { return best_kind(peers[s.peer].kinds, s.remote_heap != kNoHeap); }

void Core::to_work(Slot& s) {
  if ((s.flags & kOnWorkList) != 0) return;
  s.flags |= kOnWorkList;
  list_append(&work, index(s), work_links());
}

void Core::off_work(Slot& s) {
  if ((s.flags & kOnWorkList) == 0) return;
  s.flags &= static_cast<uint8_t>(~kOnWorkList);
  list_remove(&work, index(s), work_links());
}

// ---- beginning ----------------------------------------------------------------

void Core::start_receiving(Slot& s, Effort effort) {
  Partner& p = peers[s.peer];
  s.state = SlotState::Active;
  s.moving = s.total < s.length ? s.total : s.length;
  if (traced()) trace_match(s);
  if (s.moving == 0) return settle(s, Error::None, Cause::None, true);
  s.chunk = chunk_for(s.moving);
  s.chunks = static_cast<uint32_t>((s.moving + s.chunk - 1) / s.chunk);
  uint32_t mine = usable_kind(s);
  uint32_t theirs = best_kind(p.theirs->copy_kinds.acquire(), s.heap_offset != kNoHeap);
  if (mine == 0 && theirs == 0) {
    s.flags |= kPipelined;
    return owe_match(s, Need::Cpu);
  }
  to_work(s);
  // One chunk: whoever matches copies it, and only the Fin travels.
  if (s.chunks == 1 && mine != 0 && budget != 0) {
    charge(s.moving);
    if (copy_next(s) || s.state != SlotState::Active) return;
  }
  owe_match(s, Need::Look);  // who needs the sender's CPU passes it the baton
  advance(s, effort);
}

void Core::start_sending(Slot& s, Effort effort) {
  s.state = SlotState::Active;
  to_work(s);
  advance(s, effort);
}

// ---- moving -------------------------------------------------------------------

bool Core::advance_all(Effort effort) {
  bool more = false;
  for (uint32_t l = work.head; l != 0;) {
    Slot& s = slots[l - 1];
    l = s.work.next;
    // What this run has matched has had its slice; who computes gives the other end its turn now, unless that has had it.
    if (s.turn == turn && effort != Effort::Idle && (s.flags & kPipelined) == 0 && !holds_baton(s)) {
      more = true;
      continue;
    }
    more |= advance(s, effort);
  }
  // The next call begins with the next transfer, so none starves another.
  if (!work.empty() && work.head != work.tail) {
    uint32_t first = work.head - 1;
    list_remove(&work, first, work_links());
    list_append(&work, first, work_links());
  }
  return more;
}

// True: this thread could go on copying for `s` at once.
bool Core::advance(Slot& s, Effort effort) {
  if (s.state != SlotState::Active) return false;
  s.turn = turn;
  if ((s.flags & kPipelined) != 0) return !is_receive(s) && push_data(s);
  ClaimWord* word = claim_of(s);
  uint32_t gen = claim_generation(s);
  if (!claim::any_left(word, gen, s.chunks)) {
    off_work(s);  // what is left is in the other end's hands; its Fin will come
    if (claim::nonsense(word, gen, s.chunks, !is_receive(s))) close_transfer(s, Error::Protocol, Cause::None, 0);
    return false;
  }
  bool able = usable_kind(s) != 0;
  if (s.peer == rank) {
    while (copy_next(s)) {
    }
    return false;
  }
  if (effort == Effort::Handler && !holds_baton(s)) return false;
  uint64_t allowance = effort == Effort::Idle ? budget : slice_for(s.moving, slice_bytes);
  if (allowance > budget) allowance = budget;
  if (able && effort == Effort::Call && s.claimed == 0 && s.passes == 0 && comes_to_wait(s)) allowance = 0;
  // A peer that posts and waits at once passes the baton before it waits: so who
  // computes looks again before each chunk whether somebody with time has come.
  while (able && allowance != 0 && budget != 0 && (effort == Effort::Idle || !left_to_peer(s)) && copy_next(s)) {
    if (effort == Effort::Handler) ++count.slices_in_handler;
    allowance -= allowance < s.chunk ? allowance : s.chunk;
    charge(s.chunk);
  }
  if (s.state != SlotState::Active || !claim::any_left(word, gen, s.chunks)) return false;
  // A rank that polls keeps the baton while it can copy. Any other passes it on:
  // a sleeping rank's loop comes back to copy, but who knows when.
  bool keep = able && effort == Effort::Idle && state == Attention::Polling;
  if (!keep && holds_baton(s)) pass_baton(s);
  return able;
}

// Is the peer waiting anyway, and able to copy?
bool Core::left_to_peer(const Slot& s) const {
  return attentive(s.peer) && best_kind(peers[s.peer].theirs->copy_kinds.acquire(), s.heap_offset != kNoHeap) != 0;
}

// Claims and copies one chunk. False: there was none to claim, or the copy
// failed and the transfer is closing.
//
// What is claimed is the right to one more chunk. The receiver takes its chunks
// from the front and the sender from the back, so each end works in one part of
// the buffers, which with the next message may still be in its cache. As many
// claims as chunks in all: they never meet.
bool Core::copy_next(Slot& s) {
  if (claim::take(claim_of(s), claim_generation(s), s.chunks) == kNone) return false;
  if (s.claimed == s.chunks) {  // somebody has set the word back
    close_transfer(s, Error::Protocol, Cause::None, 0);
    return false;
  }
  say_inside();
  uint32_t c = is_receive(s) ? s.claimed : s.chunks - 1 - s.claimed;
  ++s.claimed;
  Partner& p = peers[s.peer];
  uint64_t offset = uint64_t{c} * s.chunk;
  uint64_t n = s.moving - offset < s.chunk ? s.moving - offset : s.chunk;
  uint32_t kind = usable_kind(s);
  unsigned char* local = s.buffer + offset;
  uint64_t began = clock();
  long result = 0;
  if (kind == kCopyCma) {
    result = copy_cma(is_receive(s), p.pid, local, s.remote_address + offset, n);
  } else {
    unsigned char* remote = kind == kCopyHeap ? p.heap + s.remote_heap + offset : as_pointer(s.remote_address + offset);
    if (is_receive(s))
      copy_bytes(local, remote, n);
    else
      copy_bytes(remote, local, n);
  }
  if (result < 0) {
    if (result == -kEsrch) {
      off_work(s);  // the peer is dying; its pidfd will say so
      return false;
    }
    ++s.copied;  // not done, but this end touches nothing any more
    close_transfer(s, Error::CopyFailed, Cause::None, static_cast<uint32_t>(-result));
    return false;
  }
  ++s.copied;
  count.copied_bytes[log2_kind(kind)][is_receive(s) ? 0 : 1] += n;
  ++count.pieces_copied;
  if (traced()) trace_copy(s, kind, n, began);
  // SYNC POINT: done. Each end adds to its own count, then reads the other's;
  // of two that finish at once, at least one sees the sum.
  public_slots[index(s)].done.add_sc(1);
  uint32_t others = counted_for(p.slots[s.remote_slot].done.load_sc(), s.remote_generation, 0);
  if (s.copied + others == s.chunks) settle(s, Error::None, Cause::None, true);
  return true;
}

// ---- the baton ------------------------------------------------------------------

bool Core::holds_baton(const Slot& s) const {
  uint32_t theirs = counted_for(peers[s.peer].slots[s.remote_slot].passes.acquire(), s.remote_generation, kNone);
  return theirs != kNone && (s.matcher ? s.passes == theirs : theirs == s.passes + 1);
}

void Core::pass_baton(Slot& s) {
  ++s.passes;
  ++count.batons_passed;
  // SYNC POINT: pending. The pass is published before the notice that it is about.
  public_slots[index(s)].passes.release((uint64_t{s.generation} << 32) | s.passes);
  notify(s.peer, Need::Cpu);
}

// ---- pipeline ---------------------------------------------------------------------

// The sender's half: bounces pieces through the data ring while there is room
// and budget, at least one piece if there is room. True: it could go on at once.
bool Core::push_data(Slot& s) {
  Partner& p = peers[s.peer];
  uint64_t most = layout.g.ring_bytes / 4 < kMaxPiece ? layout.g.ring_bytes / 4 : kMaxPiece;
  bool pushed = false, full = false;
  bool waited = p.data_out.wanting();
  do {
    uint64_t n = s.moving - s.pushed < most ? s.moving - s.pushed : most;
    uint64_t bytes = record_bytes(sizeof(DataBody) + n);
    // What is queued came first in the order of the ring.
    full = !p.queued.empty() || !p.data_out.room_or_want(bytes);
    if (full) break;
    charge(n);
    // Who stops although there is room must be called back all the same: the
    // flag is set before the piece is published, so whoever consumes the piece
    // sees it.
    if (budget == 0 && s.pushed + n < s.moving) p.data_out.want();
    uint64_t began = clock();
    RecordHeader h{static_cast<uint32_t>(bytes), RecordType::Data, s.context, s.tag, s.remote_slot, s.remote_generation, n};
    DataBody b{s.pushed, {0, 0, 0}};
    p.data_out.put(&h, sizeof h);
    p.data_out.put(&b, sizeof b);
    p.data_out.put(s.buffer + s.pushed, n);
    p.data_out.align();
    p.data_out.publish();
    s.pushed += n;
    count.copied_bytes[log2_kind(kCopyPipeline)][1] += n;
    ++count.pieces_copied;
    if (traced()) trace_copy(s, kCopyPipeline, n, began);
    pushed = true;
    if (attentive(s.peer)) notify(s.peer, Need::Look);  // it copies out while we push the next piece
  } while (s.pushed < s.moving && budget != 0);
  if (p.data_out.faulty()) {
    fault(s.peer);
    return false;
  }
  if (pushed || (full && !waited)) notify(s.peer, Need::Cpu);
  if (s.pushed == s.moving) {
    settle(s, Error::None, Cause::None, false);
    if (p.pipelines == 0 && p.queued.empty()) p.data_out.stop_wanting();
    return false;
  }
  return !full;
}

// The receiver's half.
void Core::on_data(uint32_t peer, const RecordHeader& h, const DataBody& b) {
  Slot* s = slot_of(h.slot, h.generation);
  if (s == nullptr || !is_receive(*s) || s->peer != peer || s->state != SlotState::Active) return;  // given up here
  if ((s->flags & kPipelined) == 0 || b.offset != s->pushed || h.length > s->moving - s->pushed) return fault(peer);
  uint64_t began = clock();
  peers[peer].data_in.peek(s->buffer + s->pushed, sizeof(RecordHeader) + sizeof(DataBody), h.length);
  s->pushed += h.length;
  count.copied_bytes[log2_kind(kCopyPipeline)][0] += h.length;
  ++count.pieces_copied;
  if (traced()) trace_copy(*s, kCopyPipeline, h.length, began);
  if (s->pushed == s->moving) settle(*s, Error::None, Cause::None, false);
}

// ---- ending -------------------------------------------------------------------------

// Ends a transfer that nobody touches any more. `tell`: the other end does not
// know yet.
void Core::settle(Slot& s, Error error, Cause cause, bool tell) {
  if (tell) owe_fin(s, error, static_cast<uint32_t>(error == Error::CopyFailed ? s.total : 0));
  if (error == Error::None && is_receive(s) && s.total > s.length)
    error = (s.flags & kAllocate) != 0 ? Error::NoMemory : Error::Truncated;
  finish(s, error, cause);
}

// Are all chunks that the other end has claimed copied?
bool Core::other_end_done(const Slot& s, uint32_t claimed_in_all) const {
  if (s.remote_generation == 0) return false;  // no Match yet: we do not even know its slot
  uint32_t claimed = claimed_in_all - s.claimed;
  // Another generation: the other end has let go of this transfer already.
  uint32_t done = counted_for(peers[s.peer].slots[s.remote_slot].done.load_sc(), s.remote_generation, claimed);
  return done == claimed;
}

// Of a transfer that is closed: has the other end claimed a chunk and not said that it is copied? Where its Match is
// still on the way, that it claimed one is all that is known.
// SYNC POINT: done. It counts a chunk after the copy (copy_next); who reads the count here may free the buffer.
bool Core::other_end_inside(const Slot& s) const {
  if ((s.flags & kPipelined) != 0) return false;
  if (is_receive(s) && s.remote_generation == 0) return true;  // its sender has taken it, and not said more yet
  uint32_t in_all = claim::close(claim_of(s), claim_generation(s));  // closed already: this only reads
  return in_all != kNone && in_all != s.claimed && !other_end_done(s, in_all);
}

// Gives a transfer up: nobody claims after this, and the request settles as
// soon as the other end touches nothing.
void Core::close_transfer(Slot& s, Error error, Cause cause, uint32_t sys_errno) {
  off_work(s);
  bool told = s.remote_generation == 0;
  s.error = error, s.cause = cause;
  if (error == Error::CopyFailed) s.total = sys_errno;
  bool over;
  if ((s.flags & kPipelined) != 0) {
    over = true;  // each end touches its own buffer only
  } else {
    uint32_t in_all = claim::close(claim_of(s), claim_generation(s));
    // Another generation: the sender's slot has moved on, or the word is
    // scribbled over. A Fin for a slot that has moved on does no harm.
    over = in_all == kNone || other_end_done(s, in_all);
  }
  if (s.state == SlotState::Active) s.state = SlotState::Closing;
  if (!told) owe_fin(s, error, sys_errno);
  if (over) finish(s, error, cause);
}

void Core::on_fin(uint32_t peer, const RecordHeader& h) {
  Slot* s = slot_of(h.slot, h.generation);
  if (s == nullptr || s->peer != peer) return;
  Error error = static_cast<Error>(h.tag);
  switch (s->state) {
    case SlotState::Closing:
      return finish(*s, s->error, s->cause);
    case SlotState::Lent:
      if (is_receive(*s)) return;
      // SYNC POINT: loan. Fin has been seen; the buffer may be written from here on (lend.cc).
      if (error == Error::None) return settle(*s, Error::None, Cause::None, false);
      return settle(*s, Error::PeerExited, error == Error::PeerExited ? Cause::Exited : Cause::Closed, false);
    case SlotState::Offered:
    case SlotState::Active:
      if (error == Error::None) return settle(*s, Error::None, Cause::None, false);
      // The other end gave it up and waits for our word that we touch nothing:
      // we are not inside a copy here.
      if (error == Error::CopyFailed) {
        s->total = h.length;
        return settle(*s, Error::CopyFailed, Cause::None, s->remote_generation != 0);
      }
      if (error == Error::Protocol) return settle(*s, error, Cause::None, s->remote_generation != 0);
      // PeerExited: its thread or process ends without a close(), and says so before its lifeline does.
      return settle(*s, Error::PeerExited, error == Error::PeerExited ? Cause::Exited : Cause::Closed,
                    s->remote_generation != 0);
    default:
      return;  // a Fin for a request that has ended otherwise
  }
}

}  // namespace uintr
