// An adaptive mutex spins while the owner runs: whether it runs, as far as that can be known, and that waiters sleep where
// it does not.
// sources: src-native/sync/*.cc src-native/bootstrap/memfd.cc src-native/bootstrap/error.cc src-native/bootstrap/named.cc src-native/drivers/restartable.cc src-native/drivers/restartable_handler.cc src-native/drivers/rseq_add_handler.S test/native/bootstrap/symbol_dl.cc
#include <sched.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <time.h>

#include <thread>

#include "contenders.h"
#include "sync/futex.h"
#include "sync/per_cpu.h"
#include "sync/running.h"

using namespace test;

namespace {

// Keeps the calling thread where it is, so that it knows where that is.
uint32_t stay() {
  const auto cpu = static_cast<uint32_t>(sched_getcpu());
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET(cpu, &set);
  CHECK(sched_setaffinity(0, sizeof set, &set) == 0);
  return cpu;
}

// On a thread of its own, which may be bound to a processor.
template <class Body>
void aside(Body body) {
  std::thread(body).join();
}

pid_t stopped(const Site& site) {
  Gate owns;
  const pid_t pid = child([&] {
    Contender me(site);
    CHECK_EQ(me.acquire(), Attempt::Acquired);
    owns.open();
    for (;;) pause();
  });
  owns.pass();
  CHECK(kill(pid, SIGSTOP) == 0);
  int status = 0;
  CHECK(waitpid(pid, &status, WUNTRACED) == pid && WIFSTOPPED(status));
  return pid;
}

void end(pid_t pid) {
  CHECK(kill(pid, SIGKILL) == 0);
  was_killed(pid, SIGKILL);
}

uint64_t cpu_time_of(pthread_t thread) {
  clockid_t clock;
  CHECK(pthread_getcpuclockid(thread, &clock) == 0);
  timespec t;
  CHECK(clock_gettime(clock, &t) == 0);
  return static_cast<uint64_t>(t.tv_sec) * 1'000'000'000 + static_cast<uint64_t>(t.tv_nsec);
}

}  // namespace

TEST("01 an owner that is stopped does not run") {
  Site site(Kind::AdaptiveMutex);
  const pid_t pid = stopped(site);
  aside([&] {
    const Holder holder{pid, pid, stay() + 1};
    Running running;
    CHECK(running.still(holder));  // nothing to compare with yet
    for (int i = 0; i < 1000; ++i) CHECK(!running.still(holder));
    // Of another owner nothing is known.
    running.is_another();
    CHECK(running.still(holder));
    CHECK(!running.still(holder));
  });
  end(pid);
}

TEST("02 an owner whose processor time has grown runs, in this process or another") {
  std::atomic<bool> over{false};
  std::atomic<int32_t> tid{0};
  std::thread owner([&] {
    tid = static_cast<int32_t>(syscall(SYS_gettid));
    while (!over) continue;
  });
  const pid_t pid = child([&] {
    while (!over) continue;
  });
  aside([&] {
    const uint32_t elsewhere = stay() + 1;
    while (tid == 0) sched_yield();
    Running thread, process;
    for (int i = 0; i < 5; ++i) {
      CHECK(thread.still({getpid(), tid, elsewhere}) || i > 0);
      const uint64_t before = cpu_time_of(owner.native_handle());
      while (cpu_time_of(owner.native_handle()) == before) sched_yield();
      CHECK(thread.still({getpid(), tid, elsewhere}));
      // The kernel tells of another process late: at its ticks, and when it stops running.
      CHECK(process.still({pid, pid, elsewhere}) || i > 0);
      while (!process.still({pid, pid, elsewhere})) sched_yield();
    }
  });
  over = true;
  owner.join();
  end(pid);
}

TEST("03 where the owner took the lock on this very processor, it does not run; who is unknown runs") {
  aside([] {
    const uint32_t here = stay();
    Running running;
    CHECK(!running.still({getpid(), getpid(), here}));
    // No process has this number.
    CHECK(running.still({(1 << 22) - 1, 1, here + 1}));
    CHECK(running.still({(1 << 22) - 1, 1, here + 1}));
  });
}

TEST("04 who waits for an owner that does not run sleeps, by any mutex") {
  for (Kind kind : {Kind::Mutex, Kind::AdaptiveMutex}) {
    Site site(kind);
    const pid_t pid = stopped(site);
    aside([&] {
      Contender one(site);
      rusage before, after;
      CHECK(getrusage(RUSAGE_THREAD, &before) == 0);
      CHECK_EQ(one.wait(kSliceNs), Attempt::Waiting);
      CHECK(getrusage(RUSAGE_THREAD, &after) == 0);
      CHECK(after.ru_nvcsw > before.ru_nvcsw);
    });
    end(pid);
  }
}

CHECK_MAIN("sync/adaptive")
