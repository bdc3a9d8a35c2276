// Does this thread wait at once for the large messages it posts? Then it had better copy while it posts: the peer, which
// may compute, need not be interrupted, and nobody is kept from anything, because waiting would have copied as well.
// If it computes instead, the interrupt is what gives it its time back. So what it did the last times decides.
#pragma once

#include <cstdint>

namespace uintr {

class Habit {
 public:
  // `soon`: how much time, by the clock that the others are given, is still at once; 0: there is no such clock.
  explicit Habit(uint64_t soon) : soon_(soon) {}

  // Is the thread expected to wait for what it posts now?
  bool waits() const { return trust_ >= kEnough; }

  // It has posted a large message, just now.
  void posted(uint64_t now) { posted_at_ = now; }

  bool posted() const { return posted_at_ != 0; }

  // It comes to wait. Being late costs more trust than being quick gains: who waits and computes by turns has none.
  void came(uint64_t now) {
    if (now - posted_at_ < soon_)
      trust_ += trust_ < kMost;
    else
      trust_ -= trust_ < kLoss ? trust_ : kLoss;
    posted_at_ = 0;
  }

 private:
  static constexpr uint32_t kEnough = 2, kMost = 4, kLoss = 2;
  uint64_t soon_;
  uint64_t posted_at_ = 0;  // 0: what it did then is known
  uint32_t trust_ = 0;
};

}  // namespace uintr
