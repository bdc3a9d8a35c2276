// Messages in their order, and one that is longer than its receive.
#include "parts.h"

namespace simulator {

using namespace uintr;

void order(Scenarios& add) {
  add("eager-overtakes-nothing", 2, signal, [](Rank& r) {
    if (r.rank() == 0) {
      r.isend(1, kSeveral, {.tag = 1});
      r.isend(1, kEager, {.tag = 1});
      r.wait_all();
    } else {
      r.irecv(0, kSeveral, {.tag = kAnyTag});
      r.irecv(kAnySource, kSeveral, {.tag = 1});
      r.wait_all();
    }
    r.finish();
  });
  add("wildcard-then-exact", 2, signal, [](Rank& r) {
    if (r.rank() == 0) {
      r.isend(1, kEager, {.tag = 1});
      r.isend(1, kOne, {.tag = 2, .synchronous = true});
      r.wait_all();
    } else {
      r.irecv(kAnySource, kOne, {.tag = kAnyTag});
      r.irecv(0, kOne, {.tag = 2});
      r.loop_all();
    }
    r.finish();
  });
  add("truncated", 2, signal, [](Rank& r) {
    if (r.rank() == 0) {
      r.isend(1, kEager);
      r.isend(1, kSeveral);
      r.wait_all();
    } else {
      r.irecv(0, 8);
      r.irecv(0, kSeveral / 2 + 30);
      r.wait_all();
    }
    r.finish();
  });
}

}  // namespace simulator
