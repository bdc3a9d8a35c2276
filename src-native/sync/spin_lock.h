// A spinlock (Documentation/locking/spinlocks.rst), test-and-test-and-set: a waiter only reads until the lock looks free, so
// that the line stays in its cache, and pauses in between.
//
// Different from the kernel's, whose holder cannot be preempted: this one's can, and then everybody who waits burns a
// processor until the holder runs again. So a waiter yields after a while, and where there are more threads than
// processors a mutex is the right lock.
#pragma once

#include "sync/lock.h"

namespace uintr::sync {

struct alignas(kLine) SpinLockWords {
  Shared<Owner> owner;
  HolderWord holder;
  Consistency consistency;
};

class SpinLock {
 public:
  SpinLock(Region* region, SpinLockWords* words) : region_(region), words_(words) {}

  Attempt try_lock(Owner me);
  // For at most `ns`, and kSliceNs.
  Attempt lock(Owner me, uint64_t ns, bool first);
  void give_up(Owner) {}
  bool unlock(Owner me);
  void make_consistent() { words_->consistency.regained(); }

  Owner owner() const { return words_->owner.load_sc(); }
  Holder holder() const { return words_->holder.get(); }
  // Who has died with it last, as it was when it got it.
  Holder dead() const { return words_->consistency.dead(); }

 private:
  Attempt taken();
  bool inherit(Owner me);

  Region* region_;
  SpinLockWords* words_;
};

}  // namespace uintr::sync
