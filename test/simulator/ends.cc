// How a rank's program ends: quietly, by close(), or by being torn down.
#include "rank.h"

namespace simulator {

using namespace uintr;

void Rank::finish() {
  machine().trace("finish");
  release_all();
  for (size_t i = 0; i < requests_.size(); ++i) cancel(i);
  for (size_t i = 0; i < collectives_.size(); ++i) cancel_collective(i);
  collect();
  world_->more_memory();
  world_->begin_finish(rank_);
  // Others may have to get there as well before everything can end.
  int patience = 2;
  while (!loop_all() && patience > 0) {
    // One that a receive without memory had taken, and has handed back since, can be taken back now.
    bool taken_back = false;
    for (size_t i = 0; i < requests_.size(); ++i) taken_back |= !requests_[i].receive && cancel(i);
    if (!taken_back) patience -= world_->all_finishing();
  }
  for (const Request& r : requests_) {
    if (r.over) continue;
    machine().fail("rank %u: a request is neither cancelled nor finished: %s", rank_,
                   r.receive ? world_->model.text(world_->model.receipt(r.id)).c_str()
                             : world_->model.text(world_->model.message(r.id)).c_str());
  }
  for (const Collective& c : collectives_) {
    if (!c.over) machine().fail("rank %u: collective %u is neither cancelled nor finished", rank_, c.run.tag);
  }
  world_->program_done(rank_);
  while (!world_->all_done()) {
    look(Effort::Idle, nullptr);
    if (!world_->all_done()) sleep(Attention::Sleeping, false);
  }
  look(Effort::Idle, nullptr);
  check_clean();
}

// Until nothing of this rank is left to do, or nobody can take a step any more.
// The latter counts only after the others have had their chance: a receive that
// waits for memory keeps its sender waiting too, and one that ends may be what
// another has waited for.
bool Rank::let_go(Attention how) {
  int patience = 3;
  for (;;) {
    bool more;
    look(Effort::Idle, &more);
    if (engine()->quiescent() && unfinished_ == 0) return true;
    if (patience == 0) return false;
    if (more || sleep(how, how == Attention::Blocked) != Slept::Still) continue;
    --patience;
    if (!world_->memory_came_back()) world_->more_memory();
  }
}

void Rank::close() {
  machine().trace("close");
  closing_ = true;
  engine()->begin_close();
  release_all();
  world_->begin_close(rank_);
  if (!let_go(Attention::Sleeping)) {
    engine()->abandon(Error::Timeout);
    if (!let_go(Attention::Sleeping)) machine().fail("rank %u: close does not end", rank_);
  }
  engine()->publish_life(Life::Closed);
  world_->leave(rank_);
  world_->program_done(rank_);
}

void Rank::abandon() {
  machine().trace("abandon");
  abandoned_ = true;
  forget_loans();
  engine()->abandon(Error::Timeout);
  if (!let_go(Attention::Blocked)) {
    machine().fail(unfinished_ != 0 ? "rank %u: an abandoned request does not end"
                                    : "rank %u: somebody does not let go of an abandoned request",
                   rank_);
  }
  engine()->publish_life(Life::Exited);
  world_->exit(rank_);
  world_->program_done(rank_);
}

void Rank::leave_behind() {
  machine().trace("leaves memory behind");
  abandoned_ = true;
  forget_loans();
  engine()->abandon(Error::Timeout);
  engine()->publish_life(Life::Closed);
  world_->leave(rank_);
  auto holder = [this] {
    for (uint32_t i = 0; i < world_->settings().ranks; ++i) {
      if (i != rank_ && !world_->dead(i) && world_->holds(i, rank_)) return i;
    }
    return kNone;
  };
  for (int patience = 3; holder() != kNone;) {
    // A timer, which rings when nobody can take a step.
    if (machine().block(State::Asleep) == Reason::Quiescent && --patience == 0) {
      machine().fail("rank %u does not let go of what rank %u has left behind", holder(), rank_);
    }
    machine().take_wake(rank_);
  }
  machine().fence();
  world_->buffers.give_back_all(rank_);
  world_->program_done(rank_);
}

void Rank::await_end(uint32_t peer) {
  machine().trace("awaits the end of %u", peer);
  for (bool more = true; !engine()->peer_is_gone(peer);) {
    look(Effort::Idle, &more);
    if (!more && !engine()->peer_is_gone(peer)) sleep(Attention::Sleeping, false);
  }
}

void Rank::expect_peer(uint32_t peer) {
  Completion c{};
  if (engine()->unreachable(peer, &c) && c.error == Error::Protocol)
    machine().fail("rank %u has lost rank %u, which is honest", rank_, peer);
}

void Rank::let_in(uint32_t peer) {
  collect();
  for (const Request& r : requests_) {
    const uint32_t needed = r.receive ? world_->model.receipt(r.id).source : world_->model.message(r.id).dest;
    if (!r.over && needed == peer) machine().fail("rank %u: a request outlives the rank that it needs", rank_);
  }
  world_->let_in(peer, rank_);
}

void Rank::begin_life() {
  requests_.clear();
  loans_.clear();
  keeps_ = true;
  collectives_.clear();
  unfinished_ = 0;
  world_->begin_life(rank_);
}

uint64_t Rank::eager_sent() {
  Counters c;
  engine()->counters(&c);
  return c.eager_sent;
}

void Rank::check_clean() {
  QueueView q;
  engine()->queues(&q);
  if (q.posted != 0 || q.active != 0 || q.queued_sends != 0 || q.slots_used != 0) {
    machine().fail("rank %u ends with %u posted, %u active, %u queued, %u slots used", rank_, q.posted, q.active,
                   q.queued_sends, q.slots_used);
  }
}

}  // namespace simulator
