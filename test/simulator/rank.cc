#include "rank.h"

#include <cstring>

namespace simulator {

using namespace uintr;

unsigned char* Rank::buffer(uint64_t bytes, bool* in_heap) {
  if (*in_heap && bytes != 0) {
    uint64_t offset = engine()->heap_alloc(bytes);
    if (offset != kNoHeap) {
      unsigned char* at = world_->heap(rank_) + offset;
      world_->buffers.add(rank_, at, bytes);
      return at;
    }
  }
  *in_heap = false;
  unsigned char* at = world_->buffers.take(rank_, bytes);
  if (at == nullptr) machine().fail("the simulator has no room for buffers left");
  return at;
}

size_t Rank::isend(uint32_t dest, uint64_t length, SendOptions o) {
  unsigned char* at = buffer(length, &o.in_heap);
  // By id: while the engine posts it, other ranks may run and post, too.
  uint32_t id = world_->model.sent(rank_, dest, o.context, o.tag, length, o.synchronous).id;
  machine().fence();  // what follows does not go through this rank's store buffer
  for (uint64_t i = 0; i < length; ++i) at[i] = Model::byte(id, i);
  world_->buffers.lend(at, Buffers::Use::Send);
  size_t index = requests_.size();
  requests_.push_back({kNoHandle, false, false, o.in_heap, false, false, id, at, length, Error::None});
  ++unfinished_;
  machine().trace("isend: %s", world_->model.text(world_->model.message(id)).c_str());
  Posted posted = engine()->post_send({dest, o.context, o.tag, at, length, o.synchronous});
  requests_[index].handle = world_->model.message(id).handle = posted.handle;
  if (posted.handle == kNoHandle) complete(requests_[index], posted.completion);
  return index;
}

size_t Rank::irecv(uint32_t source, uint64_t capacity, ReceiveOptions o) {
  unsigned char* at = o.allocate ? nullptr : buffer(capacity, &o.in_heap);
  uint32_t id = world_->model.posted(rank_, source, o.context, o.tag, capacity, o.allocate).id;
  if (at != nullptr) {
    machine().fence();
    std::memset(at, 0xee, capacity);
    world_->buffers.lend(at, Buffers::Use::Receive);
  }
  size_t index = requests_.size();
  requests_.push_back({kNoHandle, true, o.allocate, o.in_heap && !o.allocate, false, false, id, at, capacity, Error::None});
  ++unfinished_;
  machine().trace("irecv: %s", world_->model.text(world_->model.receipt(id)).c_str());
  Posted posted = engine()->post_recv({source, o.context, o.tag, at, o.allocate ? 0 : capacity, o.allocate});
  requests_[index].handle = world_->model.receipt(id).handle = posted.handle;
  if (posted.handle == kNoHandle) complete(requests_[index], posted.completion);
  return index;
}

bool Rank::cancel(size_t request) {
  Request& r = requests_[request];
  if (r.over || r.cancelled) return false;
  machine().trace("cancel request %zu", request);
  r.cancelled = engine()->cancel(r.handle);
  if (r.cancelled && r.receive) {
    world_->model.receipt(r.id).over = true;
    world_->model.receipt(r.id).error = Error::Cancelled;
  } else if (r.cancelled) {
    world_->model.message(r.id).over = true;
    world_->model.message(r.id).error = Error::Cancelled;
  }
  return r.cancelled;
}

// ---- progress -------------------------------------------------------------------

void Rank::look(Effort effort, bool* more) {
  uint32_t deaths = world_->take_deaths(rank_);
  for (uint32_t i = 0; i < world_->settings().ranks; ++i) {
    if ((deaths >> i & 1) == 0) continue;
    machine().trace("is told that %u is gone", i);
    engine()->peer_gone(i, world_->dead(i) ? Cause::Killed : Cause::Exited);
  }
  bool could = engine()->progress(effort);
  if (engine()->has_stalled()) engine()->resume_stalled();
  collect();
  if (more != nullptr) *more = could;
}

void Rank::test() { look(Effort::Call, nullptr); }

bool Rank::reached(const size_t* requests, size_t n) const {
  if (requests == nullptr) return unfinished_ == 0;
  for (size_t i = 0; i < n; ++i) {
    if (!requests_[requests[i]].over) return false;
  }
  return true;
}

bool Rank::wait(const size_t* requests, size_t n, uint32_t spins) {
  machine().trace("wait");
  engine()->begin_polling();
  bool still = false, direct = false;
  uint32_t spun = 0;
  for (;;) {
    bool more;
    look(Effort::Idle, &more);
    if (reached(requests, n) || still) break;
    if (more) continue;
    if (spun < spins) {
      ++spun;
      machine().yield();
      continue;
    }
    if (!engine()->prepare_sleep(Attention::Blocked)) continue;
    world_->set_waiting(rank_, true);
    Reason reason = machine().block(State::Asleep);
    world_->set_waiting(rank_, false);
    machine().take_wake(rank_);
    spun = 0;
    if (reason == Reason::Quiescent && world_->kicking()) {
      engine()->resume(true);
      engine()->kick();
      continue;
    }
    still = reason == Reason::Quiescent;
    engine()->resume(true);
  }
  if (!direct) engine()->resume(false);
  collect();
  machine().trace("wait is over");
  return reached(requests, n);
}

bool Rank::loop_all() {
  machine().trace("event loop");
  bool still = false;
  for (;;) {
    bool more;
    look(Effort::Idle, &more);
    if (unfinished_ == 0 || still) return unfinished_ == 0;
    if (more || !engine()->prepare_sleep(Attention::Sleeping)) continue;
    world_->set_waiting(rank_, true);
    Reason reason = machine().block(State::Asleep);
    world_->set_waiting(rank_, false);
    machine().take_wake(rank_);
    engine()->resume(false);
    if (reason == Reason::Quiescent && world_->kicking()) {
      engine()->kick();
      continue;
    }
    still = reason == Reason::Quiescent;
  }
}

void Rank::compute() {
  machine().block(State::Computing);
  collect();
}

void Rank::compute_in_callback() {
  if (!engine()->prepare_sleep(Attention::Sleeping)) {
    compute();
    return;
  }
  machine().block(State::Computing);
  engine()->resume(false);
  look(Effort::Idle, nullptr);
}

// ---- ends -------------------------------------------------------------------------

void Rank::finish() {
  machine().trace("finish");
  for (size_t i = 0; i < requests_.size(); ++i) cancel(i);
  collect();
  world_->more_memory();
  engine()->resume_stalled();
  world_->begin_finish(rank_);
  // Others may have to get there as well before everything can end.
  int patience = 2;
  while (!loop_all() && patience > 0) patience -= world_->all_finishing();
  if (unfinished_ != 0) {
    for (const Request& r : requests_) {
      if (r.over) continue;
      machine().fail("rank %u: a request is neither cancelled nor finished: %s", rank_,
                     r.receive ? world_->model.text(world_->model.receipt(r.id)).c_str()
                               : world_->model.text(world_->model.message(r.id)).c_str());
    }
  }
  world_->program_done(rank_);
  while (!world_->all_done()) {
    look(Effort::Idle, nullptr);
    if (!engine()->prepare_sleep(Attention::Sleeping)) continue;
    if (!world_->all_done()) machine().block(State::Asleep);
    machine().take_wake(rank_);
    engine()->resume(false);
  }
  look(Effort::Idle, nullptr);
  check_clean();
}

void Rank::close() {
  machine().trace("close");
  closing_ = true;
  engine()->begin_close();
  world_->begin_close(rank_);
  bool timed_out = false;
  // The others are told by notices; this one serves them until all is over.
  while (!engine()->quiescent() || unfinished_ != 0) {
    bool more;
    look(Effort::Idle, &more);
    if (engine()->quiescent() && unfinished_ == 0) break;
    if (more || !engine()->prepare_sleep(Attention::Sleeping)) continue;
    Reason reason = machine().block(State::Asleep);
    machine().take_wake(rank_);
    engine()->resume(false);
    if (reason == Reason::Quiescent && world_->kicking()) {
      engine()->kick();
    } else if (reason == Reason::Quiescent) {
      look(Effort::Idle, nullptr);
      if (engine()->quiescent() && unfinished_ == 0) break;
      if (timed_out) machine().fail("rank %u: close does not end", rank_);
      timed_out = true;
      engine()->abandon(Error::Timeout);
    }
  }
  engine()->publish_life(Life::Closed);
  world_->leave(rank_);
  world_->program_done(rank_);
}

void Rank::abandon() {
  machine().trace("abandon");
  abandoned_ = true;
  engine()->abandon(Error::Timeout);
  for (;;) {
    look(Effort::Idle, nullptr);
    if (engine()->quiescent() && unfinished_ == 0) break;
    if (!engine()->prepare_sleep(Attention::Blocked)) continue;
    Reason reason = machine().block(State::Asleep);
    machine().take_wake(rank_);
    engine()->resume(false);
    if (reason == Reason::Quiescent && !world_->kicking()) {
      look(Effort::Idle, nullptr);
      if (!engine()->quiescent()) machine().fail("rank %u: somebody does not let go of an abandoned request", rank_);
      if (unfinished_ != 0) machine().fail("rank %u: an abandoned request does not end", rank_);
    }
    if (world_->kicking()) engine()->kick();
  }
  engine()->publish_life(Life::Exited);
  world_->exit(rank_);
  world_->program_done(rank_);
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
