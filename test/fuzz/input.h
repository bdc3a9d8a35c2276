// A fuzzer's bytes, taken one after another. Where they are used up, zeros come.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

namespace fuzz {

class Input {
 public:
  Input(const uint8_t* data, size_t size) : at_(data), end_(data + size) {}

  bool empty() const { return at_ == end_; }
  uint8_t byte() { return at_ == end_ ? 0 : *at_++; }
  uint32_t pick(uint32_t below) { return byte() % below; }
  bool flag() { return (byte() & 1) != 0; }
  // As a generator of numbers. Mostly a byte, for most of what is asked for is a choice; 255 announces eight more.
  uint64_t operator()() {
    const uint8_t first = byte();
    if (first != 255) return first;
    uint64_t word = 0;
    fill(&word, sizeof word);
    return word;
  }
  void fill(void* to, size_t bytes) {
    const size_t there = static_cast<size_t>(end_ - at_) < bytes ? static_cast<size_t>(end_ - at_) : bytes;
    if (there != 0) std::memcpy(to, at_, there);
    at_ += there;
  }

 private:
  const uint8_t* at_;
  const uint8_t* end_;
};

}  // namespace fuzz
