// Receives without a buffer, and memory that is not there.
#include "parts.h"

namespace simulator {

using namespace uintr;

void memory(Scenarios& add) {
  Settings no_memory = signal;
  no_memory.heap_committable = 4096;
  add("allocate-wait", 2, signal, allocate(Way::Wait, 2));
  add("allocate-compute", 2, signal, allocate(Way::Compute, 2));
  add("allocate-no-memory", 2, no_memory, allocate(Way::Compute, 3));
  add("allocate-loop-uintr", 2, user, allocate(Way::Loop, 2));
  Settings little = signal;
  little.heap_bytes = little.heap_committable = 2048;
  add("allocate-memory-comes-back", 2, little, [](Rank& r) {
    if (r.rank() == 0) {
      r.isend(1, 3 * kSeveral, {.tag = 1});
      r.isend(1, 2 * kSeveral, {.tag = 2});
    } else {
      r.irecv(0, 2 * kSeveral, {.tag = 2, .in_heap = true});  // its buffer is what leaves no room
      r.irecv(0, 0, {.tag = 1, .allocate = true});
    }
    if (!r.wait_all()) r.machine().fail("memory came back, and nothing went on");
    r.finish();
  });
  // A receive that nobody gives memory is given up, while its sender goes on,
  // takes the message back, or ends.
  Settings none = signal;
  none.heap_committable = 0;
  auto given_up = [](uint64_t length, std::function<void(Rank&, size_t)> sender, bool all = false) {
    return [=](Rank& r) {
      if (r.rank() == 0) {
        sender(r, r.isend(1, length, {.tag = 1}));
        return;
      }
      size_t first = r.irecv(0, 0, {.tag = kAnyTag, .allocate = true});
      r.irecv(kAnySource, length, {.tag = 2});
      r.test();
      r.pause();
      if (!r.give_up(first)) {
        r.wait_one(first);
        r.give_up(first);
      }
      r.irecv(kAnySource, length, {.tag = kAnyTag});
      if (all) r.irecv(kAnySource, length, {.tag = kAnyTag});  // what came after it is received after it
      r.wait_all();
      r.finish();
    };
  };
  add("give-up-chunks", 2, none, given_up(kSeveral, goes_on));
  add("give-up-order", 2, none, given_up(kSeveral, goes_on, true));
  add("give-up-eager", 2, none, given_up(kEager, goes_on));
  add("give-up-cancelled", 2, none, given_up(kSeveral, takes_back));
  add("give-up-sender-abandons", 2, closing(none), given_up(kSeveral, [](Rank& r, size_t) {
        r.pause();
        r.abandon();
      }));
  add("give-up-sender-closes", 2, closing(none), given_up(kSeveral, [](Rank& r, size_t) { r.close(); }));
  add("give-up-sender-dies", 2, mortal(none, 1), given_up(kSeveral, goes_on));
}

}  // namespace simulator
