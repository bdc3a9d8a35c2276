#include "sync/spin_lock.h"

#include "sync/patience.h"

namespace uintr::sync {

Attempt SpinLock::taken() {
  words_->holder.set(this_holder());
  return words_->consistency.acquired();
}

// From an owner that has died.
bool SpinLock::inherit(Owner me) {
  Owner seen = words_->owner.relaxed();
  if (seen == kNobody || region_->is_alive(seen) || !words_->owner.cas_sc(&seen, me)) return false;
  words_->consistency.lost(words_->holder.get());
  return true;
}

Attempt SpinLock::try_lock(Owner me) {
  Owner seen = kNobody;
  if (words_->owner.cas_sc(&seen, me)) return taken();
  if (seen == me) return Attempt::Deadlock;
  return inherit(me) ? taken() : Attempt::Waiting;
}

Attempt SpinLock::lock(Owner me, uint64_t ns, bool) {
  Patience patience(ns);
  do {
    Owner seen = words_->owner.relaxed();
    if (seen == me) return Attempt::Deadlock;
    if (seen == kNobody && words_->owner.cas_sc(&seen, me)) return taken();
    if (patience.suspects() && inherit(me)) return taken();
  } while (patience.pause());
  // However short its waits are, it finds out about the dead.
  return inherit(me) ? taken() : Attempt::Waiting;
}

bool SpinLock::unlock(Owner me) {
  if (words_->owner.relaxed() != me) return false;
  // Nobody else changes it while its owner is alive, so a plain store will do, with what was written before it.
  words_->owner.release(kNobody);
  return true;
}

}  // namespace uintr::sync
