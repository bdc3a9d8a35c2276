// Seats: what makes a thread an owner, again and again, and not more of them than there are.
// sources: src-native/sync/*.cc src-native/bootstrap/memfd.cc src-native/bootstrap/error.cc src-native/bootstrap/named.cc src-native/drivers/restartable.cc src-native/drivers/restartable_handler.cc src-native/drivers/rseq_add_handler.S test/native/bootstrap/symbol_dl.cc
#include <sys/resource.h>

#include <vector>

#include "contenders.h"

using namespace test;

TEST("01 a seat's next life is another owner, and its last one is dead") {
  Site site(Kind::Mutex);
  Contender one(site);
  Owner before = kNobody;
  for (int life = 0; life < (kSanitizer ? 300 : 2000); ++life) {
    Contender other(site);
    CHECK(other.me != before && other.me != one.me);
    if (before != kNobody) {
      CHECK_EQ(seat_of(other.me), seat_of(before));
      CHECK(!one.region->is_alive(before));
    }
    CHECK(one.region->is_alive(other.me));
    CHECK(other.region->is_alive(other.me));
    CHECK(other.region->is_alive(one.me));
    before = other.me;
  }
}

TEST("02 the next life of an owner that died can take the lock, and is told") {
  for (Kind kind : kLocks) {
    Site site(kind);
    Contender one(site);
    Owner dead = kNobody;
    for (int life = 0; life < 20; ++life) {
      Contender me(site);
      if (life > 0) CHECK_EQ(seat_of(me.me), seat_of(dead));
      CHECK(!me.unlock());
      // By all ways in.
      const Attempt attempt = life % 3 == 0 ? me.try_lock() : life % 3 == 1 ? me.wait(0) : me.acquire();
      CHECK_EQ(attempt, life == 0 ? Attempt::Acquired : Attempt::Inconsistent);
      CHECK_EQ(one.try_lock(), Attempt::Waiting);
      // The next dies without having said that all is well, or after it.
      me.lock.make_consistent();
      dead = me.me;
    }
    CHECK_EQ(one.try_lock(), Attempt::Inconsistent);
    CHECK(one.unlock());
  }
}

TEST("03 the next life of one that died waiting does not own what comes to be served") {
  Site site(Kind::TicketLock);
  Contender a(site);
  CHECK_EQ(a.acquire(), Attempt::Acquired);
  {
    Contender waiting(site);
    CHECK_EQ(waiting.wait(0), Attempt::Waiting);
  }
  Contender next(site);
  CHECK_EQ(next.wait(0), Attempt::Waiting);
  CHECK(a.unlock());
  CHECK(!next.unlock());
  // It knows that the one before it never had the lock.
  CHECK_EQ(next.acquire(), Attempt::Acquired);
  CHECK(next.unlock());
}

TEST("04 when all seats are taken that is an error, until one is free") {
  rlimit files{2048, 2048};
  CHECK(setrlimit(RLIMIT_NOFILE, &files) == 0);
  Site site(Kind::TicketLock);
  std::vector<std::shared_ptr<Region>> regions;
  std::vector<bool> taken(kSeats);
  JoinError error;
  for (uint32_t i = 0; i < kSeats; ++i) {
    // A thread has one, and another for calls that do not block.
    if (i % 2 == 0) regions.push_back(open_region(site.handle));
    const Owner owner = regions.back()->seat(i % 2 == 0 ? Region::Use::Blocking : Region::Use::Async, &error);
    CHECK(owner != kNobody);
    CHECK(!taken.at(seat_of(owner)));
    taken.at(seat_of(owner)) = true;
    // The same for as long as it lives.
    CHECK_EQ(regions.back()->seat(i % 2 == 0 ? Region::Use::Blocking : Region::Use::Async, &error), owner);
  }
  const std::shared_ptr<Region> late = open_region(site.handle);
  CHECK_EQ(late->seat(Region::Use::Blocking, &error), kNobody);
  CHECK_EQ(std::string(error.code), "ERR_UINTR_NO_MEMORY");
  CHECK(error.message.find("no seat is left") != std::string::npos);
  // The last of them is as good as any other.
  {
    TicketLock lock(regions.back().get(), &words_of<TicketLockWords>(regions.back()->at(site.line, site.kind)));
    const Owner last = regions.back()->seat(Region::Use::Async, &error);
    CHECK_EQ(seat_of(last), kSeats - 1);
    CHECK_EQ(lock.lock(last, 0, true), Attempt::Acquired);
  }
  regions.pop_back();
  Contender one(site);
  CHECK_EQ(one.try_lock(), Attempt::Inconsistent);
  CHECK(one.unlock());
  CHECK(late->seat(Region::Use::Blocking, &error) != kNobody);
}

CHECK_MAIN("sync/seats")
