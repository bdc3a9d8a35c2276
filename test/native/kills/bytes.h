// What messages are made of: bytes that tell which message they belong to.
#pragma once

#include <cstdint>
#include <cstring>
#include <vector>

namespace kills {

inline uint64_t word_of(uint64_t key, uint64_t i) { return (key + 1) * 0x9e3779b97f4a7c15 + i * 0x2545f4914f6cdd1d; }

inline void fill(unsigned char* to, uint64_t length, uint64_t key) {
  uint64_t i = 0;
  for (; i + 8 <= length; i += 8) {
    const uint64_t word = word_of(key, i / 8);
    std::memcpy(to + i, &word, 8);
  }
  for (; i < length; ++i) to[i] = static_cast<unsigned char>(word_of(key, i) >> 56);
}

inline bool is_filled(const unsigned char* at, uint64_t length, uint64_t key) {
  uint64_t i = 0;
  for (; i + 8 <= length; i += 8) {
    const uint64_t word = word_of(key, i / 8);
    if (std::memcmp(at + i, &word, 8) != 0) return false;
  }
  for (; i < length; ++i)
    if (at[i] != static_cast<unsigned char>(word_of(key, i) >> 56)) return false;
  return true;
}

}  // namespace kills
