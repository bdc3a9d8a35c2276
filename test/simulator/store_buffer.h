// The store buffer of one simulated processor (x86-TSO): stores leave it in
// order, the processor's own loads see what is still in it, the other
// processors do not. Short copies wait in it like stores; a long copy first
// empties it, which is one of the things a processor may do.
#pragma once

#include <cstdint>
#include <cstring>

namespace simulator {

class StoreBuffer {
 public:
  static constexpr uint32_t kMaxBytes = 128;  // of one entry; longer copies do not wait
  static constexpr uint32_t kMaxEntries = 24;

  struct Entry {
    unsigned char* to;
    uint32_t n;
    unsigned char bytes[kMaxBytes];
  };

  void clear() { first_ = count_ = 0; }
  bool empty() const { return count_ == 0; }
  bool full() const { return count_ == kMaxEntries; }

  Entry& push(void* to, const void* from, uint32_t n) {
    Entry& e = entries_[(first_ + count_++) % kMaxEntries];
    e.to = static_cast<unsigned char*>(to);
    e.n = n;
    std::memcpy(e.bytes, from, n);
    return e;
  }

  const Entry& oldest() const { return entries_[first_]; }
  void pop() {
    first_ = (first_ + 1) % kMaxEntries;
    --count_;
  }

  // Lays what waits for [at, at+n) over `bytes`, which hold what memory holds.
  void overlay(unsigned char* bytes, const void* at, size_t n) const {
    auto* begin = static_cast<const unsigned char*>(at);
    for (uint32_t i = 0; i < count_; ++i) {
      const Entry& e = entries_[(first_ + i) % kMaxEntries];
      if (e.to + e.n <= begin || begin + n <= e.to) continue;
      const unsigned char* lo = e.to > begin ? e.to : begin;
      const unsigned char* hi = e.to + e.n < begin + n ? e.to + e.n : begin + n;
      std::memcpy(bytes + (lo - begin), e.bytes + (lo - e.to), static_cast<size_t>(hi - lo));
    }
  }

 private:
  Entry entries_[kMaxEntries];
  uint32_t first_ = 0, count_ = 0;
};

}  // namespace simulator
