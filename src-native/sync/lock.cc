#include "sync/lock.h"

#include <sys/syscall.h>

#include "engine/arch.h"
#include "sync/per_cpu.h"

namespace uintr::sync {

namespace {
// 0: not looked up yet.
thread_local int32_t own_tid = 0;
}  // namespace

Holder this_holder() {
  // Looked up once per thread: a system call each time would cost more than the lock.
  static thread_local const auto pid = static_cast<int32_t>(arch::syscall(SYS_getpid));
  if (own_tid == 0) own_tid = static_cast<int32_t>(arch::syscall(SYS_gettid));
  return {pid, own_tid, current_cpu()};
}

void hold_for(int32_t tid) { own_tid = tid; }

}  // namespace uintr::sync
