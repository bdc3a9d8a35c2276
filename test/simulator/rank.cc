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
  unsigned char* at = buffer(length, &(o.in_heap |= o.lend));
  o.lend &= o.in_heap;
  // By id: while the engine posts it, other ranks may run and post, too.
  uint32_t id = world_->model.sent(rank_, dest, o.context, o.tag, length, o.synchronous).id;
  machine().fence();  // what follows does not go through this rank's store buffer
  for (uint64_t i = 0; i < length; ++i) at[i] = Model::byte(id, i);
  world_->buffers.lend(at, Buffers::Use::Send);
  size_t index = requests_.size();
  requests_.push_back({kNoHandle, false, false, o.in_heap, false, false, false, id, at, length, Error::None, o.lend});
  ++unfinished_;
  machine().trace("isend: %s", world_->model.text(world_->model.message(id)).c_str());
  Posted posted = engine()->post_send({dest, o.context, o.tag, at, length, o.synchronous, o.lend, o.waits});
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
  requests_.push_back(
      {kNoHandle, true, o.allocate, o.in_heap && !o.allocate, false, false, false, id, at, capacity, Error::None, false});
  ++unfinished_;
  machine().trace("irecv: %s", world_->model.text(world_->model.receipt(id)).c_str());
  Posted posted = engine()->post_recv(
      {source, o.context, o.tag, at, o.allocate ? 0 : capacity, o.allocate, false, o.waits});
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

bool Rank::give_up(size_t request) {
  Request& r = requests_[request];
  if (r.over) return false;
  r.given_up = engine()->give_up_stalled(r.handle);
  if (!r.given_up) return false;
  machine().trace("gives request %zu up", request);
  world_->model.given_up(r.id);
  collect();
  return true;
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
  if (engine()->has_stalled() || world_->memory_came_back()) engine()->resume_stalled();
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

// Sleeps, if the engine lets it, until it is woken; as far as resume().
Rank::Slept Rank::sleep(Attention how, bool then_poll) {
  if (!engine()->prepare_sleep(how)) return Slept::NotAtAll;
  world_->set_waiting(rank_, true);
  Reason reason = machine().block(State::Asleep);
  world_->set_waiting(rank_, false);
  machine().take_wake(rank_);
  engine()->resume(then_poll);
  // A waiter for whom nothing has happened in a millisecond.
  if (world_->take_kick(rank_)) {
    engine()->kick();
    return Slept::Woken;
  }
  return reason == Reason::Quiescent ? Slept::Still : Slept::Woken;
}

bool Rank::wait(const size_t* requests, size_t n, uint32_t spins, bool abrupt) {
  machine().trace("wait");
  engine()->begin_polling();
  bool still = false;
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
    Slept slept = sleep(Attention::Blocked, !abrupt);
    still = slept == Slept::Still;
    if (slept == Slept::NotAtAll) continue;
    spun = 0;
    if (!abrupt) continue;
    collect();
    if (reached(requests, n)) return true;
    engine()->begin_polling();
  }
  engine()->resume(false);
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
    if (!more) still = sleep(Attention::Sleeping, false) == Slept::Still;
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

}  // namespace simulator
