// Every way to move a long message, and pairs whose ends have different ways.
#include "parts.h"

namespace simulator {

using namespace uintr;

namespace {

// What ends a message before its time, for one way of copying.
void untimely_ends(Scenarios& add, const std::string& kind, Settings s, Rank::SendOptions send,
                   Rank::ReceiveOptions receive) {
  // One long message from 0 to 1; then each end does as it is told.
  auto then = [=](Program sender, Program receiver) {
    return [=](Rank& r) {
      r.rank() == 0 ? r.isend(1, kSeveral, send) : r.irecv(0, kSeveral, receive);
      r.rank() == 0 ? sender(r) : receiver(r);
    };
  };
  auto waits = [](Rank& r) { r.wait_all(), r.finish(); };
  auto computes = [](Rank& r) { r.compute(), r.finish(); };
  auto closes = [](Rank& r) { r.close(); };
  auto abandons = [](Rank& r) { r.test(), r.abandon(); };
  add(kind + "-sender-dies", 2, mortal(s, 1), then(waits, waits));
  add(kind + "-receiver-dies", 2, mortal(s, 2), then(computes, computes));
  add(kind + "-receiver-closes", 2, closing(s), then(waits, closes));
  add(kind + "-sender-abandons", 2, closing(s), then(abandons, waits));
  add(kind + "-receiver-abandons", 2, closing(s), then(waits, abandons));
}

}  // namespace

void copies(Scenarios& add) {
  const uint32_t cma_kinds = kCopyCma | kCopyPipeline;
  const Settings cma = with(Driver::Signal, cma_kinds), cma_user = with(Driver::Uintr, cma_kinds);
  add("cma-one-chunk-wait", 3, cma, one(kOne, Way::Wait, Way::Wait, true));
  add("cma-one-chunk-compute", 2, cma, one(kOne, Way::Compute, Way::Compute, true));
  add("cma-wait-wait", 2, cma, one(kSeveral, Way::Wait, Way::Wait));
  add("cma-compute-both", 2, cma, one(kSeveral, Way::Compute, Way::Compute));
  add("cma-loop-uintr", 2, cma_user, one(kSeveral, Way::Loop, Way::Loop));
  add("cma-compute-both-uintr", 2, cma_user, one(kSeveral, Way::Compute, Way::Compute));
  add("cma-allocate", 2, cma, allocate(Way::Loop, 2));
  untimely_ends(add, "cma", cma, {}, {});
  Settings refused = cma, replaced = cma;
  refused.refuses = true;
  add("cma-refused-one-chunk", 2, refused, one(kOne, Way::Wait, Way::Compute, true));
  add("cma-refused", 3, refused, one(kSeveral, Way::Wait, Way::Wait));
  add("cma-refused-compute", 2, refused, one(kSeveral, Way::Compute, Way::Compute));
  // A rank that executes another program is gone, though its pid is not.
  replaced.executes = true;
  for (uint32_t who : {1u, 2u}) {
    const std::string name = who == 1 ? "-sender-executes" : "-receiver-executes";
    add("cma-one-chunk" + name, 2, mortal(replaced, who), one(kOne, Way::Wait, Way::Compute, true));
    add("cma" + name, 2, mortal(replaced, who), one(kSeveral, Way::Compute, Way::Wait));
  }

  // The heap, where both buffers lie there, or one.
  untimely_ends(add, "heap", heap, {.in_heap = true}, {.in_heap = true});

  // What each end has on the other's buffers.
  auto mixed = [&](const std::string& name, uint32_t sender, uint32_t receiver, bool sends_heap, bool receives_heap) {
    Settings s = signal;
    s.kinds_of[0] = sender | kCopyPipeline;
    s.kinds_of[1] = receiver | kCopyPipeline;
    auto talk = [=](Way first, Way second) {
      return [=](Rank& r) {
        r.rank() == 0 ? r.isend(1, kSeveral, {.in_heap = sends_heap})
                      : r.irecv(0, kSeveral, {.in_heap = receives_heap});
        pass(r, r.rank() == 0 ? first : second);
        r.finish();
      };
    };
    add("mixed-" + name + "-wait-compute", 2, s, talk(Way::Wait, Way::Compute));
    add("mixed-" + name + "-compute-wait", 2, s, talk(Way::Compute, Way::Wait));
    add("mixed-" + name + "-compute-both", 2, s, talk(Way::Compute, Way::Compute));
  };
  mixed("cma-none", kCopyCma, 0, false, false);
  mixed("none-cma", 0, kCopyCma, false, false);
  mixed("cma-heap", kCopyCma, kCopyHeap, true, false);
  mixed("heap-cma", kCopyHeap, kCopyCma, false, true);
  mixed("heap-none", kCopyHeap, 0, true, false);  // in the wrong one
  mixed("none-heap", 0, kCopyHeap, true, true);
}

}  // namespace simulator
