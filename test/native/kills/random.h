// Numbers from a seed (splitmix64), the same for all who know it.
#pragma once

#include <cstdint>

namespace kills {

class Random {
 public:
  explicit Random(uint64_t seed) : state_(seed) {}
  // Of a number of its own for each combination of these.
  template <class... Ns>
  static Random of(Ns... ns) {
    Random r(0x6b696c6c73);
    ((r.state_ = r.next() ^ static_cast<uint64_t>(ns)), ...);
    r.next();
    return r;
  }
  uint64_t next() {
    uint64_t z = (state_ += 0x9e3779b97f4a7c15);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    return z ^ (z >> 31);
  }
  uint32_t below(uint32_t n) { return static_cast<uint32_t>(next() % n); }
  bool one_in(uint32_t n) { return below(n) == 0; }

 private:
  uint64_t state_;
};

}  // namespace kills
