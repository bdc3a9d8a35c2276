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
}

}  // namespace simulator
