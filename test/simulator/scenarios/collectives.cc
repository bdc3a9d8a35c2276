// Collective operations.
#include "parts.h"

namespace simulator {

using namespace uintr;

void collective(Scenarios& add) {
  auto sum = [](uint64_t elements, Way first, Way second) {
    return [=](Rank& r) {
      r.iallreduce(elements);
      pass(r, r.rank() == 0 ? first : second);
      r.finish();
    };
  };
  constexpr uint64_t kFew = 4, kMany = 200;  // eager; two rounds of two chunks, and local operations of several slices
  add("collective-wait-wait", 2, signal, sum(kFew, Way::Wait, Way::Wait));
  add("collective-wait-compute", 2, signal, sum(kFew, Way::Wait, Way::Compute));
  add("collective-compute-both", 2, signal, sum(kFew, Way::Compute, Way::Compute));
  add("collective-loop-uintr", 2, user, sum(kFew, Way::Loop, Way::Loop));
  add("collective-callback-uintr", 2, user, sum(kFew, Way::Callback, Way::Compute));
  add("collective-poll", 2, poll, sum(kFew, Way::Wait, Way::Loop));
  add("collective-chunks-wait-wait", 1, signal, sum(kMany, Way::Wait, Way::Wait));
  add("collective-chunks-compute-both", 1, signal, sum(kMany, Way::Compute, Way::Compute));
  add("collective-chunks-loop-uintr", 1, user, sum(kMany, Way::Loop, Way::Compute));
  add("collective-pipeline-compute", 1, pipeline, sum(kMany, Way::Compute, Way::Compute));
  // One round of messages too short for a rendezvous, and long local operations after it.
  add("collective-slices-uintr", 2, user, sum(120, Way::Loop, Way::Loop));
  add("collective-two", 1, signal, [](Rank& r) {
    r.iallreduce(kFew, 1);
    r.iallreduce(kMany, 2);
    pass(r, r.rank() == 0 ? Way::Wait : Way::Compute);
    r.finish();
  });
  add("collective-cancel", 1, signal, [](Rank& r) {
    size_t c = r.iallreduce(kMany);
    if (r.rank() == 0) {
      r.pause();
      r.cancel_collective(c);
    }
    r.wait_all();
    r.finish();
  });
  add("collective-dies", 1, mortal(signal, 2), sum(kMany, Way::Wait, Way::Wait));
  add("collective-eager-dies", 2, mortal(signal, 2), sum(kFew, Way::Wait, Way::Compute));
  add("collective-close", 1, closing(signal), [](Rank& r) {
    r.iallreduce(kMany);
    if (r.rank() == 0) return r.close();
    r.wait_all();
    r.finish();
  });
  add("collective-abandon", 1, closing(signal), [](Rank& r) {
    r.iallreduce(kMany);
    r.test();
    if (r.rank() == 0) return r.abandon();
    r.wait_all();
    r.finish();
  });
}

}  // namespace simulator
