// Does the owner of a lock run on a processor just now? The kernel's mutex knows (owner->on_cpu); a program can only ask
// for the owner's processor time, twice: where that has not moved, the owner did not run in between.
//
// Of a thread of another process the kernel tells only the whole process's time, so another thread that computes there
// counts as the owner; and it brings that up to date only at its ticks and when the process stops running. Between two
// ticks an owner that runs there looks like one that does not, and a waiter spins for two looks at it, some microseconds.
// Where it tells nothing (another PID namespace), the owner counts as running.
#pragma once

#include "sync/lock.h"

namespace uintr::sync {

class Running {
 public:
  // The next question is about another owner, or another of its turns.
  void is_another() { asked_ = false; }
  // True at first, for there is nothing yet to compare with.
  bool still(const Holder& holder);

 private:
  bool asked_ = false;
  uint64_t spent_ = 0;  // ns
};

}  // namespace uintr::sync
