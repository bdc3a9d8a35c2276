// Counters and inspection.
#include "engine/core.h"

namespace uintr {

namespace {

// The last round may do without its End.
void count_rounds(const Schedule& c, RequestView* v) {
  for (uint32_t i = 0; i < c.count; ++i) {
    const bool first = i == 0 || c.steps[i - 1].kind == ScheduleStep::Kind::End;
    v->rounds += first;
    if (i <= c.next) v->round = v->rounds;
  }
}

}  // namespace

void Engine::counters(Counters* out) {
  Inside inside(core(this));
  *out = core(this)->count;
}

void Engine::queues(QueueView* out) const {
  const Core* c = core(this);
  *out = QueueView{};
  out->posted = c->posted.pressing();
  out->unexpected_eager = c->unexpected.eager_count();
  out->unexpected_rendezvous = c->unexpected.rendezvous_count();
  out->slots_used = c->slots_used;
  for (uint32_t i = 0; i < c->slots_touched; ++i) {
    out->active += c->slots[i].state == SlotState::Active;
    out->queued_sends += c->slots[i].state == SlotState::Queued;
  }
}

void Engine::each_request(void (*visit)(void*, const RequestView&), void* to) const {
  const Core* c = core(this);
  for (uint32_t i = 0; i < c->slots_touched; ++i) {
    const Slot& s = c->slots[i];
    if (s.patient) continue;  // listens to what may never come, and nobody waits for it
    RequestView v{};
    switch (s.state) {
      case SlotState::Free: continue;
      case SlotState::Queued: v.state = RequestView::State::Queued; break;
      case SlotState::Offered: v.state = RequestView::State::Offered; break;
      case SlotState::Posted: v.state = RequestView::State::Posted; break;
      case SlotState::Taken:
      case SlotState::Matched: v.state = RequestView::State::Matched; break;
      case SlotState::Stalled: v.state = RequestView::State::Stalled; break;
      case SlotState::Lent: v.state = RequestView::State::Lent; break;
      case SlotState::Active: v.state = RequestView::State::Active; break;
      case SlotState::Closing: v.state = RequestView::State::Closing; break;
      case SlotState::Done: v.state = RequestView::State::Done; break;
      case SlotState::Running:
        v.state = s.error == Error::None ? RequestView::State::Active : RequestView::State::Closing;
        break;
    }
    v.handle = make_handle(i, s.generation);
    v.kind = is_receive(s) ? RequestView::Kind::Receive : RequestView::Kind::Send;
    v.peer = s.peer, v.tag = s.tag, v.context = s.context;
    v.length = is_receive(s) && s.total != 0 ? s.total : s.length;
    uint64_t copied = uint64_t{s.claimed} * s.chunk;
    v.moved = (s.flags & kPipelined) != 0 ? s.pushed : copied < s.moving ? copied : s.moving;
    if (s.collective != nullptr) {
      v.kind = RequestView::Kind::Collective;
      v.peer = kAnySource;
      v.length = s.collective->bytes, v.moved = s.collective->moved;
      count_rounds(*s.collective, &v);
    }
    visit(to, v);
  }
}

uint32_t Engine::copy_kind(uint32_t peer) const {
  const Core* c = core(this);
  const Partner& p = c->peers[peer];
  if ((p.kinds & kCopyDirect) != 0) return kCopyDirect;
  if ((p.kinds & kCopyCma) != 0 || (p.theirs->copy_kinds.acquire() & kCopyCma) != 0) return kCopyCma;
  // Buffers outside the heap bounce; those inside are copied straight.
  return kCopyPipeline;
}

}  // namespace uintr
