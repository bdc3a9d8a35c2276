// Completions, as the kernel's (Documentation/scheduler/completion.rst): a count. Every complete() ends one wait, and
// whoever is killed, at whatever moment, takes no more from the others than the turn it had.
// sources: src-native/sync/completion.cc
#include "sync/completion.h"

#include <sys/mman.h>

#include <atomic>
#include <thread>
#include <vector>

#include "check.h"
#include "children.h"
#include "sync/futex.h"

using namespace uintr;
using namespace uintr::sync;

namespace {

constexpr uint64_t kNever = ~uint64_t{0};

struct Common {
  CompletionWords ping, pong;
  std::atomic<uint32_t> ended, started;
};

class Shm {
 public:
  Shm() {
    void* at = mmap(nullptr, sizeof(Common), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    CHECK(at != MAP_FAILED);
    common_ = static_cast<Common*>(at);
  }
  ~Shm() { munmap(common_, sizeof(Common)); }
  Common* operator->() const { return common_; }

 private:
  Common* common_;
};

void wait_for(Completion completion) {
  while (!completion.wait(kNever)) continue;
}
// Until so many are counted as sleepers, which they are from just before they sleep on.
void until_asleep(const Shm& shm, uint32_t count) {
  while (shm->ping.sleepers.load_sc() < count) sched_yield();
}
// Sleeps in the kernel, or is stopped, as /proc says.
bool is_in_state(pid_t pid, char wanted) {
  char path[64], text[256] = {};
  snprintf(path, sizeof path, "/proc/%d/stat", pid);
  FILE* file = fopen(path, "re");
  CHECK(file != nullptr);
  const size_t n = fread(text, 1, sizeof text - 1, file);
  fclose(file);
  const char* end = n > 0 ? std::strrchr(text, ')') : nullptr;
  return end != nullptr && end[2] == wanted;
}

}  // namespace

TEST("01 it counts, and a wait takes one") {
  const Shm shm;
  Completion c(&shm->ping);
  CHECK(!c.try_wait() && !c.wait(0) && !c.wait(1000) && c.done() == 0);
  for (int i = 0; i < 3; ++i) c.complete();
  CHECK_EQ(c.done(), 3u);
  CHECK(c.try_wait() && c.wait(0) && c.wait(kNever));
  CHECK_EQ(c.done(), 0u);
  CHECK(!c.try_wait());
  // A wait that was in vain has changed nothing.
  CHECK(!c.wait(100000) && c.done() == 0 && shm->ping.sleepers.load_sc() == 0);
  // One call lasts a slice at most.
  CHECK(!c.wait(kNever));
}

TEST("02 after complete_all every wait ends until reinit") {
  const Shm shm;
  Completion c(&shm->ping);
  c.complete_all();
  for (int i = 0; i < 5; ++i) CHECK(c.try_wait() && c.wait(0));
  CHECK_EQ(c.done(), Completion::kAll);
  c.complete();
  CHECK_EQ(c.done(), Completion::kAll);
  c.complete_all();
  CHECK_EQ(c.done(), Completion::kAll);
  c.reinit();
  CHECK(c.done() == 0 && !c.try_wait());
  c.complete();
  c.complete();
  c.reinit();
  CHECK(!c.try_wait());
}

TEST("03 the count ends before it would mean all") {
  const Shm shm;
  Completion c(&shm->ping);
  shm->ping.done.exchange_sc(Completion::kAll - 2);
  c.complete();
  CHECK_EQ(c.done(), Completion::kAll - 1);
  c.complete();
  CHECK_EQ(c.done(), Completion::kAll - 1);
  CHECK(c.try_wait());
  CHECK_EQ(c.done(), Completion::kAll - 2);
}

TEST("04 n calls of complete end n waits, of threads and processes, and no more") {
  constexpr uint32_t kProcesses = 2, kThreads = 3, kEach = 2000, kWaits = kProcesses * kThreads * kEach;
  const Shm shm;
  Completion c(&shm->ping);
  pid_t children[kProcesses];
  for (pid_t& one : children) {
    one = test::child([&] {
      std::vector<std::thread> threads;
      for (uint32_t t = 0; t < kThreads; ++t) {
        threads.emplace_back([&, t] {
          for (uint32_t i = 0; i < kEach; ++i) {
            // Some only try, and so come between those who are woken and what they were woken for.
            if (t != 0) {
              wait_for(c);
            } else {
              for (uint32_t tries = 1; !c.try_wait(); ++tries) {
                if (tries % 64 == 0) sched_yield();
              }
            }
            ++shm->ended;
          }
        });
      }
      for (std::thread& one : threads) one.join();
    });
  }
  std::thread other([&] {
    for (uint32_t i = 0; i < kWaits / 2; ++i) c.complete();
  });
  for (uint32_t i = 0; i < kWaits / 2; ++i) {
    c.complete();
    if (i % 50 == 0) CHECK(shm->ended <= kWaits / 2 + i + 1);
  }
  other.join();
  for (const pid_t one : children) test::ended_well(one);
  CHECK_EQ(shm->ended.load(), kWaits);
  CHECK_EQ(c.done(), 0u);
  CHECK_EQ(shm->ping.sleepers.load_sc(), 0u);
}

TEST("05 one complete() ends one of those who sleep, complete_all() all of them") {
  constexpr uint32_t kWaiters = 5;
  const Shm shm;
  Completion c(&shm->ping);
  std::vector<std::thread> waiters;
  for (uint32_t i = 0; i < kWaiters; ++i) {
    waiters.emplace_back([&] {
      wait_for(c);
      ++shm->ended;
    });
  }
  for (uint32_t i = 1; i <= 3; ++i) {
    until_asleep(shm, kWaiters - i + 1);
    c.complete();
    while (c.done() != 0 || shm->ended != i) sched_yield();
    CHECK_EQ(shm->ended.load(), i);
  }
  c.complete_all();
  for (std::thread& one : waiters) one.join();
  CHECK_EQ(shm->ended.load(), kWaiters);
}

// A wakeup that gets lost costs a slice: with each of them this would last for minutes, and be stopped.
TEST("06 two take turns thousands of times and no wakeup is lost") {
  constexpr uint32_t kRounds = 4000;
  const auto play = [](const Shm& shm, bool first) {
    Completion mine(first ? &shm->pong : &shm->ping), its(first ? &shm->ping : &shm->pong);
    for (uint32_t i = 0; i < kRounds; ++i) {
      const auto complete = [&] { i % 2 == 0 ? its.complete() : its.complete_all(); };
      if (first) complete();
      wait_for(mine);
      CHECK_EQ(mine.done(), i % 2 == 0 ? 0u : Completion::kAll);
      mine.reinit();
      if (!first) complete();
    }
  };
  {
    const Shm shm;
    std::thread other([&] { play(shm, false); });
    play(shm, true);
    other.join();
  }
  const Shm shm;
  const pid_t other = test::child([&] { play(shm, false); });
  play(shm, true);
  test::ended_well(other);
}

TEST("07 waiters that are killed in their sleep take nothing with them") {
  constexpr uint32_t kWaiters = 6, kKilled = 3;
  const Shm shm;
  Completion c(&shm->ping);
  pid_t waiters[kWaiters];
  for (pid_t& one : waiters) {
    one = test::child([&] {
      wait_for(c);
      ++shm->ended;
    });
  }
  until_asleep(shm, kWaiters);
  for (uint32_t i = 0; i < kKilled; ++i) {
    kill(waiters[i], SIGKILL);
    test::was_killed(waiters[i], SIGKILL);
  }
  for (uint32_t i = kKilled; i < kWaiters; ++i) c.complete();
  for (uint32_t i = kKilled; i < kWaiters; ++i) test::ended_well(waiters[i]);
  CHECK_EQ(shm->ended.load(), kWaiters - kKilled);
  CHECK_EQ(c.done(), 0u);
}

TEST("08 who is killed after it was woken leaves its turn to the others") {
  for (uint32_t round = 0; round < 3; ++round) {
    const Shm shm;
    Completion c(&shm->ping);
    const auto waiter = [&] {
      return test::child([&] {
        wait_for(c);
        ++shm->ended;
      });
    };
    const pid_t first = waiter();
    until_asleep(shm, 1);
    while (!is_in_state(first, 'S')) sched_yield();
    const pid_t second = waiter();
    until_asleep(shm, 2);
    // Whom the wakeup reaches does not take what is done: it is stopped, and then no more.
    kill(first, SIGSTOP);
    while (!is_in_state(first, 'T')) sched_yield();
    c.complete();
    kill(first, SIGKILL);
    test::was_killed(first, SIGKILL);
    test::ended_well(second);
    CHECK_EQ(shm->ended.load(), 1u);
    CHECK_EQ(c.done(), 0u);
  }
}

TEST("09 who is killed between counting and waking has completed") {
  const Shm shm;
  Completion c(&shm->ping);
  const pid_t waiter = test::child([&] { wait_for(c); });
  until_asleep(shm, 1);
  while (!is_in_state(waiter, 'S')) sched_yield();
  // What complete() has done until then.
  test::was_killed(test::child([&] {
                     shm->ping.done.add_sc(1);
                     raise(SIGKILL);
                   }),
                   SIGKILL);
  test::ended_well(waiter);
  CHECK_EQ(c.done(), 0u);
}

int main(int argc, char** argv) {
  alarm(100);
  return check::run_all("completion", argc, argv);
}
