// Keeps receives posted and messages under way between two ranks, of which each computes: what is not done by the
// calls that post is done by handlers.
#pragma once

#include <vector>

#include "rank.h"

namespace canary {

class Exchange {
 public:
  explicit Exchange(Rank& rank) : rank_(rank), peer_(1 - rank.rank) {
    for (uint64_t i = 0; i < pattern_.size(); ++i) {
      pattern_[i] = static_cast<unsigned char>(i * 7 + (i >> 8) * 13 + (i >> 16) * 5);
    }
    for (Active& a : receiving_) a.bytes.resize(kLongest);
  }

  // Takes what is finished, posts every receive that is missing, and one send: another interrupt for the peer.
  void step() {
    Completion done[8];
    while (const uint32_t n = rank_.engine->drain(done, 8)) {
      for (uint32_t i = 0; i < n; ++i) finished(done[i]);
    }
    for (Active& a : receiving_) {
      if (a.handle != kNoHandle) continue;
      a.k = received_++;
      over(&a, rank_.engine->post_recv({peer_, 0, 0, a.bytes.data(), kLongest, false}));
    }
    for (Active& a : sending_) {
      if (a.handle != kNoHandle) continue;
      a.k = sent_++;
      // A send that waits for its match needs the receiver's CPU, however short it is.
      over(&a, rank_.engine->post_send({peer_, 0, 0, content(a.k, rank_.rank), length(a.k), a.k % 4 != 0}));
      return;
    }
  }

 private:
  static constexpr size_t kAtOnce = 8;
  static constexpr uint64_t kLongest = 600000;

  struct Active {
    Handle handle = kNoHandle;
    uint64_t k = 0;
    std::vector<unsigned char> bytes;
  };

  // Around the eager limit; now and then several chunks, which are copied slice by slice, with a baton.
  static uint64_t length(uint64_t k) {
    constexpr uint64_t kLengths[] = {100, 4096, 5000, 700, 20000};
    return k % 64 == 63 ? kLongest : kLengths[k % std::size(kLengths)] + k % 3;
  }
  const unsigned char* content(uint64_t k, uint32_t from) const { return &pattern_[(k * 97 + from * 31) % kOffsets]; }

  void over(Active* a, const Posted& p) {
    a->handle = p.handle;
    if (p.handle == kNoHandle) check(*a, p.completion);
  }
  void finished(const Completion& c) {
    for (auto* list : {&sending_, &receiving_}) {
      for (Active& a : *list) {
        if (a.handle != c.handle) continue;
        a.handle = kNoHandle;
        return check(a, c);
      }
    }
    CHECK(!"a request that is known");
  }
  void check(const Active& a, const Completion& c) {
    CHECK(c.error == Error::None);
    CHECK(c.length == length(a.k));
    if (!a.bytes.empty()) CHECK(memcmp(a.bytes.data(), content(a.k, peer_), c.length) == 0);
  }

  static constexpr uint64_t kOffsets = 4093;
  Rank& rank_;
  const uint32_t peer_;
  uint64_t sent_ = 0, received_ = 0;
  Active sending_[kAtOnce], receiving_[kAtOnce];
  std::vector<unsigned char> pattern_ = std::vector<unsigned char>(kOffsets + kLongest);
};

}  // namespace canary
