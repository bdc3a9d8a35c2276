// Who owns a lock, in one word that a single compare-and-swap can write: a seat of the region, and which of the lives of
// that seat. Threads take seats (region.h), and the kernel tells whether the thread of a seat is still there; a pid could
// not say that, for it means another process later, and nothing at all in another PID namespace.
#pragma once

#include <cstdint>

namespace uintr::sync {

// 0: nobody. Bits 0 … 30: the seat, from 1; bit 31: somebody sleeps until the lock is free (Mutex); 32 … 63: its life.
using Owner = uint64_t;

constexpr Owner kNobody = 0;
constexpr Owner kWaiters = uint64_t{1} << 31;

constexpr Owner owner_of(uint32_t seat, uint32_t life) { return uint64_t{life} << 32 | (seat + 1); }
constexpr Owner without_waiters(Owner word) { return word & ~kWaiters; }
constexpr uint32_t seat_of(Owner owner) { return static_cast<uint32_t>(without_waiters(owner)) - 1; }
constexpr uint32_t life_of(Owner owner) { return static_cast<uint32_t>(owner >> 32); }

}  // namespace uintr::sync
