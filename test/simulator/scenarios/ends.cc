// Close and abandon.
#include "parts.h"

namespace simulator {

using namespace uintr;

void ends(Scenarios& add) {
  auto then_close = [](uint64_t length, bool both) {
    return [=](Rank& r) {
      if (r.rank() == 0) {
        r.isend(1, length);
        r.close();
      } else {
        r.irecv(0, length);
        r.irecv(kAnySource, length);
        if (!both) r.wait_all();
        both ? r.close() : r.finish();
      }
    };
  };
  add("close-after-eager", 2, closing(signal), then_close(kEager, false));
  add("close-after-chunks", 2, closing(signal), then_close(kSeveral, false));
  add("close-both", 2, closing(signal), then_close(kSeveral, true));
  add("close-receiver", 2, closing(signal), [](Rank& r) {
    if (r.rank() == 0) {
      r.isend(1, kSeveral);
      r.isend(1, kEager);
      r.isend(1, kSeveral, {.tag = 2});
      r.wait_all();
      r.finish();
    } else {
      r.irecv(0, kSeveral);
      r.close();
    }
  });
  add("close-crossing-sends", 2, closing(signal), [](Rank& r) {
    r.isend(1 - r.rank(), kSeveral);
    r.close();
  });
  auto then_abandon = [](uint64_t length, bool sender) {
    return [=](Rank& r) {
      if (r.rank() == 0) {
        r.isend(1, length);
        sender ? r.abandon() : (r.wait_all(), r.finish());
      } else {
        r.irecv(0, length);
        r.test();
        sender ? (r.wait_all(), r.finish()) : r.abandon();
      }
    };
  };
  add("abandon-sender", 2, closing(signal), then_abandon(kSeveral, true));
  add("abandon-receiver", 2, closing(signal), then_abandon(kSeveral, false));
  add("abandon-pipeline-sender", 2, closing(pipeline), then_abandon(kSeveral, true));
  add("abandon-pipeline-receiver", 2, closing(pipeline), then_abandon(kSeveral, false));

  auto leaves_behind = [](bool sender) {
    return [=](Rank& r) {
      if (r.rank() == (sender ? 0u : 1u)) {
        sender ? r.isend(1, kSeveral) : r.irecv(0, kSeveral);
        r.test();
        r.pause();
        r.leave_behind();
      } else {
        sender ? r.irecv(0, kSeveral) : r.isend(1, kSeveral);
        r.wait_all();
        r.finish();
      }
    };
  };
  add("leaves-behind-sender", 2, closing(signal), leaves_behind(true));
  add("leaves-behind-receiver", 2, closing(signal), leaves_behind(false));
}

}  // namespace simulator
