// Looking for messages without receiving them, and taking one out of matching to receive it later (MPI 4.1, 3.8).
#include "engine/core.h"
#include "engine/failpoint.h"
#include "engine/sizes.h"

namespace uintr {

bool Engine::probe(uint32_t source, uint32_t context, uint32_t tag, Envelope* envelope) {
  Core* c = core(this);
  Inside inside(c);
  c->run(Effort::Call);
  uint32_t e = c->find_unexpected(context, source, tag);
  if (e == kNone) return false;
  const Unexpected& u = c->unexpected.at(e);
  *envelope = Envelope{u.source, u.tag, u.length};
  return true;
}

Handle Engine::improbe(uint32_t source, uint32_t context, uint32_t tag, Envelope* envelope, Error* error) {
  Core* c = core(this);
  Inside inside(c);
  *error = Error::None;
  if (c->life != Life::Active) return kNoHandle;
  c->run(Effort::Call);
  uint32_t e = c->find_unexpected(context, source, tag);
  if (e == kNone) return kNoHandle;
  uint32_t i = c->take_slot();
  if (i == kNone) {
    *error = Error::NoMemory;
    return kNoHandle;
  }
  e = c->claim_unexpected(e, context, source, tag);
  if (e == kNone) {
    c->free_slot(i);
    return kNoHandle;
  }
  Slot& s = c->slots[i];
  UINTR_FAILPOINT("probe.taken");
  s.flags = kReceive;
  s.context = context;
  s.state = SlotState::Matched;
  // Its sender may write another envelope over the entry of a rendezvous; the slot knows all that a receive needs.
  c->attach(s, e);
  *envelope = Envelope{s.peer, s.tag, s.total};
  return make_handle(i, s.generation);
}

Posted Engine::imrecv(Handle handle, void* data, uint64_t length, bool allocate) {
  Core* c = core(this);
  Inside inside(c);
  Slot* s = c->slot_of(handle_slot(handle), handle_generation(handle));
  if (s == nullptr || s->state != SlotState::Matched)
    return Posted{kNoHandle, {kNoHandle, Error::Closed, Cause::None, kAnySource, kAnyTag, 0, kNoHeap}};
  c->budget = kMaxSlice;
  c->describe(*s, data, length, allocate);
  if (c->traced()) c->trace_post(TraceWhat::Receive, handle, s->peer, s->context, s->tag, s->total);
  if (s->error != Error::None) {
    c->finish(*s, s->error, s->cause);  // its sender went before it was received
  } else {
    c->receive_matched(*s, Effort::Call);
    if (s->state == SlotState::Stalled) c->resume_stalled_now();  // the thread itself may commit memory
  }
  return Posted{handle, {}};
}

bool Engine::unreachable(uint32_t source, Completion* outcome) const {
  const Core* c = core(this);
  uint32_t needed = source == kAnySource ? c->last_lost : source;
  if (needed == kNone || !c->peers[needed].gone) return false;
  outcome->error = c->peers[needed].faulty ? Error::Protocol : Error::PeerExited;
  outcome->cause = c->peers[needed].cause;
  outcome->source = needed;
  return true;
}

void Engine::watch(bool on) {
  Inside inside(core(this));
  core(this)->watching = on;
}

bool Engine::has_sightings() const { return core(this)->watching && core(this)->sighted; }

bool Engine::take_sightings() {
  Core* c = core(this);
  Inside inside(c);
  bool sighted = c->watching && c->sighted;
  c->sighted = false;
  return sighted;
}

}  // namespace uintr
