// Do messages come so fast that a rank had better poll a moment before it sleeps? Falling asleep and being woken costs
// tens of microseconds; polling that long wins where the next message comes within that time, and only then. So the
// last one decides: had it come soon after the rank had nothing to do, the next may as well.
#pragma once

#include <cstdint>

namespace uintr {

class Pace {
 public:
  explicit Pace(double microseconds) : window_(static_cast<uint64_t>(microseconds * 1000)) {}

  // The rank has nothing to do from `now` (ns) on. Returns how long to poll, in ns.
  uint64_t idle(uint64_t now) {
    since_ = now;
    return brisk_ ? window_ : 0;
  }

  // A message was there before the clock was looked at.
  void at_once() { brisk_ = true; }

  // A message has ended that. Who sleeps learns of one late, by about the window: hence twice the window.
  void arrived(uint64_t now) {
    if (since_ == 0) return;
    brisk_ = now - since_ < 2 * window_;
    since_ = 0;
  }

 private:
  uint64_t window_;
  uint64_t since_ = 0;  // 0: busy
  bool brisk_ = false;
};

}  // namespace uintr
