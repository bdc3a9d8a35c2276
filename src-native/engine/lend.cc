// Messages that are not copied: a send whose buffer lies in the own arena is lent to a receive without a buffer, which is
// over at once and has its slot, in state Lent, for as long as the program looks at the message. docs/protocol.md, "Lent
// buffers", says what holds meanwhile.
#include "engine/core.h"
#include "engine/failpoint.h"

namespace uintr {

// ---- the receiver ---------------------------------------------------------------

// Matched: nothing moves, and no block is taken.
void Core::borrow(Slot& s) {
  s.length = s.moving = s.total;
  s.chunk = chunk_for(s.moving);
  s.chunks = 0;
  ++count.borrowed;
  UINTR_FAILPOINT("lend.borrowing");
  owe_match(s, Need::Look);
  finish(s, Error::None);
}

bool Engine::loan(Handle handle, Loan* out) const {
  auto* c = const_cast<Core*>(core(this));
  const Slot* s = c->slot_of(handle_slot(handle), handle_generation(handle));
  if (s == nullptr || s->state != SlotState::Lent || !is_receive(*s)) return false;
  *out = Loan{s->peer, s->remote_heap, s->total};
  return true;
}

void Core::let_go(Slot& s, Error error) {
  s.state = SlotState::Done;
  // SYNC POINT: loan. What the program has read of the message is read before Fin is published; the sender writes there
  // only when it has seen it (on_fin).
  UINTR_FAILPOINT("lend.giving_back");
  if (s.remote_generation != 0) owe_fin(s, error, 0);
  if ((s.flags & (kOwesMatch | kOwesFin)) != 0)
    s.flags |= kDrained;
  else
    free_slot(index(s));
}

void Engine::give_back(Handle handle) {
  Core* c = core(this);
  Inside inside(c);
  Slot* s = c->slot_of(handle_slot(handle), handle_generation(handle));
  if (s == nullptr || s->state != SlotState::Lent || !is_receive(*s)) return;
  bool to_itself = s->peer == c->rank;
  c->let_go(*s, Error::None);
  if (to_itself) c->run(Effort::Call);
}

// ---- the sender -----------------------------------------------------------------

// The receive has met it, and borrows it until its Fin. A rank that closes does not wait for that: its arena gives out
// nothing any more, so what is lent stays as it is.
void Core::on_borrowed(Slot& s) {
  ++count.lent;
  if (s.state == SlotState::Closing) return finish(s, s.error, s.cause);
  if (life != Life::Active) return finish(s, Error::Closed);
  UINTR_FAILPOINT("lend.lending");
  s.state = SlotState::Lent;
}

void Core::end_loans(Error error) {
  for (uint32_t i = 0; i < slots_touched; ++i) {
    Slot& s = slots[i];
    if (s.state == SlotState::Lent && !is_receive(s)) finish(s, error);
  }
}

}  // namespace uintr
