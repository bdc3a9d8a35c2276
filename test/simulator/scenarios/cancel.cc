// Requests that are taken back.
#include "parts.h"

namespace simulator {

using namespace uintr;

void cancel(Scenarios& add) {
  add("cancel-receive", 2, signal, [](Rank& r) {
    if (r.rank() == 0) {
      r.isend(1, kSeveral);
    } else {
      size_t request = r.irecv(0, kSeveral);
      r.test();
      r.cancel(request);
      r.wait_all();
      r.irecv(0, kSeveral);
    }
    r.wait_all();
    r.finish();
  });
  add("cancel-send", 2, signal, [](Rank& r) {
    if (r.rank() == 0) {
      size_t request = r.isend(1, kSeveral);
      r.isend(1, kEager);
      r.cancel(request);
    } else {
      r.irecv(0, kSeveral);
      r.irecv(0, kSeveral);
    }
    r.wait_all();
    r.finish();
  });
  add("cancel-send-reuse-slot", 2, signal, [](Rank& r) {
    if (r.rank() == 0) {
      r.cancel(r.isend(1, kSeveral));
      r.test();
      r.isend(1, kSeveral, {.tag = 2});
    } else {
      r.test();
      r.irecv(0, kSeveral, {.tag = kAnyTag});
    }
    r.wait_all();
    r.finish();
  });
}

}  // namespace simulator
