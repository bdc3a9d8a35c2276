// Ranks that are threads of one process: they copy directly, and memory of one that ends stays while others are inside a
// copy of it; but the process ends with all of them at once.
#include "parts.h"

namespace simulator {

using namespace uintr;

namespace {

// Ranks 0 and 1 are threads, rank 2 is a process, and copies between the two with `kinds`.
Settings two_threads(Settings s, uint32_t kinds) {
  s.process = 3;
  s.copy_kinds = kinds;
  return with_turns(three(s));
}

Program around(uint64_t length, Way threads, Way process) {
  return [=](Rank& r) {
    r.irecv((r.rank() + 2) % 3, length + 2);
    r.isend((r.rank() + 1) % 3, length + r.rank());
    pass(r, r.rank() == 2 ? process : threads);
    r.finish();
  };
}

// Rank 0 sends to one and receives from the other; then it does as it is told, and they wait.
Program in_the_midst(const std::function<void(Rank&)>& first) {
  return [=](Rank& r) {
    if (r.rank() == 0) {
      r.isend(1, kSeveral);
      r.irecv(2, kSeveral);
      r.test();
      return first(r);
    }
    r.rank() == 1 ? r.irecv(0, kSeveral) : r.isend(0, kSeveral);
    r.wait_all();
    r.finish();
  };
}

}  // namespace

void threads(Scenarios& add) {
  constexpr uint32_t kCma = kCopyCma | kCopyPipeline;
  add("threads-around", 1, two_threads(signal, kCma), around(kSeveral, Way::Compute, Way::Wait));
  add("threads-around-uintr", 1, two_threads(user, kCma), around(kSeveral, Way::Loop, Way::Compute));
  for (const Settings& driver : {signal, user}) {
    const std::string name = driver.driver == Driver::Uintr ? "-uintr" : "";
    // The process dies, at any instruction of either thread; or the other one does.
    add("threads-die" + name, 1, mortal(two_threads(driver, kCma), 3), around(kSeveral, Way::Compute, Way::Wait));
    add("threads-die-pipeline" + name, 1, mortal(two_threads(driver, kCopyPipeline), 3),
        around(kSeveral, Way::Wait, Way::Compute));
    add("threads-survive" + name, 1, mortal(two_threads(driver, kCma), 4), around(kSeveral, Way::Wait, Way::Compute));
    add("threads-die-in-sum" + name, 1, mortal(two_threads(driver, kCma), 3), [](Rank& r) {
      r.iallreduce(200);
      pass(r, r.rank() == 1 ? Way::Compute : Way::Wait);
      r.finish();
    });
  }
  // A receive from anybody fails when all who could have sent are dead.
  add("threads-die-any-source", 2, mortal(two_threads(signal, kCma), 3), [](Rank& r) {
    if (r.rank() == 2) {
      const size_t first = r.irecv(kAnySource, kOne, {.tag = kAnyTag});
      r.irecv(kAnySource, kOne, {.tag = kAnyTag});
      if (!r.wait_all()) r.machine().fail("a receive waits although nobody is left");
      if (r.error(first) == Error::None) r.irecv(kAnySource, kOne, {.tag = kAnyTag});
      r.wait_all();
    } else {
      r.isend(2, kEager + r.rank());
      r.wait_all();
    }
    r.finish();
  });
  // All three in one process: one ends in the midst of a copy with each of the others.
  Settings all = closing(with_turns(three(signal))), all_user = all;
  all.process = all_user.process = 7;
  all_user.driver = Driver::Uintr;
  auto abandons = [](Rank& r) { r.abandon(); };
  auto leaves = [](Rank& r) { r.leave_behind(); };
  add("threads-abandon", 2, all, in_the_midst(abandons));
  add("threads-abandon-uintr", 1, all_user, in_the_midst(abandons));
  add("threads-leave-behind", 2, all, in_the_midst(leaves));
  add("threads-leave-behind-uintr", 1, all_user, in_the_midst(leaves));
  // One leaves memory behind for its process and for another one, which may die.
  add("threads-leave-behind-dies", 1, mortal(closing(two_threads(signal, kCma)), 4), in_the_midst(leaves));
  // The process comes back, one thread after the other: the first finds the second absent, and lets it in as well.
  Settings elastic_threads = elastic(two_threads(signal, kCma));
  elastic_threads.mortal = 3;
  add("threads-come-back", 1, elastic_threads, [](Rank& r) {
    auto exchange = [&](uint32_t tag) {
      for (uint32_t other = 0; other < 3; ++other) {
        if (other == r.rank()) continue;
        r.isend(other, kEager + r.rank(), {.tag = tag});
        r.irecv(other, kOne, {.tag = tag});
      }
    };
    if (r.life() == 0) {
      exchange(1);
      if (r.rank() != 2) {
        r.pause();
        r.vanish();
      }
      r.await_end(0);
      r.await_end(1);
      r.let_in(0);
    }
    if (r.rank() == 0) r.await_end(1);
    if (r.rank() != 1) r.let_in(1);
    exchange(2);
    r.wait_all();
    r.finish();
  });
}

}  // namespace simulator
