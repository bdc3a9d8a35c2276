// Words that a rogue has written: nobody crashes, every call returns, and nothing outside the lock is touched.
// sources: src-native/sync/*.cc src-native/bootstrap/memfd.cc src-native/bootstrap/error.cc src-native/bootstrap/named.cc src-native/drivers/restartable.cc src-native/drivers/restartable_handler.cc src-native/drivers/rseq_add_handler.S test/native/bootstrap/symbol_dl.cc
#include <thread>
#include <vector>

#include "contenders.h"

using namespace test;

namespace {

uint64_t* words_at(Region* region, const Site& site) { return &words_of<uint64_t>(region->at(site.line, site.kind)); }
uint32_t count_of(const Site& site) { return least_lines(site.kind) * kLine / sizeof(uint64_t); }

// What an attacker would try, of which some means something, and anything.
uint64_t garbage(Random& random, const Contender& a, const Contender& b) {
  const uint64_t values[] = {0,
                             1,
                             ~uint64_t{0},
                             kWaiters,
                             a.me,
                             a.me | kWaiters,
                             b.me,
                             owner_of(seat_of(b.me), life_of(b.me) - 1),
                             owner_of(kSeats, 1),
                             owner_of(0x7ffffffd, 1),
                             uint64_t{1} << 32,
                             // Claims: of each state, of a number near the first ones.
                             uint64_t{life_of(a.me)} << 34 | uint64_t{1 + random.below(3)} << 32 | random.below(3),
                             uint64_t{life_of(b.me)} << 34 | uint64_t{1 + random.below(3)} << 32 | random.below(3),
                             random.next(),
                             random.next() & 0xffffffff};
  return values[random.below(std::size(values))];
}

void scribble(uint64_t* words, uint32_t count, Random& random, const Contender& a, const Contender& b) {
  // One word, some, or all.
  const uint64_t how_many = random.below(8) == 0 ? count : 1 + random.below(4);
  for (uint64_t i = 0; i < how_many; ++i) {
    const uint64_t at = how_many == count ? i : random.below(3) == 0 ? random.below(count) : random.below(3) * 8 % count;
    __atomic_store_n(&words[at], garbage(random, a, b), __ATOMIC_RELAXED);
  }
}

// All that can be asked of a lock. None of it may last; what it answers means nothing.
void use(Contender& one, Random& random) {
  switch (random.below(6)) {
    case 0:
      one.try_lock();
      break;
    case 1:
      one.wait(random.below(100 * kMicrosecond), random.below(2) == 0);
      break;
    case 2:
      one.unlock();
      break;
    case 3:
      one.give_up();
      break;
    case 4:
      one.lock.make_consistent();
      break;
    case 5:
      one.lock.owner();
      one.lock.holder();
      break;
  }
}

}  // namespace

TEST("01 every call returns whatever the words are, and leaves what lies behind them alone") {
  for (Kind kind : kLocks) {
    Site site(kind);
    JoinError error;
    ObjectHeader* behind = site.region->find_or_make(Kind::AtomicCounter, "behind", &error);
    CHECK(behind != nullptr);
    const std::vector<unsigned char> before(reinterpret_cast<unsigned char*>(behind),
                                            reinterpret_cast<unsigned char*>(behind) + behind->lines * kLine);
    Contender a(site), b(site);
    Random random(static_cast<uint64_t>(kind));
    for (int i = 0; i < (kSanitizer ? 150 : 600); ++i) {
      scribble(words_at(site.region.get(), site), count_of(site), random, a, b);
      use(a, random);
      use(b, random);
    }
    CHECK(memcmp(before.data(), behind, before.size()) == 0);
    CHECK(site.region->at(site.line, kind) != nullptr);
  }
}

TEST("02 so it is while the words change") {
  for (Kind kind : kLocks) {
    Site site(kind);
    const std::shared_ptr<Region> home = open_region(site.handle);
    Contender a(site, home.get()), b(site, home.get());
    std::atomic<bool> over{false};
    std::thread rogue([&] {
      Random random(7 * static_cast<uint64_t>(kind));
      while (!over) {
        scribble(words_at(home.get(), site), count_of(site), random, a, b);
        __atomic_store_n(&words_of<uint32_t>(home->at(site.line, kind)), 0, __ATOMIC_RELAXED);
        sched_yield();
      }
    });
    std::thread other([&] {
      Random random(11);
      for (int i = 0; i < (kSanitizer ? 500 : 5000); ++i) use(b, random);
    });
    Random random(13);
    for (int i = 0; i < (kSanitizer ? 500 : 5000); ++i) use(a, random);
    other.join();
    over = true;
    rogue.join();
  }
}

CHECK_MAIN("sync/garbage")
