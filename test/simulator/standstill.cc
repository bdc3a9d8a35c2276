// Nobody can take a step: is that right? Every request of a rank that waits
// must then have nothing left to hope for, and what interrupts are to carry on
// must have arrived.
#include "world.h"

namespace simulator {

using namespace uintr;
using ViewState = RequestView::State;

// What the engine itself says of a request; one it knows no more is done.
ViewState World::state_of(uint32_t rank, Handle handle) const {
  struct Search {
    Handle handle;
    ViewState state;
  } search{handle, ViewState::Done};
  engines_[rank]->each_request(
      [](void* to, const RequestView& v) {
        auto* s = static_cast<Search*>(to);
        if (v.handle == s->handle) s->state = v.state;
      },
      &search);
  return search.state;
}

// Is there a receive without memory that may have taken `m`?
bool World::stalled(const Message& m) const {
  for (const Receipt& r : model.receipts()) {
    if (Model::fits(m, r) && state_of(r.rank, r.handle) == ViewState::Stalled) return true;
  }
  return false;
}

// The receive that `m`, which is on offer, should have met by now.
const Receipt* World::partner(const Message& m) const {
  const Receipt* found = nullptr;
  for (const Receipt& r : model.receipts()) {
    // Its copy was refused, and it may have been this message's.
    if (r.over && r.error == Error::CopyFailed && Model::fits(m, r)) return nullptr;
    if (!model.could_meet(m, r)) continue;
    ViewState state = state_of(r.rank, r.handle);
    // One that is done, or has found no memory yet, may be the one, and then
    // all is well.
    if (state == ViewState::Stalled || state == ViewState::Done) return nullptr;
    if (found != nullptr) continue;
    bool taken = false;  // by another message, which is further
    if (state != ViewState::Posted) {
      for (const Message& other : model.messages()) {
        if (other.id == m.id || !model.could_meet(other, r)) continue;
        ViewState further = state_of(other.source, other.handle);
        taken |= further == ViewState::Active || further == ViewState::Done || gone(other.source);
      }
    }
    if (!taken) found = &r;
  }
  return found;
}

// What `rank`, which waits, should have got. Empty: it has nothing to expect.
std::string World::unmet(uint32_t rank) const {
  if (engines_[rank]->has_completions()) return "a completion lies there while its rank sleeps";
  for (const Receipt& r : model.receipts()) {
    if (r.rank != rank || r.over) continue;
    ViewState state = state_of(rank, r.handle);
    if (state == ViewState::Active || state == ViewState::Closing) return model.text(r) + " does not end";
    if (state != ViewState::Posted) continue;
    for (const Message& m : model.messages()) {
      if (gone(m.source) || !model.could_meet(m, r) || partner(m) == nullptr) continue;
      return model.text(r) + " and " + model.text(m) + " do not meet";
    }
    if (r.source != kAnySource && gone(r.source)) return model.text(r) + " waits for one who is gone";
  }
  for (const Message& m : model.messages()) {
    if (m.source != rank || m.over) continue;
    if (deaf(m.dest) && !awaited(m.dest, rank)) return model.text(m) + " is for one who is gone";
    ViewState state = state_of(rank, m.handle);
    if (state == ViewState::Active || (state == ViewState::Closing && !stalled(m)))
      return model.text(m) + " does not end";
    if (state == ViewState::Queued) return model.text(m) + " stays in its queue";
    if (borrower(m.id) != kNone) continue;
    if (m.received_by != kNone) return model.text(m) + " was received and is not over";
    const Receipt* r = partner(m);
    if (r != nullptr) return model.text(m) + " and " + model.text(*r) + " do not meet";
  }
  return "";
}

// Ranks that compute need not have noticed the end of a transfer, but one of
// its ends must have: interrupts alone are to carry it there.
std::string World::unfinished_transfer() const {
  for (const Message& m : model.messages()) {
    if (m.over || deaf(m.dest) || gone(m.source)) continue;
    ViewState state = state_of(m.source, m.handle);
    if (state == ViewState::Done) continue;
    if (state == ViewState::Queued) return model.text(m) + " stays in its queue while its rank computes";
    const Receipt* r = partner(m);
    if (r != nullptr) return model.text(m) + " and " + model.text(*r) + " got nowhere while their ranks computed";
  }
  return "";
}

void World::quiescent() {
  uint32_t computing = 0, asleep = 0;
  for (uint32_t i = 0; i < settings_.ranks; ++i) {
    computing += machine_->state(i) == State::Computing;
    asleep += machine_->state(i) == State::Asleep;
  }
  auto release = [this](State state) {
    for (uint32_t i = 0; i < settings_.ranks; ++i) {
      if (machine_->state(i) == state) machine_->release(i);
    }
  };
  if (dead_ != 0 && !kicked_ && asleep != 0) {
    // A sender may have died between its two steps; a waiter's timeout helps.
    kicked_ = true;
    for (uint32_t i = 0; i < settings_.ranks; ++i) kick_[i] = machine_->state(i) == State::Asleep;
    release(State::Asleep);
    return;
  }
  if (settings_.driver == Driver::Poll && computing != 0) return release(State::Computing);
  for (uint32_t i = 0; i < settings_.ranks; ++i) {
    if (machine_->state(i) != State::Asleep || !waiting_[i]) continue;
    std::string why = unmet(i);
    if (!why.empty() && !settings_.forged) machine_->fail("lost wakeup at rank %u: %s", i, why.c_str());
  }
  // After a death only a rank that waits puts right what the dead one left half
  // done; where all compute, nobody does.
  bool carried = settings_.driver != Driver::Poll && (dead_ == 0 || kicked_);
  std::string why = carried ? unfinished_transfer() : "";
  if (carried && why.empty()) why = unfinished_collective();
  if (!why.empty() && !settings_.forged) machine_->fail("no progress: %s", why.c_str());
  kicked_ = false;
  release(computing != 0 ? State::Computing : State::Asleep);
}

}  // namespace simulator
