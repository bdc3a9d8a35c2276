// What a lock promises to those who keep to its rules, where nobody dies.
// sources: src-native/sync/*.cc src-native/bootstrap/memfd.cc src-native/bootstrap/error.cc src-native/bootstrap/named.cc src-native/drivers/restartable.cc src-native/drivers/restartable_handler.cc src-native/drivers/rseq_add_handler.S test/native/bootstrap/symbol_dl.cc
#include <pthread.h>
#include <sys/syscall.h>

#include <algorithm>
#include <thread>
#include <vector>

#include "contenders.h"

using namespace test;

namespace {

volatile sig_atomic_t interrupts;
Contender* interrupted;
volatile int attempt_in_handler;

void on_signal(void (*handler)(int)) {
  struct sigaction action {};
  action.sa_handler = handler;
  CHECK(sigaction(SIGUSR1, &action, nullptr) == 0);
}

}  // namespace

TEST("01 a free lock is taken by who tries, one that is held by nobody else, and it is known who holds it") {
  for (Kind kind : kLocks) {
    Site site(kind);
    Contender a(site), b(site);
    CHECK_EQ(a.lock.owner(), kNobody);
    CHECK_EQ(a.try_lock(), Attempt::Acquired);
    // A ticket lock's claims have no room for all bits of a life.
    CHECK_EQ(seat_of(b.lock.owner()), seat_of(a.me));
    CHECK_EQ(b.lock.holder().pid, getpid());
    CHECK_EQ(b.lock.holder().tid, static_cast<int32_t>(syscall(SYS_gettid)));
    CHECK_EQ(b.try_lock(), Attempt::Waiting);
    CHECK(a.unlock());
    CHECK_EQ(a.lock.owner(), kNobody);
    CHECK_EQ(b.try_lock(), Attempt::Acquired);
    CHECK_EQ(a.try_lock(), Attempt::Waiting);
    CHECK(b.unlock());
  }
}

TEST("02 an owner that asks for its lock again is told so, and owns it as before") {
  for (Kind kind : kLocks) {
    Site site(kind);
    Contender a(site), b(site);
    CHECK_EQ(a.acquire(), Attempt::Acquired);
    CHECK_EQ(a.wait(~uint64_t{0}), Attempt::Deadlock);
    CHECK_EQ(a.try_lock(), Attempt::Deadlock);
    CHECK_EQ(b.try_lock(), Attempt::Waiting);
    CHECK(a.unlock());
    CHECK_EQ(b.try_lock(), Attempt::Acquired);
    CHECK(b.unlock());
  }
}

TEST("03 only the owner releases it, and once") {
  for (Kind kind : kLocks) {
    Site site(kind);
    Contender a(site), b(site);
    CHECK(!a.unlock());
    CHECK_EQ(a.acquire(), Attempt::Acquired);
    CHECK(!b.unlock());
    CHECK_EQ(b.wait(0), Attempt::Waiting);
    CHECK(!b.unlock());
    CHECK_EQ(a.try_lock(), Attempt::Deadlock);
    CHECK(a.unlock());
    CHECK(!a.unlock());
  }
}

TEST("04 a thread's two seats contend for it like two threads") {
  for (Kind kind : kLocks) {
    Site site(kind);
    Contender a(site);
    JoinError error;
    const Owner other = a.region->seat(Region::Use::Async, &error);
    CHECK(other != kNobody && seat_of(other) != seat_of(a.me));
    CHECK_EQ(a.acquire(), Attempt::Acquired);
    CHECK_EQ(a.lock.lock(other, kMillisecond, true), Attempt::Waiting);
    CHECK(!a.lock.unlock(other));
    CHECK(a.unlock());
    CHECK_EQ(a.lock.lock(other, kMillisecond, false), Attempt::Acquired);
    CHECK_EQ(a.try_lock(), Attempt::Waiting);
    CHECK(a.lock.unlock(other));
  }
}

TEST("05 a wait that times out leaves the lock as it was") {
  for (Kind kind : kLocks) {
    Site site(kind);
    Contender a(site), b(site), c(site);
    CHECK_EQ(a.acquire(), Attempt::Acquired);
    for (uint64_t ns : {uint64_t{0}, uint64_t{1}, kMicrosecond, kMillisecond, 3 * kMillisecond}) {
      CHECK_EQ(b.wait(ns), Attempt::Waiting);
      b.give_up();
      CHECK_EQ(c.wait(ns), Attempt::Waiting);
      CHECK_EQ(c.wait(ns, false), Attempt::Waiting);
      c.give_up();
      CHECK_EQ(seat_of(c.lock.owner()), seat_of(a.me));
      CHECK_EQ(a.try_lock(), Attempt::Deadlock);
    }
    CHECK(a.unlock());
    // Nothing is left of the waits that were given up, neither for those who try nor for those who wait.
    CHECK_EQ(a.try_lock(), Attempt::Acquired);
    CHECK(a.unlock());
    CHECK_EQ(c.wait(0), Attempt::Acquired);
    CHECK(c.unlock());
    CHECK_EQ(b.wait(0), Attempt::Acquired);
    CHECK(b.unlock());
  }
}

TEST("06 whatever threads do in whatever order, one owns the lock, and nobody is kept from a free one") {
  for (Kind kind : kLocks) {
    for (uint64_t seed = 1; seed <= (kSanitizer ? 3 : 10); ++seed) {
      Site site(kind);
      std::vector<Contender> all;
      for (int i = 0; i < 5; ++i) all.emplace_back(site);
      std::vector<bool> waits(all.size());
      Contender* owner = nullptr;
      Random random(seed);
      for (int step = 0; step < 200; ++step) {
        const uint64_t i = random.below(all.size());
        Contender& one = all[i];
        switch (random.below(4)) {
          case 0: {
            if (waits[i]) break;
            const Attempt attempt = one.try_lock();
            if (owner != nullptr)
              CHECK_EQ(attempt, owner == &one ? Attempt::Deadlock : Attempt::Waiting);
            else
              // A place in the queue of the ticket lock goes before.
              CHECK(attempt == Attempt::Acquired ||
                    (attempt == Attempt::Waiting && std::count(waits.begin(), waits.end(), true) > 0));
            if (attempt == Attempt::Acquired) owner = &one;
            break;
          }
          case 1: {
            const Attempt attempt = one.wait(0, !waits[i]);
            if (owner != nullptr) CHECK_EQ(attempt, owner == &one ? Attempt::Deadlock : Attempt::Waiting);
            CHECK(attempt != Attempt::Inconsistent);
            if (attempt == Attempt::Acquired) owner = &one;
            waits[i] = attempt == Attempt::Waiting;
            break;
          }
          case 2:
            if (!waits[i]) break;
            one.give_up();
            waits[i] = false;
            break;
          case 3:
            // Who waits does not know yet whether its turn has come.
            if (waits[i]) break;
            CHECK_EQ(one.unlock(), owner == &one);
            if (owner == &one) owner = nullptr;
            break;
        }
      }
      if (owner != nullptr) CHECK(owner->unlock());
      for (uint64_t i = 0; i < all.size(); ++i)
        if (waits[i]) all[i].give_up();
      for (Contender& one : all) {
        CHECK_EQ(one.wait(0), Attempt::Acquired);
        CHECK(one.unlock());
      }
    }
  }
}

TEST("07 a thread that holds it, waits for it or sleeps may be interrupted at any moment") {
  on_signal([](int) { interrupts = interrupts + 1; });
  for (Kind kind : kLocks) {
    Site site(kind);
    const std::shared_ptr<Region> home = open_region(site.handle);
    std::atomic<bool> over{false};
    interrupts = 0;
    std::thread holder([&] {
      Contender one(site, home.get());
      // Until it was interrupted often, wherever that was.
      for (int i = 0; interrupts < 200 || i < 200; ++i) {
        CHECK_EQ(one.acquire(), Attempt::Acquired);
        site.guarded->use(true);
        CHECK(one.unlock());
      }
      over = true;
    });
    Contender other(site, home.get());
    while (!over) {
      pthread_kill(holder.native_handle(), SIGUSR1);
      CHECK_EQ(other.acquire(), Attempt::Acquired);
      site.guarded->use(true);
      CHECK(other.unlock());
    }
    holder.join();
  }
}

TEST("08 a handler that asks for the lock that it interrupted is told so, and does not hang") {
  on_signal([](int) { attempt_in_handler = static_cast<int>(interrupted->wait(~uint64_t{0})); });
  for (Kind kind : kLocks) {
    Site site(kind);
    Contender a(site);
    interrupted = &a;
    attempt_in_handler = -1;
    CHECK_EQ(a.acquire(), Attempt::Acquired);
    raise(SIGUSR1);
    CHECK_EQ(attempt_in_handler, static_cast<int>(Attempt::Deadlock));
    CHECK(a.unlock());
  }
}

CHECK_MAIN("sync/contract")
