// Which owners count as dead.
// sources: src-native/sync/*.cc src-native/bootstrap/memfd.cc src-native/bootstrap/error.cc src-native/bootstrap/named.cc src-native/drivers/restartable.cc src-native/drivers/restartable_handler.cc src-native/drivers/rseq_add_handler.S test/native/bootstrap/symbol_dl.cc
#include <sys/syscall.h>

#include <thread>
#include <vector>

#include "contenders.h"

using namespace test;

namespace {

// A child that owns the lock and then runs `body`.
template <class Body>
pid_t owner(const Site& site, Body body) {
  Gate owns;
  const pid_t pid = child([&] {
    Contender me(site);
    CHECK_EQ(me.acquire(), Attempt::Acquired);
    owns.open();
    body(me);
  });
  owns.pass();
  return pid;
}

void inherits(Contender& one) {
  CHECK_EQ(one.acquire(), Attempt::Inconsistent);
  one.lock.make_consistent();
  CHECK(one.unlock());
}

void does_not_inherit(Contender& one) {
  CHECK_EQ(one.wait(0), Attempt::Waiting);
  CHECK_EQ(one.wait(5 * kMillisecond, false), Attempt::Waiting);
  one.give_up();
  CHECK_EQ(one.try_lock(), Attempt::Waiting);
}

}  // namespace

TEST("01 a thread that ends while it owns the lock leaves it to the others") {
  for (Kind kind : kLocks) {
    Site site(kind);
    Contender one(site);
    std::thread([&] {
      Contender me(site);
      CHECK_EQ(me.acquire(), Attempt::Acquired);
      std::thread([&] { does_not_inherit(one); }).join();
    }).join();
    // Also to one that only tries.
    CHECK_EQ(one.try_lock(), Attempt::Inconsistent);
    CHECK(one.unlock());
    inherits(one);
  }
}

TEST("02 a process that is killed leaves what each of its threads owns") {
  std::vector<std::unique_ptr<Site>> sites;
  for (Kind kind : kLocks) sites.push_back(std::make_unique<Site>(kind));
  Gate own;
  const pid_t pid = child([&] {
    std::vector<std::thread> threads;
    for (auto& site : sites) {
      threads.emplace_back([&] {
        Contender me(*site);
        CHECK_EQ(me.acquire(), Attempt::Acquired);
        own.open();
        pause();
      });
    }
    for (std::thread& thread : threads) thread.join();
  });
  for (size_t i = 0; i < sites.size(); ++i) own.pass();
  for (auto& site : sites) {
    Contender one(*site);
    does_not_inherit(one);
  }
  CHECK(kill(pid, SIGKILL) == 0);
  was_killed(pid, SIGKILL);
  for (auto& site : sites) {
    Contender one(*site);
    inherits(one);
  }
}

TEST("03 a process that was killed and that nobody has reaped is dead") {
  for (Kind kind : kLocks) {
    Site site(kind);
    Contender one(site);
    const pid_t pid = owner(site, [](Contender&) { pause(); });
    CHECK(kill(pid, SIGKILL) == 0);
    siginfo_t info;
    CHECK(waitid(P_PID, static_cast<id_t>(pid), &info, WEXITED | WNOWAIT) == 0);
    // Also to one that does not wait.
    CHECK_EQ(one.wait(0), Attempt::Inconsistent);
    CHECK(one.unlock());
    inherits(one);
    was_killed(pid, SIGKILL);
  }
}

TEST("04 a process that is stopped is alive") {
  for (Kind kind : kLocks) {
    Site site(kind);
    Contender one(site);
    Gate go_on;
    const pid_t pid = owner(site, [&](Contender& me) {
      go_on.pass();
      CHECK(me.unlock());
    });
    CHECK(kill(pid, SIGSTOP) == 0);
    int status = 0;
    CHECK(waitpid(pid, &status, WUNTRACED) == pid && WIFSTOPPED(status));
    does_not_inherit(one);
    CHECK(kill(pid, SIGCONT) == 0);
    go_on.open();
    CHECK_EQ(one.acquire(), Attempt::Acquired);
    CHECK(one.unlock());
    ended_well(pid);
  }
}

TEST("05 a process that runs another program owns nothing any more") {
  for (Kind kind : kLocks) {
    Site site(kind);
    Contender one(site);
    const pid_t pid = owner(site, [](Contender&) { execlp("sleep", "sleep", "infinity", nullptr); });
    inherits(one);
    CHECK(kill(pid, 0) == 0);
    CHECK(kill(pid, SIGKILL) == 0);
    was_killed(pid, SIGKILL);
  }
}

TEST("06 a process whose first thread has ended is alive as long as another owns the lock") {
  for (Kind kind : kLocks) {
    Site site(kind);
    Contender one(site);
    Gate owns, end;
    const pid_t pid = child([&] {
      std::thread([&] {
        Contender me(site);
        CHECK_EQ(me.acquire(), Attempt::Acquired);
        owns.open();
        end.pass();
        CHECK(me.unlock());
        _exit(0);
      }).detach();
      // Alone: neither the process, nor what lies on its stack.
      syscall(SYS_exit, 0);
    });
    owns.pass();
    does_not_inherit(one);
    end.open();
    CHECK_EQ(one.acquire(), Attempt::Acquired);
    ended_well(pid);
  }
}

TEST("07 a forked child holds nothing of what its parent owns") {
  for (Kind kind : kLocks) {
    Site site(kind);
    Contender one(site);
    Gate forked, orphan;
    const pid_t pid = owner(site, [&](Contender&) {
      if (fork() == 0) {
        forked.open();
        // Its parent is not the test, but it ends with the test as well.
        close(orphan.ends[1]);
        char c;
        _exit(static_cast<int>(read(orphan.ends[0], &c, 1)));
      }
      pause();
    });
    forked.pass();
    does_not_inherit(one);
    CHECK(kill(pid, SIGKILL) == 0);
    was_killed(pid, SIGKILL);
    inherits(one);
    orphan.open();
  }
}

CHECK_MAIN("sync/owners")
