#include "sync/completion.h"

#include <algorithm>
#include <climits>

#include "sync/futex.h"

namespace uintr::sync {

void Completion::complete() {
  uint32_t done = words_->done.load_sc();
  // As the kernel's: one that has ended all waits is not counted any further.
  while (done < kAll - 1 && !words_->done.cas_sc(&done, done + 1)) continue;
  // SYNC POINT: completion. A sleeper is counted, and then the kernel looks at what is done, and lets it sleep only while
  // that is 0; here that is changed, then the sleepers are looked at. Both by read-modify-writes: so one sees the other.
  if (words_->sleepers.load_sc() != 0) futex_wake(&words_->done, 1);
}

void Completion::complete_all() {
  words_->done.exchange_sc(kAll);
  // SYNC POINT: completion.
  if (words_->sleepers.load_sc() != 0) futex_wake(&words_->done, INT_MAX);
}

bool Completion::try_wait(bool* took) {
  uint32_t done = words_->done.load_sc();
  while (done != 0 && done != kAll && !words_->done.cas_sc(&done, done - 1)) continue;
  if (took != nullptr) *took = done != kAll;
  return done != 0;
}

bool Completion::wait(uint64_t ns, bool* took) {
  if (try_wait(took)) return true;
  uint64_t now = now_ns();
  const uint64_t end = now + std::min(ns, kSliceNs);
  // SYNC POINT: completion.
  words_->sleepers.add_sc(1);
  bool ended = try_wait(took);
  for (; !ended && now < end; now = now_ns()) {
    futex_wait(&words_->done, 0, end - now);
    ended = try_wait(took);
  }
  words_->sleepers.add_sc(~0u);
  return ended;
}

}  // namespace uintr::sync
