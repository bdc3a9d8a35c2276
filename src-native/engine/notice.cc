// Notices between ranks, and whether this one may go to sleep.
#include "engine/core.h"
#include "engine/failpoint.h"

namespace uintr {

namespace {

constexpr uint32_t kRefused = 8;

// Looks for as long as an interrupt would cost. Where that was in vain, the next ones do without.
template <typename Seen>
bool glance(uint64_t cycles, uint32_t& refused, Seen seen) {
  if (refused != 0 && --refused != 0) return false;
  const uint64_t began = arch::cycles();
  do {
    if (seen()) return true;
    arch::relax();
  } while (arch::cycles() - began < cycles);
  refused = kRefused;
  return false;
}

}  // namespace

// Tells a peer that something was published for it.
void Core::notify(uint32_t peer, Need need) {
  Partner& p = peers[peer];
  // SYNC POINT: pending. What was published is visible before the bit.
  // SYNC POINT: attention. The bit is set, then the attention is read; the
  // peer exchanges its attention, then reads the bits (engine.cc).
  p.bell->pending[rank / 64].or_sc(1ull << (rank % 64));
  UINTR_FAILPOINT("notice.bit_set");
  if (peer == rank) return;  // looked at before the call that got us here returns
  auto a = static_cast<Attention>(p.attention->load_sc());
  // SYNC POINT: posted. The bit is set, then the count is read; a peer that
  // posts its first receive publishes the count, then looks at the bits.
  bool needs_cpu = need == Need::Cpu || (need == Need::Match && p.posted->load_sc() != 0);
  bool wake =
      a == Attention::Blocked || (a == Attention::Sleeping && (!needs_cpu || !p.interruptible || !interrupt_wakes));
  if (needs_cpu) {
    ++count.interrupts_posted;
    if (p.interruptible && (a == Attention::Sleeping || (a == Attention::Computing && !looks_by_itself(peer)))) {
      ++count.interrupts_sent;
      if (traced()) trace_interrupt(peer);
      UINTR_FAILPOINT("notice.interrupting");
      ports.interrupt(ports.self, peer, false);
    } else {
      ++count.interrupts_suppressed;
    }
  }
  if (wake) {
    ++count.wakes_sent;
    if (traced()) trace_wake(peer);
    UINTR_FAILPOINT("notice.waking");
    ports.wake(ports.self, peer);
  }
}

// A rank that computes may be about to look: it has posted a receive and goes to wait for it, or asks again and again.
bool Core::looks_by_itself(uint32_t peer) {
  if (handling) return false;  // a handler waits for nothing
  Partner& p = peers[peer];
  return glance(glance_cycles, p.unheeded, [&] {
    // SYNC POINT: pending. It takes the bit, then reads what was published before that was set. Or, as in notify(), it
    // says that it looks, and then does (SYNC POINT: attention).
    if ((p.bell->pending[rank / 64].load_sc() & (1ull << (rank % 64))) == 0) return true;
    auto a = static_cast<Attention>(p.attention->load_sc());
    return a == Attention::Polling || a == Attention::Inside;
  });
}

// The peer has posted its part, perhaps just now, and who posts mostly waits next: a glance costs less than the copy or
// the interrupt that it saves.
bool Core::comes_to_wait(const Slot& s) {
  Partner& p = peers[s.peer];
  bool asleep = false;
  return glance(glance_cycles, p.unseen, [&] {
    asleep = static_cast<Attention>(p.attention->acquire()) == Attention::Sleeping;
    return asleep || attentive(s.peer);
  }) && !asleep && left_to_peer(s);
}

// A rank that computes is at something that takes longer than to say so: until it is through, an interrupt would find the
// mask raised. Where there are no interrupts that is nothing to say.
void Core::say_inside() {
  if (!interrupts || inside || handling || state != Attention::Computing) return;
  inside = true;
  header->attention.release(static_cast<uint32_t>(Attention::Inside));
  UINTR_FAILPOINT("inside.said");
}

void Core::come_out() {
  for (bool again = false; inside; again = true) {
    inside = false;
    // SYNC POINT: attention. Peers left us alone because we were inside; now we say that we are not, then look once
    // more. The second time as a handler does, which says nothing of the kind: so that this ends.
    header->attention.exchange_sc(static_cast<uint32_t>(state));
    UINTR_FAILPOINT("inside.left");
    if (!anything_pending()) return;
    if (again)
      run_as_handler();
    else
      run(Effort::Call);
  }
}

bool Core::attentive(uint32_t peer) const {
  auto a = static_cast<Attention>(peers[peer].attention->acquire());
  return a == Attention::Polling || a == Attention::Blocked;
}

bool Core::anything_pending() const {
  for (uint32_t w = 0; w < (size + 63) / 64; ++w)
    if (bell->pending[w].load_sc() != 0) return true;
  return false;
}

// The bitmap is written by all ranks, so one of them can clear the bits of others. What those have published stands in
// their own memory all the same.
bool Core::overlooked(const Partner& p) const {
  if (p.gone || p.faulty) return false;
  // SYNC POINT: attention. As for the bits: we have said that we sleep; a sender publishes, then reads what we said.
  if (p.data_in.behind() || p.reply_in.behind()) return true;
  if ((!p.queued.empty() || p.pipelines != 0) && p.data_out.room_made()) return true;
  if (!p.owed.empty() && p.reply_out.room_made()) return true;
  auto seen = static_cast<Life>(p.life->acquire());
  return &p != &peers[rank] && (seen == Life::Closed || (seen == Life::Closing && !p.closing));
}

bool Core::anything_overlooked() const {
  for (uint32_t i = 0; i < size; ++i)
    if (overlooked(peers[i])) return true;
  return false;
}

// Would a rank that goes to sleep now miss something?
bool Core::something_to_do() {
  if (anything_pending() || !done.empty() || peers_changed || (retry_stalled && !stalled.empty())) return true;
  if (watching && sighted) return true;
  // The mask is raised: no handler makes another ready after this look.
  if (!ready.empty()) return true;
  if (!trusts_bitmap && anything_overlooked()) return survey_due = true;
  for (uint32_t l = work.head; l != 0; l = slots[l - 1].work.next) {
    Slot& s = slots[l - 1];
    if ((s.flags & kPipelined) != 0) {
      // Room that came since we asked for it has set a bit; so no bit, no room.
      continue;
    }
    if (usable_kind(s) != 0 && any_left(s)) return true;
  }
  return false;
}

// A short message of a collective operation is over here as soon as it is written, and yet waited for.
bool Core::may_have_something_of_ours(const Partner& p) const {
  return p.outstanding != 0 || !p.owed.empty() || running_schedules != 0;
}

void Engine::kick(bool everybody) {
  Core* c = core(this);
  Inside inside(c);
  for (uint32_t i = 0; i < c->size; ++i) {
    Partner& p = c->peers[i];
    if (i == c->rank || p.gone || (!everybody && !c->may_have_something_of_ours(p))) continue;
    p.bell->pending[c->rank / 64].or_sc(1ull << (c->rank % 64));
    UINTR_FAILPOINT("kick.bit_set");
    if (c->traced() && p.interruptible) c->trace_interrupt(i);
    if (p.interruptible) c->ports.interrupt(c->ports.self, i, true);
    c->ports.wake(c->ports.self, i);
  }
}

bool Engine::unanswered() const {
  const Core* c = core(this);
  if (!c->interrupts || quiescent()) return false;  // for an idle rank that is all
  for (uint32_t i = 0; i < c->size; ++i) {
    const Partner& p = c->peers[i];
    if (i == c->rank || p.gone || !p.interruptible || !c->may_have_something_of_ours(p)) continue;
    auto a = static_cast<Attention>(p.attention->acquire());
    // Who looks takes our bit out of its bitmap.
    bool told = (p.bell->pending[c->rank / 64].acquire() & (1ull << (c->rank % 64))) != 0;
    if (told && (a == Attention::Computing || a == Attention::Sleeping)) return true;
  }
  return false;
}

}  // namespace uintr
