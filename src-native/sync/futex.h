// Sleeping on a word of shared memory (futex(2)), which processes know by its place in the file, not by its address.
#pragma once

#include <linux/futex.h>
#include <sys/syscall.h>
#include <time.h>

#include <cstdint>

#include "engine/arch.h"

namespace uintr::sync {

// A sleeper looks again after this long, in ns. Who is killed between freeing a lock and waking a sleeper, or between being
// woken and taking it, has lost a wakeup that nobody else knows of. And the threads that JavaScript runs on come back to
// it, so that a worker's end and process.exit() need not wait.
constexpr uint64_t kSliceNs = 50'000'000;

inline uint64_t now_ns() {
  timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return static_cast<uint64_t>(t.tv_sec) * 1'000'000'000 + static_cast<uint64_t>(t.tv_nsec);
}

// Sleeps while the word is `expected`, until woken, at most `ns`. Also returns for no reason, and for signals.
inline void futex_wait(const void* word, uint32_t expected, uint64_t ns) {
  const timespec limit{static_cast<time_t>(ns / 1'000'000'000), static_cast<long>(ns % 1'000'000'000)};
  arch::syscall(SYS_futex, reinterpret_cast<long>(word), FUTEX_WAIT, static_cast<long>(expected),
                reinterpret_cast<long>(&limit));
}

inline void futex_wake(const void* word, int sleepers) {
  arch::syscall(SYS_futex, reinterpret_cast<long>(word), FUTEX_WAKE, sleepers);
}

}  // namespace uintr::sync
