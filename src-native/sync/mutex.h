// A mutex that sleeps (Documentation/locking/mutex-design.rst): one compare-and-swap to take it and one exchange to
// release it, the kernel only where somebody has to wait. As the kernel's it has one owner, which alone may release it,
// and it is not recursive.
//
// Different from the kernel's: it is robust (compare Documentation/locking/robust-futexes.rst), since its owner may be
// killed; and who is woken competes with who comes, for as long as it takes: nobody is handed the lock.
#pragma once

#include "sync/lock.h"

namespace uintr::sync {

struct alignas(kLine) MutexWords {
  Shared<Owner> owner;  // its lower half is the futex
  HolderWord holder;
  Consistency consistency;
};

class Mutex {
 public:
  // `adaptive`: spins as long as the owner runs on a processor, before it sleeps.
  Mutex(Region* region, MutexWords* words, bool adaptive) : region_(region), words_(words), adaptive_(adaptive) {}

  Attempt try_lock(Owner me);
  // For at most `ns`, and kSliceNs. `first`: of the calls that make up one wait.
  Attempt lock(Owner me, uint64_t ns, bool first);
  // The caller will not come back for what it waited for.
  void give_up(Owner) {}
  // False: `me` does not own it.
  bool unlock(Owner me);
  // By the owner: what it guards is whole again.
  void make_consistent() { words_->consistency.regained(); }

  Owner owner() const { return without_waiters(words_->owner.load_sc()); }
  Holder holder() const { return words_->holder.get(); }
  // Who has died with it last, as it was when it got it.
  Holder dead() const { return words_->consistency.dead(); }

 private:
  Attempt taken();
  bool take(Owner* seen, Owner wanted);
  bool inherit(Owner me);
  bool spin(Owner me, uint64_t until);

  Region* region_;
  MutexWords* words_;
  bool adaptive_;
};

}  // namespace uintr::sync
