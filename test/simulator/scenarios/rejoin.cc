// Death at every instruction, and a new life.
#include "parts.h"

namespace simulator {

using namespace uintr;

void rejoin(Scenarios& add) {
  // Each sends the other a short message that it receives, one that it does not, and perhaps a long one.
  auto comes_back = [](Way before, Way after, bool large) {
    return [=](Rank& r) {
      uint32_t other = 1 - r.rank();
      auto talk = [&](bool all) {
        uint64_t eager = r.eager_sent();
        r.isend(other, kEager, {.tag = 1});
        r.isend(other, kEager, {.tag = 2});
        if (r.eager_sent() != eager + 2) r.machine().fail("rank %u: credit is lost", r.rank());
        if (large || all) r.isend(other, kSeveral, {.tag = 3});
        r.irecv(other, kEager, {.tag = 1});
        if (all) r.irecv(other, kEager, {.tag = 2});
        if (large || all) r.irecv(other, kSeveral, {.tag = 3});
      };
      if (r.life() == 0) {
        talk(false);
        pass(r, before);
        if (r.rank() == 0) r.vanish();
        r.await_end(0);
        r.let_in(0);
      }
      talk(true);
      pass(r, after);
      r.finish();
    };
  };
  add("lend-lender-comes-back", 1, elastic(signal), [](Rank& r) {
    if (r.rank() == 0) {
      for (uint32_t i = 0; i < 2; ++i) r.isend(1, kSeveral + i, {.tag = 1, .lend = true});
      if (r.life() == 0) r.vanish();
      r.wait_all();
      return r.finish();
    }
    auto borrows = [&] {
      for (int i = 0; i < 2; ++i) r.irecv(0, 0, {.tag = 1, .allocate = true});
      r.wait_all();
    };
    borrows();
    r.await_end(0);
    r.let_in(0);
    borrows();
    // Those of the life before first.
    for (int i = 0; i < 4; ++i) {
      r.release();
      r.pause();
    }
    r.finish();
  });
  add("comes-back-short", 2, elastic(signal), comes_back(Way::Wait, Way::Wait, false));
  add("comes-back-wait", 1, elastic(signal), comes_back(Way::Wait, Way::Wait, true));
  add("comes-back-compute", 1, elastic(signal), comes_back(Way::Compute, Way::Compute, true));
  add("comes-back-pipeline", 1, elastic(pipeline), comes_back(Way::Wait, Way::Compute, true));
  add("comes-back-loop-uintr", 1, elastic(user), comes_back(Way::Loop, Way::Loop, true));

  // ---- of three ranks
  // The two that stay talk with each other all the time, and with rank 0 in each life of it; `last` comes after that.
  auto among_three = [](uint32_t lives, Way way, uint64_t length, std::function<void(Rank&)> last) {
    return [=](Rank& r) {
      for (uint32_t life = r.life(); life <= lives; ++life) {
        for (uint32_t other = 0; other < 3; ++other) {
          if (other == r.rank()) continue;
          r.isend(other, length + r.rank(), {.tag = life});
          r.irecv(other, length + 2, {.tag = life});
        }
        if (life == lives) break;
        r.rank() == 0 ? pass(r, way) : r.pause();
        if (r.rank() == 0) r.vanish();
        r.await_end(0);
        r.let_in(0);
      }
      last(r);
      pass(r, way);
      r.finish();
    };
  };
  auto come_back = [](Settings s, uint32_t deaths) {
    s.deaths = deaths;
    return with_turns(three(elastic(s)));
  };
  auto nothing = [](Rank&) {};
  add("three-comes-back", 1, come_back(signal, 1), among_three(1, Way::Wait, kEager, nothing));
  add("three-comes-back-chunks", 1, come_back(signal, 1), among_three(1, Way::Compute, kSeveral, nothing));
  add("three-comes-back-uintr", 1, come_back(user, 1), among_three(1, Way::Loop, kSeveral, nothing));
  add("three-comes-back-pipeline", 1, come_back(pipeline, 1), among_three(1, Way::Wait, kSeveral, nothing));
  add("three-comes-back-twice", 1, come_back(signal, 2), among_three(2, Way::Wait, kEager, nothing));
  const Settings cma = with(Driver::Signal, kCopyCma | kCopyPipeline);
  add("three-comes-back-twice-cma", 1, come_back(cma, 2), among_three(2, Way::Wait, kSeveral, nothing));
  auto sums = [](Rank& r) { r.iallreduce(4, 1), r.iallreduce(200, 2); };
  add("three-comes-back-sum", 1, come_back(signal, 1), among_three(1, Way::Wait, kEager, sums));
  add("three-comes-back-sum-uintr", 1, come_back(user, 1), among_three(1, Way::Compute, kEager, sums));
  // In the midst of a sum, which fails; the next one is with the new life.
  add("three-comes-back-into-sum", 1, come_back(signal, 1), [](Rank& r) {
    if (r.life() == 0) {
      const size_t first = r.iallreduce(200, 1);
      if (r.rank() == 0) {
        r.wait_all();
        r.vanish();
      }
      r.await_end(0);
      r.cancel_collective(first);
      r.wait_all();
      r.let_in(0);
    }
    r.iallreduce(4, 2);
    r.wait_all();
    r.finish();
  });
}

}  // namespace simulator
