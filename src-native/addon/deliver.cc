// How completions get from the engine to JavaScript: in batches, through the exchange.
#include <unistd.h>

#include "addon/instance.h"
#include "addon/remains.h"
#include "addon/world.h"
#include "drivers/disposition.h"

namespace uintr {
namespace {

constexpr uint32_t kWorldMessages = 0;  // context of the world's point-to-point messages (lib/context.ts)
constexpr uint64_t kDriverCheckNs = 1'000'000'000;
constexpr uint64_t kLookCycles = 20'000'000;  // 5 to 10 ms

Cause cause_of(Life life) {
  // What a rank published last; one that published nothing vanished.
  if (life == Life::Closed) return Cause::Closed;
  if (life == Life::Exited) return Cause::Exited;
  return Cause::Killed;
}

}  // namespace

uint32_t World::take_batch() {
  if (engine_ == nullptr) return 0;
  exchange_->asked = instance_->asked.load(std::memory_order_relaxed);
  Completion* batch = exchange_->batch;
  uint32_t count = engine_->drain(batch, kBatch);
  // From here on no peer touches these buffers.
  for (uint32_t i = 0; i < count; ++i) {
    SlotNote& note = notes_[handle_slot(batch[i].handle)];
    note.bytes.reset();
    note.schedule.reset();
    if (note.allocates) --allocating_;
    note.allocates = false;
  }
  if (engine_->take_sightings()) exchange_->sighted = 1;
  while (count < kBatch && next_news_ < news_.size()) batch[count++] = news_[next_news_++];
  if (next_news_ == news_.size() && next_news_ != 0) {
    news_.clear();
    next_news_ = 0;
  }
  return count;
}

bool World::advance(Effort effort) {
  bool more = engine_->progress(effort);
  if (engine_->closed_peers() != closed_told_) tell_closed();
  if (engine_->has_stalled()) engine_->resume_stalled();
  return more;
}

void World::deliver() {
  if (tearing_down_ || engine_ == nullptr || !has_news()) return;
  loop_.stop_watching();  // this is progress
  gather();
  js::Scope scope(env_);
  if (!scope.open()) return;
  // The batch is taken here and read there before anything else can be posted, so a slot's number is not reused under
  // JavaScript's eyes. A full batch makes JavaScript ask for the next by itself.
  napi_value count = nullptr;
  if (napi_create_uint32(env_, take_batch(), &count) != napi_ok) return;
  on_batch_.call(1, &count);
}

void World::look_around(int timeout_ms) {
  Liveness::Events events = joined_->liveness.drain(timeout_ms);
  if (!events.dead.empty()) bury(events.dead);
  // Last: who comes back waits for the end of its life before.
  if (events.knocked || !events.dead.empty()) answer_door();
}

void World::bury(const std::vector<uint32_t>& dead) {
  for (uint32_t peer : dead) {
    // SYNC POINT: life. Said before the lifeline hangs up; read after that.
    Cause cause = cause_of(engine_->peer_life(peer));
    engine_->peer_gone(peer, cause);
    tell_gone(peer, cause);
  }
  // It may have died between the two steps of an interrupt to somebody who now takes one to be on its way.
  engine_->kick(true);
  // Of a thread of this process: what it had to leave behind because this rank might touch it.
  remains_release();
}

void World::answer_door() {
  auto is_gone = [](void* self, uint32_t peer) { return bool{static_cast<World*>(self)->told_gone_[peer]}; };
  for (uint32_t peer : joined_->answer_door(is_gone, this)) {
    news_.push_back({kNoHandle, static_cast<Error>(kNewsReturning), Cause::None, peer, 0, 0, 0});
  }
}

bool World::let_in(uint32_t peer, Joined::Returning* who) {
  if (engine_ == nullptr || !engine_->peer_is_gone(peer) || !joined_->let_in(peer, who)) return false;
  if (who->failed) {
    answer_door();  // nothing else tells of one that has waited for the end of this life
    return true;
  }
  driver_->replace(peer, joined_.get());
  engine_->revive(peer, joined_->maps[peer], kWorldMessages);
  told_gone_[peer] = false;
  crowded_ = -1;
  return true;
}

void World::admitted(uint32_t peer) {
  if (engine_ != nullptr && !engine_->peer_is_gone(peer)) joined_->admitted(peer);
}

void World::tell_gone(uint32_t peer, Cause cause) {
  if (told_gone_[peer]) return;
  told_gone_[peer] = true;
  news_.push_back({kNoHandle, static_cast<Error>(kNewsPeerGone), cause, peer, 0, 0, 0});
}

// A rank that says that it is closed is gone, whatever may still hold its lifeline.
void World::tell_closed() {
  closed_told_ = engine_->closed_peers();
  for (uint32_t peer = 0; peer < told_gone_.size(); ++peer) {
    if (engine_->peer_is_gone(peer) && engine_->peer_cause(peer) == Cause::Closed) tell_gone(peer, Cause::Closed);
  }
}

void World::look_around_sometimes() {
  uint64_t now = arch::cycles();
  if (now - looked_at_ < kLookCycles) return;
  looked_at_ = now;
  look_around(0);
  check_driver();
  relieve_stalled();
}

void World::check_driver() {
  if (driver_lost_) return;
  const uint64_t now = uv_hrtime();
  const uint32_t changes = disposition_changes();
  if (changes == signal_changes_ && now - driver_checked_at_ < kDriverCheckNs) return;
  driver_checked_at_ = now;
  signal_changes_ = changes;
  if (driver_->still_ours()) return;
  driver_->fall_back();
  driver_lost_ = true;
  news_.push_back({kNoHandle, static_cast<Error>(kNewsDriverLost), Cause::None, 0, 0, 0, 0});
}

void World::ring_self() {
  uint64_t one = 1;
  // A counter that is full already does what is wanted.
  [[maybe_unused]] ssize_t written = write(joined_->event_fd.get(), &one, sizeof one);
}

}  // namespace uintr
