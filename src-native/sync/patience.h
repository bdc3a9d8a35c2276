// How a waiter spins: with pauses for a while, and then by yielding its processor between the looks, because whoever it
// waits for may need that very one.
#pragma once

#include <sys/syscall.h>

#include <algorithm>
#include <cstdint>

#include "engine/arch.h"
#include "sync/futex.h"

namespace uintr::sync {

class Patience {
 public:
  // `ns`: of this wait, and at most a slice.
  explicit Patience(uint64_t ns) : ns_(std::min(ns, kSliceNs)) {}

  // Between two looks. False: the time is over.
  bool pause() {
    if (++looks_ <= kPauses) {
      arch::relax();
      return true;
    }
    const uint64_t now = now_ns();
    if (end_ == 0) {
      end_ = now + ns_;
      check_at_ = now + kCheckNs;
    }
    if (now >= end_) return false;
    arch::syscall(SYS_sched_yield);
    return true;
  }

  // Whether it has lasted so long that it may be worth a system call to see if the other is still there.
  bool suspects() {
    if (end_ == 0 || looks_ % kYieldsBetweenChecks != 0) return false;
    const uint64_t now = now_ns();
    if (now < check_at_) return false;
    check_at_ = now + kCheckNs;
    return true;
  }

 private:
  static constexpr uint32_t kPauses = 1000;  // some 20 to 40 us
  static constexpr uint32_t kYieldsBetweenChecks = 16;
  static constexpr uint64_t kCheckNs = 1'000'000;
  uint64_t ns_, end_ = 0, check_at_ = 0;
  uint32_t looks_ = 0;
};

}  // namespace uintr::sync
