// Messages among three ranks.
#include "parts.h"

namespace simulator {

using namespace uintr;

void three_ranks(Scenarios& add) {
  // Two send to one, which takes them as they come; or each sends to the next.
  auto to_one = [](uint64_t length, Way senders, Way receiver) {
    return [=](Rank& r) {
      if (r.rank() != 0) r.isend(0, length + r.rank(), {.synchronous = length < kOne});
      for (int i = 0; r.rank() == 0 && i < 2; ++i) r.irecv(kAnySource, kSeveral + 2, {.tag = kAnyTag});
      pass(r, r.rank() == 0 ? receiver : senders);
      r.finish();
    };
  };
  auto around = [](uint64_t length, Way way) {
    return [=](Rank& r) {
      r.irecv((r.rank() + 2) % 3, length + 2, {});
      r.isend((r.rank() + 1) % 3, length + r.rank(), {});
      pass(r, way);
      r.finish();
    };
  };
  add("three-wait", 1, three(signal), to_one(kEager, Way::Wait, Way::Wait));
  add("three-compute-receiver", 1, three(signal), to_one(kEager, Way::Wait, Way::Compute));
  add("three-chunks-compute", 0, three(signal), to_one(kSeveral, Way::Compute, Way::Compute));
  add("three-chunks-loop-uintr", 1, three(user), to_one(kSeveral, Way::Loop, Way::Loop));
  add("three-around", 0, three(signal), around(kSeveral, Way::Compute));
  add("three-around-pipeline", 0, three(pipeline), around(kSeveral, Way::Wait));
  // Between the two steps of an interrupt, too: the other sender's has to come all the same.
  add("three-sender-dies", 1, mortal(three(signal), 2), to_one(kEager, Way::Wait, Way::Compute));
  add("three-receiver-dies", 1, mortal(three(signal), 1), to_one(kEager, Way::Wait, Way::Wait));
}

}  // namespace simulator
