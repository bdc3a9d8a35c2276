#include <signal.h>
#include <uv.h>

#include "bootstrap/thread.h"

namespace uintr {

static_assert(sizeof(uv_thread_t) == sizeof(ThreadHandle));

bool thread_start(ThreadHandle* thread, void (*body)(void*), void* argument) {
  // Blocked here and not in the body, so that there is no moment in which the new thread could take a signal.
  // sigprocmask is per thread on Linux; pthread_sigmask has a newer symbol version.
  sigset_t all, before;
  sigfillset(&all);
  sigprocmask(SIG_SETMASK, &all, &before);
  const int failed = uv_thread_create(reinterpret_cast<uv_thread_t*>(thread), body, argument);
  sigprocmask(SIG_SETMASK, &before, nullptr);
  return failed == 0;
}

void thread_join(ThreadHandle* thread) { uv_thread_join(reinterpret_cast<uv_thread_t*>(thread)); }

}  // namespace uintr
