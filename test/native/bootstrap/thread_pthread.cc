// bootstrap/thread.h for programs without libuv.
#include <pthread.h>
#include <signal.h>

#include "bootstrap/thread.h"

namespace uintr {

bool thread_start(ThreadHandle* thread, void (*body)(void*), void* argument) {
  struct Start {
    void (*body)(void*);
    void* argument;
  };
  auto* start = new Start{body, argument};
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  const int failed = pthread_create(
      thread, nullptr,
      [](void* p) -> void* {
        const Start s = *static_cast<Start*>(p);
        delete static_cast<Start*>(p);
        s.body(s.argument);
        return nullptr;
      },
      start);
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  if (failed != 0) delete start;
  return failed == 0;
}

void thread_join(ThreadHandle* thread) { pthread_join(*thread, nullptr); }

}  // namespace uintr
