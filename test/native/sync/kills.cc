// Threads of processes that contend in all ways, and processes of which one is killed every moment.
// sources: src-native/sync/*.cc src-native/bootstrap/memfd.cc src-native/bootstrap/error.cc src-native/bootstrap/named.cc src-native/drivers/restartable.cc src-native/drivers/restartable_handler.cc src-native/drivers/rseq_add_handler.S test/native/bootstrap/symbol_dl.cc
#include <thread>
#include <vector>

#include "contenders.h"

using namespace test;

namespace {

constexpr int kKills = kSanitizer ? 8 : 25;
constexpr int kThreads[] = {1, 2, 1, 2};  // of each process

struct Board {
  std::atomic<bool> over;
  std::atomic<uint64_t> entries, told;
  // Guarded by the lock: somebody was told that it may be inconsistent, and nobody has said since that it is not.
  bool is_lost;
  uint64_t inside;  // who is
};

void enter(const Site& site, Board* board, Contender& one, Attempt attempt, Random& random) {
  if (attempt == Attempt::Acquired) {
    CHECK(!board->is_lost);
    CHECK_EQ(board->inside, 0u);
  } else {
    CHECK_EQ(attempt, Attempt::Inconsistent);
    board->is_lost = true;
    board->told.fetch_add(1);
  }
  board->inside = one.me;
  if (board->is_lost && random.below(2) == 0) {
    site.guarded->second = site.guarded->first;
    one.lock.make_consistent();
    board->is_lost = false;
  }
  if (!board->is_lost) site.guarded->use(random.below(4) == 0);
  board->entries.fetch_add(1);
  CHECK_EQ(board->inside, one.me);
  board->inside = 0;
  CHECK(one.unlock());
}

void contend(const Site& site, Board* board, Region* home, uint64_t seed) {
  Contender one(site, home);
  Random random(seed);
  while (!board->over) {
    Attempt attempt = Attempt::Waiting;
    switch (random.below(3)) {
      case 0:
        attempt = one.try_lock();
        break;
      case 1: {
        const uint64_t ns = random.below(2 * kMillisecond), calls = 1 + random.below(3);
        for (uint64_t i = 0; i < calls && attempt == Attempt::Waiting; ++i) attempt = one.wait(ns, i == 0);
        if (attempt == Attempt::Waiting) one.give_up();
        break;
      }
      default:
        attempt = one.acquire();
    }
    if (attempt != Attempt::Waiting) enter(site, board, one, attempt, random);
  }
}

pid_t start(const Site& site, Board* board, int threads, uint64_t seed) {
  return child([&] {
    const std::shared_ptr<Region> home = open_region(site.handle);
    std::vector<std::thread> all;
    for (int i = 0; i < threads; ++i) all.emplace_back([&, i] { contend(site, board, home.get(), seed + i); });
    for (std::thread& thread : all) thread.join();
  });
}

}  // namespace

TEST("01 after each of many kills the others go on, are told, and nobody hangs") {
  // Another sequence each time; the moments of the kills differ anyway.
  const auto seed = static_cast<uint64_t>(getpid());
  std::printf("seed %llu\n", static_cast<unsigned long long>(seed));
  for (Kind kind : kLocks) {
    Site site(kind);
    auto* board = shared_with_children<Board>();
    Random random(seed + static_cast<uint64_t>(kind));
    std::vector<pid_t> processes;
    for (int threads : kThreads) processes.push_back(start(site, board, threads, random.next()));
    // Until kills have met an owner, too.
    for (int kills = 0; kills < kKills || board->told == 0; ++kills) {
      usleep(random.below(1500));
      const uint64_t victim = random.below(processes.size());
      CHECK(kill(processes[victim], SIGKILL) == 0);
      was_killed(processes[victim], SIGKILL);
      const uint64_t before = board->entries;
      while (board->entries < before + 5) usleep(50);
      processes[victim] = start(site, board, kThreads[victim], random.next());
    }
    board->over = true;
    for (pid_t pid : processes) ended_well(pid);
    munmap(board, sizeof *board);
  }
}

CHECK_MAIN("sync/kills")
