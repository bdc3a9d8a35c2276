// Receives that their sender matches by itself: the receiver-initiated
// rendezvous. A large receive from one source is advertised to that source
// while it is the earliest for every message that fits it.
// A sender that finds it there and has nothing else on the way takes it by
// compare-and-swap and copies at once, whatever the receiver is doing; then it
// says Match, as receivers do otherwise.
//
// Order: messages match in the order of their sends. What was sent before has
// been matched, or found no receive, once the receiver's head has reached the
// tail; and of the receives that fit a message only the earliest is advertised.
#include "engine/copy.h"
#include "engine/core.h"
#include "engine/failpoint.h"

namespace uintr {

namespace {
constexpr uint64_t advert_word(uint32_t slot, uint32_t generation) { return (uint64_t{generation} << 32) | (slot + 1); }
constexpr uint32_t kAllAdverts = (1u << kAdverts) - 1;
}  // namespace

// ---- the receiver ---------------------------------------------------------------

// Could a sender match it by itself, if it were the earliest?
bool Core::worth_advertising(const Slot& s) const {
  return s.peer < size && s.peer != rank && (s.flags & kAllocate) == 0 &&
         s.length > layout.g.eager_limit;
}

void Core::advertise(uint32_t i) {
  Slot& s = slots[i];
  if (s.advert != 0 || s.retracted || life != Life::Active || !worth_advertising(s)) return;
  Partner& p = peers[s.peer];
  // A message that stalls for memory may yet be handed back to an earlier place in the order.
  if (p.gone || p.adverts == kAllAdverts || !stalled.empty() || !posted.is_first(i)) return;
  // Its sender looks whether all that it has sent was taken.
  if (p.data_in.unreturned() != 0) give_space_back(s.peer);
  uint32_t k = static_cast<uint32_t>(__builtin_ctz(~p.adverts));
  PublicSlot& pub = public_slots[i];
  pub.context.set_relaxed(s.context);
  pub.tag.set_relaxed(s.tag);
  pub.address.set_relaxed(reinterpret_cast<uint64_t>(s.buffer));
  pub.heap_offset.set_relaxed(s.heap_offset);
  pub.room.set_relaxed(s.length);
  // SYNC POINT: advert. What describes the receive is written, then its match word opened, then both can be found. It is
  // written anew only after the word has left Open, so a sender whose compare-and-swap wins has read what belongs to it.
  match::open(&match_words[i], s.generation);
  UINTR_FAILPOINT("advert.open");
  p.my_adverts[k].release(advert_word(i, s.generation));
  UINTR_FAILPOINT("advert.shown");
  p.adverts |= 1u << k;
  p.advertised[k] = i;
  s.advert = static_cast<uint8_t>(k + 1);
}

void Core::hide(Slot& s) {
  Partner& p = peers[s.peer];
  uint32_t k = s.advert - 1u;
  p.my_adverts[k].release(0);
  UINTR_FAILPOINT("advert.hidden");
  p.adverts &= ~(1u << k);
  s.advert = 0;
}

// True: nobody else matches it from now on. False: its sender has.
bool Core::retract(Slot& s) {
  hide(s);
  uint64_t met;
  // As in withdraw(): unless the word says what neither end can have written.
  if (!match::decide(&match_words[index(s)], s.generation, match::Withdrawn, &met) && match::taken(met, s.generation))
    return false;
  // SYNC POINT: claim. Every rank can write the match word, so the sender may have taken it all the same. We say that it is
  // taken back, then look for a Match; the sender publishes Match, then says that it is inside, then looks what we say.
  s.retracted = true;
  say_claim(s, 0);
  return !match_lies_unheard(s);
}

// A posted receive is to be matched, or taken back, by this rank. False: it is
// matched already; its sender will say so.
bool Core::take_back(uint32_t i) {
  Slot& s = slots[i];
  if (s.advert == 0 || retract(s)) return true;
  note_taken(s);
  return false;
}

void Core::note_taken(Slot& s) {
  unpost(index(s));
  s.state = SlotState::Taken;
  UINTR_FAILPOINT("advert.missed");
  ++open_transfers;
  ++peers[s.peer].outstanding;
}

// The earliest receive that fits a message, this rank's own now.
uint32_t Core::find_posted(uint32_t context, uint32_t source, uint32_t tag) {
  for (;;) {
    uint32_t i = posted.find(context, source, tag);
    if (i == kNone || take_back(i)) return i;
  }
}

void Core::stop_advertising(uint32_t peer) {
  Partner& p = peers[peer];
  while (p.adverts != 0) take_back(p.advertised[__builtin_ctz(p.adverts)]);
}

// The sender has matched the receive, and perhaps copied already.
void Core::on_taken(Slot& s, const RecordHeader& h, const MatchBody& b, Effort effort) {
  bool waits = s.state == SlotState::Taken || (s.state == SlotState::Posted && s.advert != 0) ||
               (s.state == SlotState::Closing && s.remote_generation == 0);
  bool tag_fits = s.tag == kAnyTag ? h.tag <= 0x7fffffffu : h.tag == s.tag;
  // It was taken back, and not seen by the match word that it was taken. That is not to cost an honest sender its peer.
  if (!waits) return disown(s.peer, h, b);
  if (!tag_fits || h.length == 0 || b.how != How::Chunks || !plausible(s, h, b)) return fault(s.peer);
  UINTR_FAILPOINT("advert.heard");
  if (s.state == SlotState::Posted) {
    hide(s);
    note_taken(s);
  }
  s.tag = h.tag;
  s.total = h.length;
  meet(s, h, b);
  if (s.state == SlotState::Closing) return close_transfer(s, s.error, s.cause, 0);
  s.state = SlotState::Active;
  if (s.retracted) return close_transfer(s, Error::Protocol, Cause::None, 0);  // the sender may have seen that, and stopped
  to_work(s);
  advance(s, effort);
}

// ---- the sender -----------------------------------------------------------------

// Matches the send with an advertised receive, and begins to copy. False: there
// is none, or something of ours is on the way before it.
bool Core::match_advertised(Slot& s, Effort effort) {
  Partner& p = peers[s.peer];
  if (s.length <= layout.g.eager_limit || s.peer == rank || !p.data_out.drained()) return false;
  // Match has to be there before a copy begins (retract).
  if (!p.owed.empty() || !p.reply_out.room(kLongRecord)) return false;
  for (uint32_t k = 0; k < kAdverts; ++k) {
    // SYNC POINT: advert. First where it is, then what it is; the compare-and-swap proves that both were still true.
    uint64_t w = p.their_adverts[k].acquire();
    uint32_t slot = static_cast<uint32_t>(w) - 1, generation = static_cast<uint32_t>(w >> 32);
    if (w == 0 || w == p.taken[k] || slot >= layout.g.max_requests) continue;
    const PublicSlot& pub = p.slots[slot];
    uint32_t tag = pub.tag.relaxed();
    if (pub.context.relaxed() != s.context || (tag != s.tag && tag != kAnyTag)) continue;
    uint64_t address = pub.address.relaxed(), heap_offset = pub.heap_offset.relaxed(), room = pub.room.relaxed();
    bool in_heap = heap_offset <= layout.g.heap_bytes && s.length <= layout.g.heap_bytes - heap_offset;
    if (s.length > room || (heap_offset != kNoHeap && !in_heap)) return false;
    if (best_kind(p.kinds, heap_offset != kNoHeap) == 0) return false;
    if (!match::decide(&p.match_words[slot], generation, match::Matched)) return false;
    UINTR_FAILPOINT("advert.taken");
    p.taken[k] = w;
    list_remove(&p.queued, index(s), links());
    s.state = SlotState::Active;
    s.matcher = true;
    s.moving = s.length;
    s.remote_address = address;
    s.remote_heap = heap_offset;
    s.remote_slot = slot;
    s.remote_generation = generation;
    s.chunk = chunk_for(s.moving);
    s.chunks = static_cast<uint32_t>((s.moving - 1) / s.chunk + 1);
    ++count.rendezvous_sent;
    ++count.pushed;
    if (traced()) trace_match(s);
    to_work(s);
    owe_match(s, Need::Look);  // who needs the receiver's CPU passes it the baton
    advance(s, effort);
    return true;
  }
  return false;
}

}  // namespace uintr
