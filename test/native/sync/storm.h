// What may come between two instructions of threads that count: they are moved between processors, by themselves and by
// another, signals run handlers on them, and there are more of them than processors. A storm is over when each has done
// its work and has had its share, so nothing depends on how fast the machine is.
#pragma once

#include <sched.h>
#include <signal.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <atomic>
#include <cstdint>
#include <deque>
#include <functional>
#include <random>
#include <thread>
#include <vector>

#include "../bootstrap/tools.h"

// A race ends the process, so that the test sees it of a child too. (Included by one file of each program.)
extern "C" const char* __tsan_default_options() { return "halt_on_error=1"; }

namespace storm {

enum Disturbance : uint32_t {
  kMovesItself = 1,
  kIsMoved = 2,
#if defined(__SANITIZE_THREAD__)
  kSignalled = 0,  // it holds signals back until they no longer disturb
  kTicked = 0,
#else
  kSignalled = 4,  // by another thread
  kTicked = 8,     // by timers, which need no processor
#endif
  kAll = kMovesItself | kIsMoved | kSignalled | kTicked,
};

// Of each disturbance, for each thread, at the least.
constexpr uint32_t kShare = 500;

inline std::vector<int> processors() {
  cpu_set_t set;
  CHECK(sched_getaffinity(0, sizeof set, &set) == 0);
  std::vector<int> all;
  for (int cpu = 0; cpu < CPU_SETSIZE; ++cpu) {
    if (CPU_ISSET(cpu, &set)) all.push_back(cpu);
  }
  return all;
}

inline bool move(pid_t tid, int cpu) {
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET(cpu, &set);
  return sched_setaffinity(tid, sizeof set, &set) == 0;
}

struct Counting {
  std::atomic<pid_t> tid{0};
  std::atomic<uint32_t> moves{0}, signals{0}, ticks{0};
  uint32_t sent = 0;  // of the signals
  std::atomic<bool> done{false};
  uint64_t total = 0;
};
inline thread_local Counting* counting = nullptr;

// Different ones, so that one comes while the handler of another runs; queued, so that none stands for two.
inline const int kSignals[] = {SIGRTMIN + 1, SIGRTMIN + 2, SIGRTMIN + 3};
constexpr uint32_t kAtATime = 3;
inline const int kTick = SIGRTMIN + 4;

inline std::vector<int> all_processors;
// Whatever instruction a tick has interrupted, the next one is another processor's.
inline void move_on() { move(0, all_processors[counting->ticks % all_processors.size()]); }
inline void (*on_tick)() = move_on;

inline void on_signal(int number) {
  if (counting == nullptr) return;
  if (number != kTick) {
    counting->signals.fetch_add(1, std::memory_order_relaxed);
    return;
  }
  on_tick();
  counting->ticks.fetch_add(1, std::memory_order_relaxed);
}

// Signals to the calling thread, each some time after it has asked for it: by themselves they might come so fast that it
// would do nothing else.
class Ticks {
 public:
  Ticks() {
    sigevent event{};
    event.sigev_notify = SIGEV_THREAD_ID;
    event.sigev_signo = kTick;
    event._sigev_un._tid = static_cast<pid_t>(syscall(SYS_gettid));
    CHECK(timer_create(CLOCK_MONOTONIC, &event, &timer_) == 0);
  }
  ~Ticks() { timer_delete(timer_); }
  void next(uint64_t random) {
    if (asked_ != counting->ticks) return;
    ++asked_;
    const itimerspec once = {{0, 0}, {0, 2000 + static_cast<long>(random % 16384)}};
    CHECK(timer_settime(timer_, 0, &once, nullptr) == 0);
  }

 private:
  timer_t timer_;
  uint32_t asked_ = 0;
};

inline void disturb(uint32_t how, std::deque<Counting>* threads, const std::vector<int>& cpus) {
  std::mt19937 random(7);
  for (bool all = false; !all;) {
    all = true;
    for (Counting& one : *threads) {
      if (one.done.load()) continue;
      all = false;
      const pid_t tid = one.tid.load();
      if (tid == 0) continue;
      if ((how & kIsMoved) != 0 && move(tid, cpus[random() % cpus.size()])) ++one.moves;
      // A few at a time, or the thread would do nothing but run handlers.
      if ((how & kSignalled) != 0 && one.sent - one.signals < kAtATime) {
        one.sent += syscall(SYS_tgkill, getpid(), tid, kSignals[one.sent % std::size(kSignals)]) == 0;
      }
    }
    if ((how & (kIsMoved | kSignalled)) == 0) break;
  }
}

// What `count` was called with, altogether, by so many threads in such a storm; each calls it `least` times or more.
inline uint64_t count_in(uint32_t how, uint32_t threads, uint64_t least, const std::function<void(uint64_t)>& count) {
  const std::vector<int> cpus = processors();
  all_processors = cpus;
  struct sigaction action{};
  action.sa_handler = on_signal;
  action.sa_flags = SA_RESTART;
  for (const int number : kSignals) CHECK(sigaction(number, &action, nullptr) == 0);
  CHECK(sigaction(kTick, &action, nullptr) == 0);

  auto body = [&](Counting* own, uint64_t seed) {
    counting = own;
    own->tid = static_cast<pid_t>(syscall(SYS_gettid));
    std::mt19937_64 random(seed);
    uint32_t own_moves = 0;
    auto had_its_share = [&] {
      return ((how & kMovesItself) == 0 || own_moves >= kShare) && ((how & kIsMoved) == 0 || own->moves >= kShare) &&
             ((how & kSignalled) == 0 || own->signals >= kShare) && ((how & kTicked) == 0 || own->ticks >= kShare);
    };
    Ticks ticks;
    for (uint64_t i = 0; i < least || !had_its_share(); ++i) {
      const uint64_t n = i * seed;
      count(n);
      own->total += n;
      if ((how & kTicked) != 0 && i % 16 == 0) ticks.next(random());
      if ((how & kMovesItself) != 0 && i % 256 == 0) own_moves += move(0, cpus[random() % cpus.size()]);
    }
    own->done = true;
  };

  std::deque<Counting> all(threads);
  std::vector<std::thread> running;
  uint64_t seed = 3;
  for (Counting& one : all) running.emplace_back(body, &one, seed += 2);
  disturb(how, &all, cpus);
  uint64_t total = 0;
  for (uint32_t i = 0; i < threads; ++i) {
    running[i].join();
    total += all[i].total;
  }
  return total;
}

}  // namespace storm
