// The 64 vectors of a thread, shared by its worlds (from 63 downward) and its doorbells (as the program says).
#pragma once

#include <cstdint>

namespace uintr {

constexpr uint32_t kNoVector = 64;

uint32_t vector_take();                  // the highest free one, or kNoVector
bool vector_take_this(uint32_t vector);  // false: in use, or above 63
void vector_give_back(uint32_t vector);

}  // namespace uintr
