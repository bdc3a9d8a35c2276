#include "thread.h"

#include <pthread.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#include "dispositions.h"
#include "gate.h"
#include "inject.h"
#include "receiver.h"
#include "refuse.h"
#include "uitt.h"

namespace emulator {
namespace {

thread_local constinit Thread self{};
pthread_key_t key;

// Which fork this memory is of: counted from 1, in a page that a forked child finds empty. A child of vfork, which has
// its parent's memory and thread-locals, does not, and must not touch what is the parent's.
uint32_t* memory_is;
uint32_t memories;

uint32_t find_out_memory() {
  constexpr uint32_t kBeingSet = ~uint32_t{0};
  uint32_t is = 0;
  uint64_t mask;
  // A handler of the program's that asked the same in between would wait for what it has interrupted.
  kernel(SYS_rt_sigprocmask, SIG_SETMASK, &kAllSignals, &mask, 8);
  if (__atomic_compare_exchange_n(memory_is, &is, kBeingSet, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST)) {
    uitt_after_fork();
    is = ++memories;
    __atomic_store_n(memory_is, is, __ATOMIC_SEQ_CST);
  }
  // Another thread is at it, for a few instructions.
  while (is == kBeingSet) {
    kernel(SYS_sched_yield);
    is = __atomic_load_n(memory_is, __ATOMIC_SEQ_CST);
  }
  kernel(SYS_rt_sigprocmask, SIG_SETMASK, &mask, 0, 8);
  return is;
}

// A forked child has a copy of its parent's state but none of its registration; the descriptor is the parent's.
void start(Thread& t, uint32_t memory) {
  const uint64_t hidden = t.hidden_mask;
  if (t.upid != nullptr) {
    upid_unmap(t.upid);
    kernel(SYS_close, t.memfd);
  }
  t = Thread{};
  t.memory = memory;
  t.tid = static_cast<int>(kernel(SYS_gettid));
  t.hidden_mask = hidden;
  t.memfd = -1;
  inject_start(t);
}

}  // namespace

Thread& this_thread() {
  uint32_t memory = __atomic_load_n(memory_is, __ATOMIC_SEQ_CST);
  if (memory != self.memory || memory == 0) memory = find_out_memory();
  if (self.memory != memory) start(self, memory);
  return self;
}

Thread* thread_in_call() {
  return self.call != nullptr && self.tid == static_cast<int>(kernel(SYS_gettid)) ? &self : nullptr;
}

void thread_prepare() {
  const auto ended = [](void* t) {
    if (static_cast<Thread*>(t)->tid == static_cast<int>(kernel(SYS_gettid))) thread_end(*static_cast<Thread*>(t));
  };
  const long page = kernel(SYS_mmap, 0, kPageBytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (page < 0 && page > -4096) refuse("no memory (errno %ld)", -page);
  if (kernel(SYS_madvise, page, kPageBytes, MADV_WIPEONFORK) != 0) refuse("the kernel has no MADV_WIPEONFORK");
  memory_is = reinterpret_cast<uint32_t*>(page);
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
