// Too much at once: no credit, no room in a ring.
#include "parts.h"

namespace simulator {

using namespace uintr;

void flow(Scenarios& add) {
  Settings tight = signal;
  tight.credit_blocks = 1;
  add("no-credit", 2, tight, [](Rank& r) {
    if (r.rank() == 0) {
      for (int i = 0; i < 3; ++i) r.isend(1, kEager);
      r.wait_all();
    } else {
      for (int i = 0; i < 3; ++i) r.irecv(0, kEager);
      r.wait_all();
    }
    r.finish();
  });
  add("ring-full-wait", 2, full, fill(Way::Wait, Way::Wait));
  Settings full_user = full, full_pipeline = full;
  full_user.driver = Driver::Uintr;
  full_pipeline.copy_kinds = kCopyPipeline;
  add("ring-full-loop-uintr", 2, full_user, fill(Way::Loop, Way::Loop));
  add("ring-full-computing-sender", 2, full, fill(Way::Compute, Way::Wait));
  add("ring-full-computing-receiver", 2, full, fill(Way::Wait, Way::Compute));
  add("ring-full-pause", 2, full, [](Rank& r) {
    if (r.rank() == 0) {
      r.irecv(1, 0, {.tag = 2});  // once all receives are posted, or these would take messages out one by one
      r.wait_all();
      for (int i = 0; i < 4; ++i) r.isend(1, 220);
      r.pause();  // the consumer may come in just where the ring is full
      r.isend(1, 220);
      r.compute();
    } else {
      for (int i = 0; i < 5; ++i) r.irecv(0, 220);
      r.isend(0, 0, {.tag = 2});
      r.wait_all();
    }
    r.finish();
  });
  add("pipeline-behind-queue", 2, full_pipeline, [](Rank& r) {
    if (r.rank() == 0) {
      r.isend(1, kSeveral, {.tag = 1});
      for (int i = 0; i < 5; ++i) r.isend(1, 220, {.tag = 2});
    } else {
      r.irecv(0, kSeveral, {.tag = 1});
      for (int i = 0; i < 5; ++i) r.irecv(0, 220, {.tag = 2});
    }
    r.wait_all();
    r.finish();
  });
}

}  // namespace simulator
