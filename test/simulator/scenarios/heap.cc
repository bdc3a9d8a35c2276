// Buffers that lie in the heap, between ranks that reach nothing else of each other.
#include "parts.h"

namespace simulator {

using namespace uintr;

void in_the_heap(Scenarios& add) {
  auto in_heap = [](bool sender, bool receiver, Way way) {
    return [=](Rank& r) {
      if (r.rank() == 0) {
        r.isend(1, kSeveral, {.in_heap = sender});
      } else {
        r.irecv(0, kSeveral, {.in_heap = receiver});
      }
      pass(r, way);
      r.finish();
    };
  };
  add("heap-both", 2, heap, in_heap(true, true, Way::Compute));
  add("heap-sender", 2, heap, in_heap(true, false, Way::Wait));
  add("heap-sender-compute", 2, heap, in_heap(true, false, Way::Compute));
  add("heap-receiver", 2, heap, in_heap(false, true, Way::Loop));
  add("heap-receiver-compute", 2, heap, in_heap(false, true, Way::Compute));
}

}  // namespace simulator
