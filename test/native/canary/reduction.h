// A handler that does nothing but reduce: every kind in turn.
#pragma once

#include <cstdint>

namespace canary {

// A length that is no multiple of a vector's, for any type.
constexpr uint64_t kReducedBytes = 488;
constexpr uint32_t kReducedKinds = 11 * 16;

// By kind: how many elements, and what has to come out.
struct Reduced {
  uint64_t elements;  // 0: no such kind
  unsigned char expected[kReducedBytes];
};
extern Reduced reduced[kReducedKinds];
extern unsigned char reduce_left[kReducedBytes], reduce_right[kReducedBytes];

// Handler runs that interrupted the window, and those whose result was another than what is expected.
uint64_t window_reductions();
uint64_t wrong_reductions();

}  // namespace canary
