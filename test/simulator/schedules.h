// Collective operations as lists of steps, by the algorithms of lib/collectives, for few ranks.
#pragma once

#include <cstdint>
#include <vector>

#include "engine/schedule.h"

namespace simulator {

enum class Operation : uint8_t {
  Halves,  // allreduce of two ranks, half by half, so that local operations stand before, between and after messages
  Doubling,  // allreduce: recursive doubling, between the largest power of two
  Ring,      // allreduce: reduce-scatter and allgather around a ring
  Bcast,     // a binomial tree
  Barrier,   // dissemination
};

struct Part {
  uint32_t rank, size, root;
  uint64_t elements;     // of 4 bytes
  unsigned char* own;    // Bcast: the buffer
  unsigned char* other;  // scratch, as long as `own`
  unsigned char* sum;
  // What each rank has called, so that all see that they have called the same; null: they do not look.
  const unsigned char* called;
  unsigned char* heard;  // room for it, for each round
  uint32_t called_bytes;
};

constexpr uint32_t kMostChecks = 2;  // rounds of them, for four ranks

std::vector<uintr::ScheduleStep> steps_of(Operation operation, const Part& part);

}  // namespace simulator
