// Whoever is killed, wherever it is: the others get the lock, one at a time, and are told of an owner's death for as long
// sources: src-native/sync/*.cc src-native/bootstrap/memfd.cc src-native/bootstrap/error.cc src-native/bootstrap/named.cc src-native/drivers/restartable.cc src-native/drivers/restartable_handler.cc src-native/drivers/rseq_add_handler.S test/native/bootstrap/symbol_dl.cc
#include "contenders.h"
#include "stepped.h"

using namespace test;

namespace {

// Under a sanitizer each step of the product is many; not each of them is tried.
constexpr uint64_t kStride = kThreadSanitizer ? 9001 : kSanitizer ? 61 : 1;
constexpr uint64_t kFewStride = kThreadSanitizer ? 601 : kSanitizer ? 11 : 1;

// Where the child that will be killed is.
struct Progress {
  std::atomic<bool> begins, entered, leaves, ended;
  void reset() { begins = entered = leaves = ended = false; }
};

// The next owner after a death. `must`: the dead owned the lock; `may`: perhaps it did.
void take_over(Contender& one, Contender& other, Guarded* guarded, bool must, bool may) {
  const Attempt attempt = one.acquire(100 * kMicrosecond);
  if (must) CHECK_EQ(attempt, Attempt::Inconsistent);
  if (!may) CHECK_EQ(attempt, Attempt::Acquired);
  if (attempt == Attempt::Inconsistent) {
    // Told to everybody, until somebody says otherwise.
    CHECK(one.unlock());
    CHECK_EQ(other.acquire(), Attempt::Inconsistent);
    guarded->second = guarded->first;
    other.lock.make_consistent();
    CHECK(other.unlock());
    CHECK_EQ(one.try_lock(), Attempt::Acquired);
  }
  guarded->use(false);
  CHECK(one.unlock());
  CHECK_EQ(other.try_lock(), Attempt::Acquired);
  CHECK(other.unlock());
}

}  // namespace

TEST("01 killed at any instruction of taking the lock, of what it guards, and of releasing it") {
  auto* at = shared_with_children<Progress>();
  for (Kind kind : kLocks) {
    Site site(kind);
    Contender one(site), other(site);
    bool ended = false;
    uint64_t told = 0;
    for (uint64_t steps = 0; !ended; steps += kStride) {
      at->reset();
      Stepped dying(
          [&] {
            Contender me(site);
            // What is looked up once is looked up now.
            CHECK_EQ(me.acquire(), Attempt::Acquired);
            CHECK(me.unlock());
            return me;
          },
          [&](Contender& me) {
            at->begins = true;
            me.wait(kMillisecond);
            at->entered = true;
            site.guarded->use(false);
            at->leaves = true;
            me.unlock();
            at->ended = true;
            pause();
          });
      dying.step_until([&] { return at->begins.load(); });
      // Once where it owns the lock for sure, however far apart the other places are.
      if (steps == 0) dying.step_until([&] { return at->entered.load(); });
      for (uint64_t i = 0; i < steps && !at->ended; ++i) dying.step();
      ended = at->ended;
      dying.kill();
      take_over(one, other, site.guarded, at->entered && !at->leaves, !ended);
      told += at->entered && !at->leaves;
    }
    // With strides as long as these the guarded part may be stepped over.
    if (kStride == 1) CHECK(told > 0);
  }
}

TEST("02 killed at any instruction of releasing the lock, while another waits for it") {
  auto* at = shared_with_children<Progress>();
  struct Waits {
    std::atomic<bool> begins;
    std::atomic<int> attempt;
  };
  auto* waits = shared_with_children<Waits>();
  for (Kind kind : kLocks) {
    Site site(kind);
    Contender one(site), other(site);
    bool ended = false;
    for (uint64_t steps = 0; !ended; steps += kFewStride) {
      at->reset();
      waits->begins = false;
      Stepped dying(
          [&] {
            Contender me(site);
            CHECK_EQ(me.acquire(), Attempt::Acquired);
            return me;
          },
          [&](Contender& me) {
            at->begins = true;
            me.unlock();
            at->ended = true;
            pause();
          });
      dying.step_until([&] { return at->begins.load(); });
      const pid_t waiter = child([&] {
        Contender me(site);
        waits->begins = true;
        waits->attempt = static_cast<int>(me.acquire(10 * kMillisecond));
        CHECK(me.unlock());
      });
      while (!waits->begins) sched_yield();
      // A mutex shows that somebody sleeps, or is about to.
      const auto sleeps = [&] {
        return (words_of<MutexWords>(one.region->at(site.line, kind)).owner.load_sc() & kWaiters) != 0;
      };
      while ((kind == Kind::Mutex || kind == Kind::AdaptiveMutex) && !sleeps()) sched_yield();
      for (uint64_t i = 0; i < steps && !at->ended; ++i) dying.step();
      ended = at->ended;
      dying.kill();
      ended_well(waiter);
      const auto attempt = static_cast<Attempt>(waits->attempt.load());
      CHECK(attempt == Attempt::Acquired || attempt == Attempt::Inconsistent);
      if (steps == 0) CHECK_EQ(attempt, Attempt::Inconsistent);
      if (ended) CHECK_EQ(attempt, Attempt::Acquired);
      take_over(one, other, site.guarded, attempt == Attempt::Inconsistent, attempt == Attempt::Inconsistent);
    }
  }
}

TEST("03 killed at many instructions of a wait, and of giving it up") {
  auto* at = shared_with_children<Progress>();
  for (Kind kind : kLocks) {
    Site site(kind);
    Contender owner(site), one(site), other(site);
    Random random(static_cast<uint64_t>(kind));
    constexpr uint64_t kRounds = kThreadSanitizer ? 4 : kSanitizer ? 15 : 40;
    for (uint64_t round = 0; round < kRounds + 4; ++round) {
      // At first densely, where the number is drawn; then at a few more places, of which most are in the wait.
      const uint64_t steps = round < kRounds ? round * 3 * kFewStride : random.below(4000);
      at->reset();
      CHECK_EQ(owner.acquire(), Attempt::Acquired);
      Stepped dying([&] { return Contender(site); },
                    [&](Contender& me) {
                      at->begins = true;
                      me.wait(0);
                      me.give_up();
                      at->ended = true;
                      pause();
                    });
      dying.step_until([&] { return at->begins.load(); });
      for (uint64_t i = 0; i < steps && !at->ended; ++i) dying.step();
      const bool ended = at->ended;
      dying.kill();
      CHECK(owner.unlock());
      // The ticket lock cannot tell whether its number was served before or after that: it counts as an owner.
      take_over(one, other, site.guarded, false, kind == Kind::TicketLock && !ended);
    }
  }
}

TEST("04 a number that is drawn and not claimed yet is kept for who lives, and passed over for who died") {
  for (bool dies : {false, true}) {
    Site site(Kind::TicketLock);
    Contender owner(site), one(site);
    CHECK_EQ(owner.acquire(), Attempt::Acquired);
    auto& words = words_of<TicketLockWords>(site.object());
    const uint32_t number = words.next.load_sc();
    Stepped drawing([&] { return Contender(site); },
                    [&](Contender& me) {
                      CHECK_EQ(me.acquire(), Attempt::Acquired);
                      CHECK(me.unlock());
                    });
    drawing.step_until([&] { return words.next.load_sc() != number; });
    CHECK_EQ(one.wait(0), Attempt::Waiting);
    CHECK(owner.unlock());
    CHECK_EQ(one.wait(0, false), Attempt::Waiting);
    CHECK_EQ(one.wait(5 * kMillisecond, false), Attempt::Waiting);
    if (dies) {
      drawing.kill();
    } else {
      drawing.go_on();
      drawing.end();
    }
    // It never had the lock.
    CHECK_EQ(one.wait(0, false), Attempt::Acquired);
    CHECK(one.unlock());
  }
}

CHECK_MAIN("sync/deaths")
