#include "sync/running.h"

#include <time.h>

#include "sync/per_cpu.h"

namespace uintr::sync {
namespace {

// The kernel's numbers for the processor time (CPUCLOCK_SCHED, 2) of a process or, with bit 2, of one of its threads
// (include/linux/posix-timers.h). Of the latter it tells about the own process only.
constexpr clockid_t clock_of_process(int32_t pid) { return static_cast<clockid_t>(~static_cast<uint32_t>(pid) << 3 | 2); }
constexpr clockid_t clock_of_thread(int32_t tid) { return static_cast<clockid_t>(~static_cast<uint32_t>(tid) << 3 | 6); }

}  // namespace

bool Running::still(const Holder& holder) {
  const Holder self = this_holder();
  // It has not moved since it took the lock, as a rule, and so it cannot run where this thread does.
  if (holder.cpu == self.cpu) return false;
  timespec t;
  if (clock_gettime(holder.pid == self.pid ? clock_of_thread(holder.tid) : clock_of_process(holder.pid), &t) != 0) {
    return true;
  }
  const uint64_t spent = static_cast<uint64_t>(t.tv_sec) * 1'000'000'000 + static_cast<uint64_t>(t.tv_nsec);
  const bool moved = !asked_ || spent != spent_;
  asked_ = true;
  spent_ = spent;
  return moved;
}

}  // namespace uintr::sync
