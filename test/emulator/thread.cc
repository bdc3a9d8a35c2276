#include "thread.h"

#include <pthread.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "config.h"
#include "gate.h"
#include "inject.h"
#include "receiver.h"
#include "refuse.h"
#include "uitt.h"

namespace emulator {
namespace {

thread_local constinit Thread self{};
pthread_key_t key;

int process;

// A forked child has a copy of its parent's state but none of its registration; the descriptor is the parent's.
void start(Thread& t, int tid) {
  const uint64_t hidden = t.hidden_mask;
  if (t.upid != nullptr) {
    upid_unmap(t.upid);
    kernel(SYS_close, t.memfd);
  }
  t = Thread{};
  t.tid = tid;
  t.hidden_mask = hidden;
  t.memfd = -1;
  const int pid = static_cast<int>(kernel(SYS_getpid));
  if (process != 0 && process != pid) uitt_after_fork();
  process = pid;
  inject_start(t);
}

}  // namespace

Thread& this_thread() {
  const int tid = static_cast<int>(kernel(SYS_gettid));
  if (self.tid != tid) start(self, tid);
  return self;
}

Thread* thread_in_call() {
  return self.call != nullptr && self.tid == static_cast<int>(kernel(SYS_gettid)) ? &self : nullptr;
}

void thread_prepare() {
  const auto ended = [](void* t) {
    if (static_cast<Thread*>(t)->tid == static_cast<int>(kernel(SYS_gettid))) thread_end(*static_cast<Thread*>(t));
  };
  if (pthread_key_create(&key, ended) != 0) refuse("no thread-specific key is left");
}

// One of the first keys of the process, so this is two stores.
void thread_watch_end(Thread& t) { pthread_setspecific(key, &t); }

void thread_end(Thread& t) {
  if (t.upid == nullptr) return;
  if (t.registered) receiver_unregister(t);
  UpidPage* page = t.upid;
  __atomic_store_n(&page->ended, 1, __ATOMIC_SEQ_CST);
  t.upid = nullptr;
  upid_unmap(page);
  kernel(SYS_close, t.memfd);
}

}  // namespace emulator
