// What is done for receives without a buffer that wait for memory. What would help them may be messages that nobody
// refers to any more: so garbage is collected, and what turns out to be unreachable is given back at once, because
// finalizers run from the event loop only, and who sits in wait() never comes there.
#include <uv.h>

#include <algorithm>

#include "addon/world.h"

namespace uintr {
namespace {

constexpr uint64_t kLastCollectMs = 10'000;
constexpr uint64_t kMs = 1'000'000;  // in ns

}  // namespace

bool World::collect_garbage() {
  // More external memory than V8 accepts makes it collect everything at once; there is no plainer way to ask. It may
  // free array buffers beside the program; then the second time waits for the end of the first.
  js::Scope scope(env_);
  if (!scope.open()) return false;
  constexpr int64_t kTooMuch = int64_t{1} << 40;
  for (int round = 0; round < 2; ++round) {
    int64_t total = 0;
    napi_adjust_external_memory(env_, kTooMuch, &total);
    napi_adjust_external_memory(env_, -kTooMuch, &total);
    if (reclaim()) return true;
  }
  return false;
}

void World::relieve_stalled() {
  if (allocating_ == 0 || !engine_->waits_for_memory()) {
    collect_after_ = kFirstCollectMs;
    collect_at_ = 0;
    return;
  }
  bool freed = reclaim();
  uint64_t now = uv_hrtime();
  // A program that does not let go of its messages is not to pay for it at every look.
  if (!freed && now >= collect_at_) {
    freed = collect_garbage();
    collected_ = true;
    collect_at_ = now + collect_after_ * kMs;
    collect_after_ = std::min(collect_after_ * 2, kLastCollectMs);
  }
  if (!freed) return;
  collect_after_ = kFirstCollectMs;
  collect_at_ = 0;
  engine_->resume_stalled();
}

uint64_t World::collect_in() const {
  const uint64_t now = uv_hrtime();
  return collect_at_ > now ? (collect_at_ - now + kMs - 1) / kMs : 0;
}

bool World::give_up(Handle handle) {
  if (handle == kNoHandle || !engine_->is_stalled(handle)) return false;
  // The program has had no turn since the wait began: once is enough for all that it waits for.
  if (!collected_ && collect_garbage()) engine_->resume_stalled();
  collected_ = true;
  return engine_->give_up_stalled(handle);
}

}  // namespace uintr
