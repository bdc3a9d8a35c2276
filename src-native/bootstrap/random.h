// Words nobody can guess.
#pragma once

#include <sys/random.h>

#include <cerrno>
#include <cstdint>

namespace uintr {

inline uint64_t random_word() {
  uint64_t word = 0;
  // Eight bytes are given whole; EINTR only before the pool was first filled, early at boot.
  while (getrandom(&word, sizeof word, 0) < 0 && errno == EINTR) continue;
  return word;
}

}  // namespace uintr
