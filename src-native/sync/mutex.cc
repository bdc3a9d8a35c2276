#include "sync/mutex.h"

#include <algorithm>

#include "sync/futex.h"
#include "sync/running.h"

namespace uintr::sync {
namespace {

// How long a waiter spins at most, in ns, though the owner runs: unlike the kernel it cannot know that somebody else
// wants its processor.
constexpr uint64_t kSpinNs = 200'000;
// Looks at the word between two looks at the owner.
constexpr int kLooks = 40;

}  // namespace

Attempt Mutex::taken() {
  words_->holder.set(this_holder());
  return words_->consistency.acquired();
}

// `*seen` is what the word was last; updated where it has changed.
bool Mutex::take(Owner* seen, Owner wanted) {
  if (!words_->owner.cas_sc(seen, wanted)) return false;
  // An owner that was there and is replaced has died.
  if (without_waiters(*seen) != kNobody) words_->consistency.lost(words_->holder.get());
  return true;
}

// From an owner that has died. Others may sleep.
bool Mutex::inherit(Owner me) {
  Owner seen = words_->owner.load_sc();
  return without_waiters(seen) != kNobody && !region_->is_alive(seen) && take(&seen, me | kWaiters);
}

Attempt Mutex::try_lock(Owner me) {
  Owner seen = kNobody;
  if (take(&seen, me)) return taken();
  if (without_waiters(seen) == me) return Attempt::Deadlock;
  return inherit(me) ? taken() : Attempt::Waiting;
}

// As the kernel's optimistic spinning: true if it was taken.
bool Mutex::spin(Owner me, uint64_t until) {
  Running running;
  Owner last = kNobody;
  for (;;) {
    Owner seen = kNobody;
    for (int i = 0; i < kLooks; ++i) {
      seen = words_->owner.relaxed();
      if (seen == kNobody && take(&seen, me)) return true;
      arch::relax();
    }
    if (now_ns() >= until) return false;
    if (seen != last)
      running.is_another();
    else if (!running.still(words_->holder.get()))
      return false;
    last = seen;
  }
}

Attempt Mutex::lock(Owner me, uint64_t ns, bool first) {
  Owner seen = kNobody;
  if (take(&seen, me)) return taken();
  if (without_waiters(seen) == me) return Attempt::Deadlock;
  uint64_t now = now_ns();
  const uint64_t end = now + std::min(ns, kSliceNs);
  if (first && adaptive_ && spin(me, std::min(end, now + kSpinNs))) return taken();
  seen = words_->owner.load_sc();
  for (;;) {
    // Who takes it here keeps the waiters' bit: others may sleep, and the bit is all that tells whoever releases it.
    if (without_waiters(seen) == kNobody) {
      if (take(&seen, me | kWaiters)) return taken();
      continue;
    }
    // SYNC POINT: mutex. The bit is set by a read-modify-write of the word that the owner exchanges when it releases it;
    // it finds the bit, and wakes, or the word has changed by now, and futex_wait returns at once.
    if ((seen & kWaiters) == 0 && !words_->owner.cas_sc(&seen, seen | kWaiters)) continue;
    now = now_ns();
    if (now >= end) break;
    futex_wait(&words_->owner, static_cast<uint32_t>(seen | kWaiters), end - now);
    seen = words_->owner.load_sc();
  }
  // Nothing has come for a whole slice, or the caller's time is up: the moment to see whether anything ever will.
  return inherit(me) ? taken() : Attempt::Waiting;
}

bool Mutex::unlock(Owner me) {
  if (without_waiters(words_->owner.relaxed()) != me) return false;
  // SYNC POINT: mutex. Who sets the bit after this finds the word free.
  const Owner was = words_->owner.exchange_sc(kNobody);
  if ((was & kWaiters) != 0) futex_wake(&words_->owner, 1);
  return true;
}

}  // namespace uintr::sync
