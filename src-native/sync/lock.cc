#include "sync/lock.h"

#include <sys/syscall.h>

#include "engine/arch.h"
#include "sync/per_cpu.h"

namespace uintr::sync {

Holder this_holder() {
  // Looked up once per thread: a system call each time would cost more than the lock.
  static thread_local const auto pid = static_cast<int32_t>(arch::syscall(SYS_getpid));
  static thread_local const auto tid = static_cast<int32_t>(arch::syscall(SYS_gettid));
  return {pid, tid, current_cpu()};
}

}  // namespace uintr::sync
