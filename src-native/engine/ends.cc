// Ends: a peer that closes, is gone, or writes nonsense; and our own closing.
// All of it that walks every request is the thread's business; a handler only
// notes that there is something to see.
#include "engine/core.h"
#include "engine/failpoint.h"

namespace uintr {

// The peer wrote what no correct engine writes: nothing of it is read any more.
void Core::fault(uint32_t peer) {
  peers[peer].faulty = true;
  peers_changed = true;
}

void Core::see_changes() {
  peers_changed = false;
  for (uint32_t i = 0; i < size; ++i) {
    Partner& p = peers[i];
    if (p.gone) continue;
    if (p.faulty) {
      lose_peer(i, Cause::None, Error::Protocol);
      continue;
    }
    Life seen = static_cast<Life>(p.life->acquire());
    if ((seen == Life::Closing || seen == Life::Closed) && !p.closing && i != rank) {
      p.closing = true;
      fail_sends_to(i);
    }
    if (seen == Life::Closed && i != rank) {
      // Everything it ever published lies in the rings by now.
      UINTR_FAILPOINT("closed.seen");
      drain_replies(i, Effort::Call);
      drain_data(i, Effort::Call);
      lose_peer(i, Cause::Closed, Error::PeerExited);
      ++closed_peers;
    }
  }
}

// The peer receives nothing new: what it has not matched fails.
void Core::fail_sends_to(uint32_t peer) {
  for (uint32_t i = 0; i < slots_touched; ++i) {
    Slot& s = slots[i];
    if (s.peer != peer || is_receive(s)) continue;
    if (s.state == SlotState::Queued || s.state == SlotState::Offered) withdraw(s, Error::PeerExited, Cause::Closed);
  }
}

// Nobody is left at the other end, or nobody that is to be trusted: whatever
// needs it ends now. What it delivered stays receivable.
void Core::lose_peer(uint32_t peer, Cause cause, Error error) {
  Partner& p = peers[peer];
  if (p.gone) return;
  p.gone = true;
  p.cause = cause;
  sighted = true;
  while (!p.owed.empty()) {
    uint32_t i = p.owed.head - 1;
    list_remove(&p.owed, i, owes_links());
    slots[i].flags &= static_cast<uint8_t>(~(kOwesMatch | kOwesFin));
    --owed_replies;
    if ((slots[i].flags & kDrained) != 0) free_slot(i);
  }
  unexpected.each([&](uint32_t e) {
    const Unexpected& u = unexpected.at(e);
    if (u.source == peer && !u.eager) unexpected.remove(e);
  });
  // Alone, a rank may still send to itself; and to an elastic world somebody may come back.
  bool others = size == 1 || layout.g.elastic != 0;
  for (uint32_t i = 0; i < size; ++i) others |= i != rank && !peers[i].gone;
  if (!others) last_lost = peer;
  for (uint32_t i = 0; i < slots_touched; ++i) {
    Slot& s = slots[i];
    switch (s.state) {
      case SlotState::Queued:
        if (s.peer != peer) break;
        list_remove(&p.queued, i, links());
        finish(s, error, cause);
        break;
      case SlotState::Posted:
        if (s.peer != peer && (s.peer != kAnySource || others)) break;
        unpost(i);
        s.peer = peer;
        finish(s, error, cause);
        break;
      case SlotState::Taken:
        if (s.peer == peer) finish(s, error, cause);
        break;
      case SlotState::Matched:
        if (s.peer != peer || s.entry != kNone) break;  // an eager message is here in full
        s.error = error, s.cause = cause;  // for whoever receives it
        break;
      case SlotState::Stalled:
        if (s.peer != peer || s.entry != kNone) break;
        list_remove(&stalled, i, links());
        finish(s, error, cause);
        break;
      case SlotState::Offered:
      case SlotState::Active:
        if (s.peer == peer) finish(s, error, cause);
        break;
      case SlotState::Closing:
        if (s.peer == peer) finish(s, s.error, s.cause);
        break;
      case SlotState::Lent:
        if (s.peer == peer && !is_receive(s)) finish(s, error, cause);
        [[fallthrough]];
      case SlotState::Done:
        // What is lent stays readable; but there is nobody to tell, also when the rank has come back.
        if (s.peer == peer && borrows(s)) s.remote_generation = 0;
        break;
      case SlotState::Free:
      case SlotState::Running:
        break;
    }
  }
  // SYNC POINT: let-go. No copy is under way here, for this is the thread with the mask raised, and none begins again;
  // then the peer is told. It reads another count, then gives back the memory that we might have touched. A count, for
  // a new life of the peer may come before its old process looks.
  p.mine->let_go.release(p.mine->let_go.relaxed() + 1);
  UINTR_FAILPOINT("peer_gone.let_go");
}

void Core::fail_posted(Error error) {
  for (uint32_t i = 0; i < slots_touched; ++i) {
    Slot& s = slots[i];
    if (s.state == SlotState::Posted && take_back(i)) {
      unpost(i);
      finish(s, error);
    }
    // Its sender will say who it is; then this transfer is closed.
    if (s.state == SlotState::Taken) close_transfer(s, error, Cause::None, 0);
  }
}

// Matched, but there was no memory for it, or nobody received it.
void Core::fail_matched(Slot& s, Error error) {
  if (s.state == SlotState::Stalled) list_remove(&stalled, index(s), links());
  s.state = SlotState::Active;
  if (s.entry != kNone) {
    release_entry(s.entry);
    finish(s, error);
  } else if (peers[s.peer].gone || s.error != Error::None) {  // gone, or back in a life that knows nothing of it
    finish(s, error);
  } else {
    close_transfer(s, error, Cause::None, 0);
  }
}

void Engine::peer_gone(uint32_t peer, Cause cause) {
  Core* c = core(this);
  if (peer >= c->size || peer == c->rank || c->peers[peer].gone) return;
  Inside inside(c);
  // Its pid and its addresses mean nothing any more; only its heap is still there.
  c->peers[peer].kinds &= kCopyHeap;
  c->peers[peer].interruptible = false;
  // What it had published before it went is still valid, and is taken first; but a receive that it has advertised is
  // not to be taken any more.
  UINTR_FAILPOINT("peer_gone.begun");
  if (!c->peers[peer].faulty) {
    c->drain_replies(peer, Effort::Call);
    c->drain_data(peer, Effort::Call);
  }
  UINTR_FAILPOINT("peer_gone.emptied");
  c->lose_peer(peer, cause, c->peers[peer].faulty ? Error::Protocol : Error::PeerExited);
  // SYNC POINT: upid. It may have died between the two steps of an interrupt to this rank; then ON is set, and nobody
  // signals. As before a sleep, ON is cleared, then the bitmap is looked at.
  c->bell->upid.status.and_sc(~kUpidOn);
  if (c->anything_pending() || !c->ready.empty()) c->run(Effort::Call);
}

void Engine::revive(uint32_t peer, const PeerMap& map, uint32_t kept) {
  Core* c = core(this);
  if (peer >= c->size || peer == c->rank || !c->peers[peer].gone) return;
  Inside inside(c);
  Partner& old = c->peers[peer];
  // What needed the old life has failed (lose_peer); of messages that came whole, those stay that stand by themselves.
  c->unexpected.each([&](uint32_t e) {
    const Unexpected& u = c->unexpected.at(e);
    if (u.source != peer || u.context == kept) return;
    c->unexpected.remove(e);
    c->unexpected.give_blocks(&old.pool, e);
  });
  // Nobody reads these words: the old life is over, the new one has not begun.
  auto* to = reinterpret_cast<Outbound*>(c->control + c->layout.outbound(peer));
  auto* from = reinterpret_cast<Inbound*>(c->control + c->layout.inbound(peer));
  to->data_tail.release(0);
  to->reply_tail.release(0);
  from->data_head.release(0);
  from->reply_head.release(0);
  to->want_data_space.release(0);
  to->want_reply_space.release(0);
  to->interrupt_at.release(0);
  to->noticed_at.release(0);
  Partner p{};
  p.match_words = old.match_words;
  p.bell = old.bell;
  p.pool = old.pool;
  p.outstanding = old.outstanding;  // eager messages that were matched and are not received yet
  p.ring_ready = old.ring_ready;
  p.blocks_released = 0 - uint64_t{c->unexpected.blocks_taken(old.pool)};
  from->released_blocks.release(p.blocks_released);
  old = p;
  c->attach_peer(peer, map);
  UINTR_FAILPOINT("revive.done");
}

Life Engine::peer_life(uint32_t peer) const { return static_cast<Life>(core(this)->peers[peer].life->acquire()); }
bool Engine::peer_is_gone(uint32_t peer) const { return core(this)->peers[peer].gone; }
uint32_t Engine::closed_peers() const { return core(this)->closed_peers; }
Cause Engine::peer_cause(uint32_t peer) const { return core(this)->peers[peer].cause; }

void Engine::begin_close() {
  Core* c = core(this);
  if (c->life != Life::Active) return;
  Inside inside(c);
  c->life = Life::Closing;
  c->header->life.release(static_cast<uint32_t>(Life::Closing));
  UINTR_FAILPOINT("close.said");
  c->fail_schedules(Error::Closed);
  c->fail_posted(Error::Closed);
  for (uint32_t i = 0; i < c->slots_touched; ++i)
    if (SlotState state = c->slots[i].state; state == SlotState::Stalled || state == SlotState::Matched)
      c->fail_matched(c->slots[i], Error::Closed);
  c->advance_schedules(Effort::Call, true);  // to their ends: nothing of them begins any more
  c->end_loans(Error::Closed);
  // Sends to oneself that nobody has received, nobody will.
  c->fail_sends_to(c->rank);
  UINTR_FAILPOINT("close.failed");
  for (uint32_t i = 0; i < c->size; ++i)
    if (i != c->rank && !c->peers[i].gone) c->notify(i, Need::Look);
}

bool Engine::quiescent() const {
  const Core* c = core(this);
  return c->open_sends == 0 && c->open_transfers == 0 && c->owed_replies == 0 && c->running_schedules == 0;
}

bool Engine::idle() const { return core(this)->slots_used == 0; }

bool Engine::peer_may_touch(uint32_t peer) const {
  const Core* c = core(this);
  return peer != c->rank && !c->peers[peer].gone && c->peers[peer].outstanding != 0;
}

bool Engine::peer_inside_copy(uint32_t peer) const {
  const Core* c = core(this);
  if (c->peers[peer].gone) return false;
  for (uint32_t i = 0; i < c->slots_touched; ++i) {
    const Slot& s = c->slots[i];
    if (s.state == SlotState::Closing && s.peer == peer && c->other_end_inside(s)) return true;
  }
  return false;
}

bool Engine::peer_has_let_go(const Geometry& geometry, const PeerMap& map, uint32_t rank) {
  const auto* header = reinterpret_cast<const ControlHeader*>(map.control);
  // SYNC POINT: let-go. A rank publishes its own end, too, from outside any copy, and no chunk was left to claim.
  switch (static_cast<Life>(header->life.acquire())) {
    case Life::Closed:
    case Life::Exited:
      return true;
    default:
      return times_let_go(geometry, map.control, rank) != map.let_go;
  }
}

void Engine::abandon(Error error) {
  Core* c = core(this);
  Inside inside(c);
  UINTR_FAILPOINT("abandon.begun");
  c->fail_schedules(error);
  c->advance_schedules(Effort::Call, true);  // what they take back goes in their order
  c->fail_posted(error);
  for (uint32_t i = 0; i < c->slots_touched; ++i) {
    Slot& s = c->slots[i];
    switch (s.state) {
      case SlotState::Queued:
        c->withdraw(s, error, Cause::None);
        break;
      case SlotState::Offered:
        if (!c->withdraw(s, error, Cause::None)) {
          // Matched, but the Match is still on its way.
          c->close_transfer(s, error, Cause::None, 0);
        }
        break;
      case SlotState::Matched:
      case SlotState::Stalled:
        c->fail_matched(s, error);
        break;
      case SlotState::Active:
        c->close_transfer(s, error, Cause::None, 0);
        break;
      case SlotState::Lent:
        is_receive(s) ? c->let_go(s, error == Error::PeerExited ? error : Error::None) : c->finish(s, error);
        break;
      case SlotState::Free:
      case SlotState::Posted:
      case SlotState::Taken:
      case SlotState::Closing:
      case SlotState::Done:
      case SlotState::Running:
        break;
    }
  }
  // The last look: at everything, whatever the bitmap says, which others can
  // scribble over.
  for (uint32_t i = 0; i < c->size; ++i) c->service(i, Effort::Call);
  c->advance_schedules(Effort::Call, true);
}

void Engine::publish_life(Life life) {
  Core* c = core(this);
  Inside inside(c);
  c->life = life;
  c->header->life.release(static_cast<uint32_t>(life));
  UINTR_FAILPOINT("end.said");
  for (uint32_t i = 0; i < c->size; ++i)
    if (i != c->rank && !c->peers[i].gone) c->notify(i, Need::Look);
}

}  // namespace uintr
