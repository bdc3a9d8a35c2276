// One message, every way of waiting for it; both directions; oneself.
#include "parts.h"

namespace simulator {

using namespace uintr;

void one_message(Scenarios& add) {
  add("eager-wait-wait", 3, signal, one(kEager, Way::Wait, Way::Wait));
  add("eager-wait-loop", 3, signal, one(kEager, Way::Wait, Way::Loop));
  add("eager-loop-uintr", 3, user, one(kEager, Way::Loop, Way::Loop));
  add("eager-poll", 3, poll, one(kEager, Way::Wait, Way::Loop));
  add("one-chunk-wait-wait", 3, signal, one(kOne, Way::Wait, Way::Wait, true));
  add("one-chunk-wait-loop-uintr", 3, user, one(kOne, Way::Wait, Way::Loop, true));
  add("one-chunk-compute-receiver", 3, signal, one(kOne, Way::Wait, Way::Compute, true));
  add("one-chunk-compute-sender", 3, signal, one(kOne, Way::Compute, Way::Wait, true));
  add("chunks-wait-wait", 3, signal, one(kSeveral, Way::Wait, Way::Wait));
  add("chunks-loop-loop", 2, signal, one(kSeveral, Way::Loop, Way::Loop));
  add("chunks-wait-loop-uintr", 2, user, one(kSeveral, Way::Wait, Way::Loop));
  add("chunks-compute-receiver", 3, signal, one(kSeveral, Way::Wait, Way::Compute));
  add("chunks-compute-sender", 2, signal, one(kSeveral, Way::Compute, Way::Wait));
  add("chunks-compute-both", 3, signal, one(kSeveral, Way::Compute, Way::Compute));
  add("chunks-compute-both-uintr", 3, user, one(kSeveral, Way::Compute, Way::Compute));
  add("chunks-callback-receiver", 3, signal, one(kSeveral, Way::Wait, Way::Callback));
  add("chunks-callback-both-uintr", 2, user, one(kSeveral, Way::Callback, Way::Callback));
  add("chunks-at-post-wait", 2, signal, one(kSeveral, Way::Wait, Way::Wait, false, true));
  add("chunks-at-post-compute-sender", 2, signal, one(kSeveral, Way::Compute, Way::Wait, false, true));
  add("chunks-at-post-compute-both", 2, signal, one(2 * kSeveral, Way::Compute, Way::Compute, false, true));
  add("chunks-at-post-compute-both-uintr", 2, user, one(2 * kSeveral, Way::Compute, Way::Compute, false, true));
  add("chunks-poll", 2, poll, one(kSeveral, Way::Wait, Way::Loop));
  add("pipeline-wait-wait", 3, pipeline, one(kSeveral, Way::Wait, Way::Wait));
  add("pipeline-compute-both", 2, pipeline, one(2 * kSeveral, Way::Compute, Way::Compute));
  add("pipeline-loop-uintr", 2, with(Driver::Uintr, kCopyPipeline), one(2 * kSeveral, Way::Loop, Way::Loop));

  auto exchange = [](uint64_t length, Way way) {
    return [=](Rank& r) {
      r.irecv(1 - r.rank(), length);
      r.isend(1 - r.rank(), length);
      pass(r, way);
      r.finish();
    };
  };
  add("exchange-eager", 3, signal, exchange(kEager, Way::Wait));
  add("exchange-chunks-wait", 2, signal, exchange(kSeveral, Way::Wait));
  add("exchange-chunks-compute", 2, signal, exchange(kSeveral, Way::Compute));
  add("exchange-pipeline-compute", 2, pipeline, exchange(2 * kSeveral, Way::Compute));
  add("self", 2, signal, [](Rank& r) {
    if (r.rank() == 1) return r.finish();
    r.isend(0, kEager, {.tag = 1});
    r.isend(0, kSeveral, {.tag = 1});
    r.irecv(0, kSeveral, {.tag = 1});
    r.irecv(kAnySource, kSeveral, {.tag = kAnyTag});
    r.isend(0, 0, {.tag = 2, .synchronous = true});
    r.irecv(0, 0, {.tag = 2});
    r.wait_all();
    r.finish();
  });
  add("zero-length-synchronous", 3, signal, one(0, Way::Loop, Way::Wait, true));
  add("synchronous-to-computing", 3, signal, one(kEager, Way::Wait, Way::Compute, true));
}

}  // namespace simulator
