// One at a time, and everybody in the end: threads, processes, and both at once.
// sources: src-native/sync/*.cc src-native/bootstrap/memfd.cc src-native/bootstrap/error.cc src-native/bootstrap/named.cc src-native/drivers/restartable.cc src-native/drivers/restartable_handler.cc src-native/drivers/rseq_add_handler.S test/native/bootstrap/symbol_dl.cc
#include <thread>
#include <vector>

#include "contenders.h"

using namespace test;

namespace {

constexpr int kEntries = kSanitizer ? 600 : 3000;

void contend(const Site& site, Region* home) {
  Contender one(site, home);
  for (int i = 0; i < kEntries; ++i) {
    // Nobody dies here, so nobody may be told of a death.
    CHECK_EQ(one.acquire(), Attempt::Acquired);
    site.guarded->use(i % 8 == 0);
    CHECK(one.unlock());
  }
}

void contend_by_threads(const Site& site, int count) {
  const std::shared_ptr<Region> home = open_region(site.handle);
  std::vector<std::thread> threads;
  for (int i = 0; i < count; ++i) threads.emplace_back([&] { contend(site, home.get()); });
  for (std::thread& thread : threads) thread.join();
}

void contend_by_all(int threads, std::initializer_list<int> processes) {
  for (Kind kind : kLocks) {
    Site site(kind);
    int all = threads;
    std::vector<pid_t> children;
    for (int its_threads : processes) {
      children.push_back(child([&] { contend_by_threads(site, its_threads); }));
      all += its_threads;
    }
    contend_by_threads(site, threads);
    for (pid_t pid : children) ended_well(pid);
    CHECK_EQ(site.guarded->count, static_cast<uint64_t>(all * kEntries));
    CHECK_EQ(site.guarded->first, site.guarded->second);
  }
}

}  // namespace

TEST("01 threads are inside one at a time") { contend_by_all(4, {}); }

TEST("02 processes are inside one at a time") { contend_by_all(0, {1, 1, 1}); }

TEST("03 threads of several processes are inside one at a time") { contend_by_all(2, {2, 1}); }

CHECK_MAIN("sync/exclusion")
