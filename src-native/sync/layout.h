// What lies where in a region: memory that processes and threads share for the primitives of this folder, and nothing
// else. All of it is written by all; zeroed memory is an empty region. Offsets, in lines of 64 bytes, never pointers.
//
//   line 0        RegionHeader, with the seats
//   …             objects, each an ObjectHeader and its words, in the order in which they were made
#pragma once

#include <cstddef>
#include <cstdint>

#include "engine/shared.h"

namespace uintr::sync {

constexpr uint32_t kLine = 64;
// Threads that can own locks of one region at a time, twice: a thread has one seat for its calls that block, and one for
// those that do not.
constexpr uint32_t kSeats = 512;
constexpr uint32_t kNameBytes = 64;
constexpr uint64_t kMaxRegionBytes = uint64_t{1} << 31;

struct alignas(kLine) RegionHeader {
  Shared<uint64_t> identity;  // random, never 0: which region this is
  Shared<uint32_t> used;      // lines that are taken, the header's included; 0: the header's alone
  Shared<uint32_t> newest;    // line of the last object, from which the others are reached; 0: there is none
  alignas(kLine) Shared<uint32_t> lives[kSeats];  // how often a seat was taken (owner.h)
};

enum class Kind : uint32_t {
  Mutex = 1,
  AdaptiveMutex,
  SpinLock,
  TicketLock,
  AtomicCounter,
  PerCpuCounter,
  Completion,
};

struct alignas(kLine) ObjectHeader {
  Kind kind;
  uint32_t lines;  // of the header and what follows it
  uint32_t next;   // line of the object made before, 0: none
  uint32_t name_length;
  char name[kNameBytes];
};
static_assert(sizeof(ObjectHeader) == size_t{2} * kLine && sizeof(RegionHeader) % kLine == 0);

}  // namespace uintr::sync
