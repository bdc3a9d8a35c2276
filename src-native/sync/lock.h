// What the locks of this folder have in common: how an attempt ends, and what is known of the owner.
//
// A lock is owned by a seat (owner.h), and so by a thread. Handlers of interrupts own nothing and take none of these: who
// holds one may be the very code that they interrupted (design, "Soft mask").
#pragma once

#include <cstdint>

#include "engine/shared.h"
#include "sync/region.h"

namespace uintr::sync {

enum class Attempt : int32_t {
  Acquired = 0,
  // Also acquired. An owner has died while it held the lock, and nobody has said since that what it guards is whole again.
  Inconsistent = 1,
  Waiting = 2,   // not yet
  Deadlock = 3,  // this seat owns it, so nobody would ever release it
};

// Who holds a lock, for questions and for guesses; not by which anything is decided: it may be an owner of the past.
struct Holder {
  int32_t pid, tid;  // as the owner's PID namespace has them
  uint32_t cpu;      // where it ran when it got the lock
};

// All of that in one word, so that nobody sees half of one and half of another.
class HolderWord {
 public:
  void set(Holder holder) {
    word_.set_relaxed((static_cast<uint64_t>(holder.pid) & kPid) | (static_cast<uint64_t>(holder.tid) & kPid) << 22 |
                      static_cast<uint64_t>(holder.cpu) << 44);
  }
  Holder get() const {
    const uint64_t word = word_.relaxed();
    return {static_cast<int32_t>(word & kPid), static_cast<int32_t>(word >> 22 & kPid),
            static_cast<uint32_t>(word >> 44)};
  }

 private:
  static constexpr uint64_t kPid = (1u << 22) - 1;  // PID_MAX_LIMIT of the kernel
  Shared<uint64_t> word_;
};

// The calling thread, as it is now.
Holder this_holder();
// What the calling thread takes is that thread's from now on, of the same process: one that ends before its lock does
// would tell nobody anything.
void hold_for(int32_t tid);

// Whether what the lock guards is whole, and if not, who has died with it last. Read and written by owners only.
class Consistency {
 public:
  void lost(Holder dead) {
    dead_.set(dead);
    lost_.release(1);
  }
  Holder dead() const { return dead_.get(); }
  void regained() { lost_.release(0); }
  Attempt acquired() const { return lost_.acquire() == 0 ? Attempt::Acquired : Attempt::Inconsistent; }

 private:
  HolderWord dead_;
  Shared<uint32_t> lost_;
};

}  // namespace uintr::sync
