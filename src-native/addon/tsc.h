// The time-stamp counter as a clock.
#pragma once

#include <cstdint>

namespace uintr::tsc {

// It runs at one rate in all states of the processor, and the kernel starts those of all processors together, so ranks on
// different processors read one clock (SDM vol. 3, "Invariant TSC").
bool is_invariant();

// How far it counts in so many microseconds; 0 where it is not invariant.
uint64_t cycles_in(uint64_t microseconds);

}  // namespace uintr::tsc
