// No wakeup of a mutex is lost, but for those that somebody takes to the grave.
//
// A sleeper looks again after a slice, so that a lost wakeup would only show as a delay. Here the mutex is built with slices
// that do not end, and one would be a hang.
// sources: src-native/sync/[!m]*.cc src-native/bootstrap/memfd.cc src-native/bootstrap/error.cc src-native/bootstrap/named.cc src-native/drivers/restartable.cc src-native/drivers/restartable_handler.cc src-native/drivers/rseq_add_handler.S test/native/bootstrap/symbol_dl.cc
#include "sync/futex.h"
namespace uintr::sync {
constexpr uint64_t kEndless = uint64_t{1} << 60;
}
#define kSliceNs kEndless
#include "sync/mutex.cc"
#undef kSliceNs

#include <thread>
#include <vector>

#include "contenders.h"

using namespace test;

namespace {

constexpr Kind kMutexes[] = {Kind::Mutex, Kind::AdaptiveMutex};
constexpr int kEntries = kSanitizer ? 500 : 3000;

// `impatient`: most of its waits end by themselves, at about the time when they are woken.
void contend(const Site& site, Region* home, bool impatient, std::atomic<int>* patient_left) {
  Contender one(site, home);
  Random random(one.me);
  for (int i = 0; impatient ? *patient_left > 0 : i < kEntries; ++i) {
    const Attempt attempt = one.wait(impatient ? random.below(200 * kMicrosecond) : kEndless);
    if (attempt == Attempt::Waiting && impatient) continue;
    CHECK_EQ(attempt, Attempt::Acquired);
    site.guarded->use(i % 2 == 0);
    CHECK(one.unlock());
  }
  if (!impatient) patient_left->fetch_sub(1);
}

void contend_by(int patient, int impatient) {
  for (Kind kind : kMutexes) {
    Site site(kind);
    auto* left = shared_with_children<std::atomic<int>>();
    *left = 2 * patient;
    const auto half = [&] {
      const std::shared_ptr<Region> home = open_region(site.handle);
      std::vector<std::thread> threads;
      for (int i = 0; i < patient + impatient; ++i)
        threads.emplace_back([&, i] { contend(site, home.get(), i >= patient, left); });
      for (std::thread& thread : threads) thread.join();
    };
    const pid_t other = child(half);
    half();
    ended_well(other);
    CHECK(site.guarded->count >= static_cast<uint64_t>(2 * patient * kEntries));
    munmap(left, sizeof *left);
  }
}

}  // namespace

TEST("01 sleepers of two processes are all woken in the end") { contend_by(3, 0); }

TEST("02 so they are where others stop waiting when they are woken") { contend_by(2, 2); }

CHECK_MAIN("sync/wakeups")
