// Between one's draw and one's turn every other contender gets the ticket lock at most once.
// sources: src-native/sync/*.cc src-native/bootstrap/memfd.cc src-native/bootstrap/error.cc src-native/bootstrap/named.cc src-native/drivers/restartable.cc src-native/drivers/restartable_handler.cc src-native/drivers/rseq_add_handler.S test/native/bootstrap/symbol_dl.cc
#include <thread>
#include <vector>

#include "contenders.h"

using namespace test;

namespace {

constexpr int kContenders = 4;
constexpr int kTurns = kSanitizer ? 150 : 600;

struct Entries {
  std::atomic<uint64_t> of[2 * kContenders];
};

// Draws, and from then on counts how often each of the others is inside before it is.
void contend(const Site& site, Entries* entries, Region* home, int number, int all, std::atomic<int>* going) {
  Contender one(site, home);
  Random random(static_cast<uint64_t>(number));
  // Together to the end, so that there is somebody to be overtaken by.
  for (int turn = 0; turn < kTurns || *going > 0; ++turn) {
    Attempt attempt = one.wait(0);
    uint64_t before[2 * kContenders];
    for (int i = 0; i < all; ++i) before[i] = entries->of[i];
    // Some go away, and come back for their place, or draw again where others have passed over it, nobody knows when.
    const bool goes_away = attempt == Attempt::Waiting && random.below(8) == 0;
    if (goes_away) {
      one.give_up();
      attempt = one.acquire();
    }
    while (attempt == Attempt::Waiting) attempt = one.wait(kMillisecond, false);
    CHECK_EQ(attempt, Attempt::Acquired);
    for (int i = 0; i < all; ++i)
      if (i != number && !goes_away) CHECK(entries->of[i] - before[i] <= 1);
    entries->of[number].fetch_add(1);
    site.guarded->use(turn % 4 == 0);
    CHECK(one.unlock());
    if (turn == kTurns - 1) going->fetch_sub(1);
  }
}

}  // namespace

TEST("01 who has drawn is served in that order, whoever looks first") {
  Site site(Kind::TicketLock);
  std::vector<Contender> all;
  for (int i = 0; i < 8; ++i) all.emplace_back(site);
  CHECK_EQ(all[0].wait(0), Attempt::Acquired);
  for (size_t i = 1; i < all.size(); ++i) CHECK_EQ(all[i].wait(0), Attempt::Waiting);
  for (size_t turn = 0; turn < all.size(); ++turn) {
    CHECK_EQ(seat_of(all[0].lock.owner()), seat_of(all[turn].me));
    CHECK(all[turn].unlock());
    // The last come and ask first.
    for (size_t i = all.size(); i-- > turn + 2;) CHECK_EQ(all[i].wait(0, false), Attempt::Waiting);
    // Who has just had it draws again, behind all.
    if (turn == 0) CHECK_EQ(all[0].wait(0), Attempt::Waiting);
    if (turn + 1 < all.size()) CHECK_EQ(all[turn + 1].wait(0, false), Attempt::Acquired);
  }
  CHECK_EQ(all[0].wait(0, false), Attempt::Acquired);
  CHECK(all[0].unlock());
}

TEST("02 who gives up its place has it back when it comes in time") {
  Site site(Kind::TicketLock);
  Contender a(site), b(site), c(site);
  CHECK_EQ(a.wait(0), Attempt::Acquired);
  CHECK_EQ(b.wait(0), Attempt::Waiting);
  b.give_up();
  CHECK_EQ(c.wait(0), Attempt::Waiting);
  CHECK_EQ(b.wait(0), Attempt::Waiting);
  CHECK(a.unlock());
  CHECK_EQ(c.wait(0, false), Attempt::Waiting);
  CHECK_EQ(b.wait(0, false), Attempt::Acquired);
  CHECK(b.unlock());
  CHECK_EQ(c.wait(0, false), Attempt::Acquired);
  CHECK(c.unlock());
}

TEST("03 a place that was given up holds up nobody, and who comes too late draws anew") {
  Site site(Kind::TicketLock);
  Contender a(site), b(site), c(site);
  CHECK_EQ(a.wait(0), Attempt::Acquired);
  CHECK_EQ(b.wait(0), Attempt::Waiting);
  b.give_up();
  CHECK_EQ(c.wait(0), Attempt::Waiting);
  CHECK(a.unlock());
  CHECK_EQ(c.wait(0, false), Attempt::Acquired);
  CHECK_EQ(b.wait(0), Attempt::Waiting);
  CHECK(c.unlock());
  CHECK_EQ(b.wait(0, false), Attempt::Acquired);
  CHECK(b.unlock());
}

TEST("04 among threads and processes nobody is overtaken twice by the same") {
  Site site(Kind::TicketLock);
  auto* entries = shared_with_children<Entries>();
  auto* going = shared_with_children<std::atomic<int>>();
  *going = kContenders;
  const std::vector<pid_t> children{
      child([&] { contend(site, entries, nullptr, 2, kContenders, going); }),
      child([&] { contend(site, entries, nullptr, 3, kContenders, going); }),
  };
  const std::shared_ptr<Region> home = open_region(site.handle);
  std::thread other([&] { contend(site, entries, home.get(), 1, kContenders, going); });
  contend(site, entries, home.get(), 0, kContenders, going);
  other.join();
  for (pid_t pid : children) ended_well(pid);
  CHECK(site.guarded->count >= static_cast<uint64_t>(kContenders * kTurns));
}

CHECK_MAIN("sync/fairness")
