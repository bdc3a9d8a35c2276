// What a signal doorbell's descriptor is: a memfd of one page, whose length is sealed. The receiver writes who it is and
// never changes that; the UPID is written by the receiver and by every sender, any of which may be faulty, so a sender
// copies, checks, and keeps what it needs when it is made.
#pragma once

#include <cstdint>

#include "engine/layout.h"

namespace uintr {

constexpr uint64_t kDoorbellMagic = 0x31306c6c65627475ull;  // "utbell01"
constexpr uint32_t kDoorbellVersion = 1;
constexpr uint64_t kDoorbellBytes = 4096;

struct DoorbellIdentity {
  uint64_t magic;
  uint32_t version;
  uint32_t vector;         // 0 … 63
  int32_t pid, tid;        // of the receiver's thread, as its PID namespace has them
  int32_t signal_number;
  uint32_t reserved;
  uint64_t start_time;     // of that thread (thread_start_time()): pid and tid are used again, all three are not
  uint64_t pid_namespace;  // inode number
};

struct DoorbellPage {
  DoorbellIdentity identity;
  alignas(64) Upid upid;
  alignas(64) Shared<uint32_t> closed;  // 1: the receiver is; it stays so
};
static_assert(sizeof(DoorbellPage) <= kDoorbellBytes);

}  // namespace uintr
