// A matched rendezvous on the move: who copies which chunk, who copies next
// (the baton), and how it ends.
#include "engine/copy.h"
#include "engine/core.h"
#include "engine/failpoint.h"
#include "engine/sizes.h"

namespace uintr {

namespace {

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
  // One chunk: whoever matches copies it, and only the Fin travels.
  if (s.chunks == 1 && mine != 0 && budget != 0) {
    charge(s.moving);
    if (copy_unannounced(s) || s.state != SlotState::Active) return;
  }
  to_work(s);
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
  if (!any_left(s)) {
    off_work(s);  // what is left is in the other end's hands; its Fin will come
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
  if (s.state != SlotState::Active || !any_left(s)) return false;
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

// ---- chunks ---------------------------------------------------------------------

void Core::say_claim(const Slot& s, uint32_t flags) {
  if (s.retracted) flags |= claim::kRetracted;
  public_slots[index(s)].claim.exchange_sc(claim::make(s.generation, s.claimed | flags));
}

// SYNC POINT: claim. A sender that has heard no Match knows no claim word to look at. It looks here whether we are inside
// a copy of its message.
void Core::say_copying(const Slot& s, bool copying) {
  Shared<uint64_t>* word = peers[s.peer].my_copying;
  copying ? void(word->exchange_sc((uint64_t{s.remote_generation} << 32) | s.remote_slot)) : word->release(0);
}

// What the other end of a transfer says, where it is known which request that is.
claim::Seen Core::other_end(const Slot& s) const {
  const uint64_t word = peers[s.peer].slots[s.remote_slot].claim.load_sc();
  return claim::seen(word, s.remote_generation, s.matcher && !is_receive(s));
}

bool Core::any_left(const Slot& s) const {
  const claim::Seen other = other_end(s);
  return !other.over && s.claimed + other.claimed < s.chunks;
}

// Makes one more chunk this end's to copy. False: none is left. Of two that
// meet at the last chunk both may give it back; each looks again after that, so
// whoever does so last finds it.
bool Core::claim_next(Slot& s) {
  for (uint32_t tries = 0; tries < claim::kTries && s.state == SlotState::Active && any_left(s); ++tries) {
    ++s.claimed;
    // SYNC POINT: claim. We say that we are inside, then look whether the other end is over, or has the same chunk.
    say_claim(s, claim::kInside);
    UINTR_FAILPOINT("chunk.claimed");
    const claim::Seen other = other_end(s);
    if (!other.over && s.claimed + other.claimed <= s.chunks) return true;
    --s.claimed;
    say_claim(s, 0);
    UINTR_FAILPOINT("chunk.given_back");
    conclude(s);  // the other end may have been waiting for us
  }
  return false;
}

// Claims and copies one chunk. False: there was none to claim, or the copy
// failed and the transfer is closing.
bool Core::copy_next(Slot& s) {
  const bool unannounced = is_receive(s) && (s.flags & kOwesMatch) != 0;  // the reply ring has no room for it
  if (unannounced) say_copying(s, true);
  const bool claimed = claim_next(s);
  long result = 0;
  if (claimed) {
    result = copy_chunk(s, is_receive(s) ? s.claimed - 1 : s.chunks - s.claimed);
    if (result < 0) --s.claimed;  // not copied, but this end touches nothing any more
    // Of a copy that has failed both at once: the chunk is not the other end's to copy, for the transfer is given up.
    say_claim(s, result < 0 ? claim::kOver : 0);
  }
  if (unannounced) say_copying(s, false);
  if (!claimed) return false;
  UINTR_FAILPOINT("chunk.left");
  if (result < 0) {
    copy_failed(s, result);
    return false;
  }
  conclude(s);
  return true;
}

// What this end has matched and not said so, the other end cannot claim. False: it has given the message up, and waits to
// be told; or the copy failed.
bool Core::copy_unannounced(Slot& s) {
  say_copying(s, true);
  UINTR_FAILPOINT("chunk.unannounced");
  const bool wanted = !other_end(s).over;
  const long result = wanted ? copy_chunk(s, 0) : 0;
  say_copying(s, false);
  if (result < 0) copy_failed(s, result);
  if (!wanted || result < 0) return false;
  s.claimed = 1;
  settle(s, Error::None, Cause::None, true);
  return true;
}

// 0, or an errno below it.
long Core::copy_chunk(Slot& s, uint32_t chunk) {
  say_inside();
  const Partner& p = peers[s.peer];
  const uint64_t offset = uint64_t{chunk} * s.chunk;
  const uint64_t n = s.moving - offset < s.chunk ? s.moving - offset : s.chunk;
  const uint32_t kind = usable_kind(s);
  unsigned char* local = s.buffer + offset;
  const uint64_t began = clock();
  if (kind == kCopyCma) {
    const long result = copy_cma(is_receive(s), p.pid, local, s.remote_address + offset, n);
    if (result < 0) return result;
  } else {
    unsigned char* remote = kind == kCopyHeap ? p.heap + s.remote_heap + offset : as_pointer(s.remote_address + offset);
    if (is_receive(s))
      copy_bytes(local, remote, n);
    else
      copy_bytes(remote, local, n);
  }
  UINTR_FAILPOINT("chunk.copied");
  count.copied_bytes[log2_kind(kind)][is_receive(s) ? 0 : 1] += n;
  ++count.pieces_copied;
  if (traced()) trace_copy(s, kind, n, began);
  return 0;
}

void Core::copy_failed(Slot& s, long result) {
  const Partner& p = peers[s.peer];
  // The peer is gone; its pidfd or its lifeline will say so.
  if (result == -kEsrch || (p.nonce_address != 0 && is_another_program(p.pid, p.nonce_address, p.nonce))) return off_work(s);
  close_transfer(s, Error::CopyFailed, Cause::None, static_cast<uint32_t>(-result));
}

// This end has left a chunk. If all are copied, and nobody is inside, the transfer is over; but one that the other end
// gives up ends by its Fin, which says why. Who goes inside after this look finds that its chunk was another's.
void Core::conclude(Slot& s) {
  const claim::Seen other = other_end(s);
  if (other.over || other.inside || s.claimed + other.claimed < s.chunks) return;
  settle(s, Error::None, Cause::None, true);
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
  UINTR_FAILPOINT("baton.passing");
  notify(s.peer, Need::Cpu);
  UINTR_FAILPOINT("baton.passed");
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
    UINTR_FAILPOINT("pipeline.pushed");
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
  UINTR_FAILPOINT("pipeline.taken");
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

// Of a transfer that this end has closed: is the other inside a copy?
// SYNC POINT: claim. It leaves after the copy (copy_next); who sees here that it has left may free the buffer.
bool Core::other_end_inside(const Slot& s) const {
  if ((s.flags & kPipelined) != 0) return false;  // each end touches its own buffer only
  if (s.remote_generation != 0) return other_end(s).inside;
  if (is_receive(s)) return true;  // its sender has taken it, and not said more yet
  return copies_unannounced(s);
}

bool Core::copies_unannounced(const Slot& s) const {
  return peers[s.peer].their_copying->load_sc() == ((uint64_t{s.generation} << 32) | index(s));
}

// Of a send that is given up, and has heard no Match: does its receiver have it all the same, whatever the match word
// says? Every rank of the world can write that one; what is asked here is in memory that only the receiver writes.
// SYNC POINT: claim. We have said that we are over, and look; it says that it copies, or publishes Match, then looks
// whether we are over, then copies.
bool Core::received_after_all(const Slot& s) {
  return copies_unannounced(s) || match_lies_unheard(s);
}

// Gives a transfer up: neither end claims after this, and the request settles
// as soon as the other touches nothing.
void Core::close_transfer(Slot& s, Error error, Cause cause, uint32_t sys_errno) {
  off_work(s);
  bool told = s.remote_generation == 0;
  s.error = error, s.cause = cause;
  if (error == Error::CopyFailed) s.total = sys_errno;
  s.state = SlotState::Closing;
  // SYNC POINT: claim. We say that we are over, then look whether the other end is inside.
  say_claim(s, claim::kOver);
  UINTR_FAILPOINT("transfer.closed");
  // Whose word to look at is not known before Match; but a sender learns whether anybody has its message.
  const bool unheard = s.remote_generation == 0 && !is_receive(s);
  const bool over = unheard ? !match::close(&match_words[index(s)], s.generation) && !received_after_all(s)
                            : !other_end_inside(s);
  // Cancelled although it was matched: a third rank has set the match word back (withdraw).
  if (!told) owe_fin(s, error == Error::Cancelled ? Error::Protocol : error, sys_errno);
  if (over) finish(s, error, cause);
}

void Core::on_fin(uint32_t peer, const RecordHeader& h) {
  Slot* s = slot_of(h.slot, h.generation);
  if (s == nullptr || s->peer != peer) return;
  // Of one that believed to have this request, which has met another since it was taken back (disown).
  if (s->remote_generation != 0 && (h.context != s->remote_slot || h.length >> 32 != s->remote_generation)) return;
  Error error = static_cast<Error>(h.tag);
  UINTR_FAILPOINT("fin.heard");
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
        s->total = static_cast<uint32_t>(h.length);
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
