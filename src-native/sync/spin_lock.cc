#include "sync/spin_lock.h"

#include "sync/patience.h"

namespace uintr::sync {

Attempt SpinLock::taken() {
  words_->holder.set(this_holder());
  return words_->consistency.acquired();
}

Attempt SpinLock::try_lock(Owner me) {
  Owner seen = kNobody;
  if (words_->owner.cas_sc(&seen, me)) return taken();
  return seen == me ? Attempt::Deadlock : Attempt::Waiting;
}

Attempt SpinLock::lock(Owner me, uint64_t ns, bool) {
  Attempt attempt = try_lock(me);
  if (attempt != Attempt::Waiting) return attempt;
  Patience patience(ns);
  do {
    Owner seen = words_->owner.relaxed();
    if (seen == kNobody) {
      if (words_->owner.cas_sc(&seen, me)) return taken();
    } else if (patience.suspects() && !region_->is_alive(seen) && words_->owner.cas_sc(&seen, me)) {
      words_->consistency.lost(words_->holder.get());
      return taken();
    }
  } while (patience.pause());
  return Attempt::Waiting;
}

bool SpinLock::unlock(Owner me) {
  if (words_->owner.relaxed() != me) return false;
  // Nobody else changes it while its owner is alive, so a plain store will do, with what was written before it.
  words_->owner.release(kNobody);
  return true;
}

}  // namespace uintr::sync
