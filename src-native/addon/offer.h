// Is it worth while to offer one's processor (sched_yield) to others and look again, where ranks share processors? If they
// wait as well, it comes back within microseconds, and the message with it. If somebody computes, it comes back when the
// scheduler's slice is over, milliseconds later; then a rank had better sleep, because who is woken comes first. What one
// try has cost tells what the next may.
#pragma once

#include <cstdint>

namespace uintr {

class Offer {
 public:
  // Another wait begins. Is the processor to be offered in it?
  bool worthwhile() { return declined_ == 0 || --declined_ == 0; }

  // It was away that long, in ns. False: somebody computes.
  bool took(uint64_t ns) {
    if (ns > kLongNs) declined_ = kDecline;
    return ns <= kLongNs;
  }

 private:
  // More than others take to copy or combine a good part of a message, less than a slice.
  static constexpr uint64_t kLongNs = 1'000'000;
  static constexpr uint32_t kDecline = 64;  // waits; so that an unlucky try costs little on the whole
  uint32_t declined_ = 0;
};

}  // namespace uintr
