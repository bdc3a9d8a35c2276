#include "drivers/vectors.h"

namespace uintr {
namespace {
thread_local uint64_t used = 0;
}

uint32_t vector_take() {
  for (uint32_t v = 64; v-- > 0;) {
    if (vector_take_this(v)) return v;
  }
  return kNoVector;
}

bool vector_take_this(uint32_t vector) {
  if (vector > 63 || (used >> vector & 1) != 0) return false;
  used |= uint64_t{1} << vector;
  return true;
}

void vector_give_back(uint32_t vector) {
  if (vector <= 63) used &= ~(uint64_t{1} << vector);
}

}  // namespace uintr
