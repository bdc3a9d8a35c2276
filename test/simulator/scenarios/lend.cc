// Messages that are lent.
#include "parts.h"

namespace simulator {

using namespace uintr;

void lend(Scenarios& add) {
  auto lends = [](Way sender, Way receiver, bool late = false) {
    return [=](Rank& r) {
      if (r.rank() == 0) {
        r.isend(1, kSeveral, {.tag = 1, .lend = true});
        r.isend(1, kEager, {.tag = 1, .lend = true});
        pass(r, sender);
      } else {
        if (late) r.test(), r.pause();
        r.irecv(0, 0, {.tag = 1, .allocate = true});
        r.irecv(kAnySource, 0, {.tag = kAnyTag, .allocate = true});
        pass(r, receiver);
        r.release(1);
        r.pause();
        r.release();
      }
      r.finish();
    };
  };
  add("lend-wait", 2, signal, lends(Way::Wait, Way::Wait));
  add("lend-late", 2, signal, lends(Way::Wait, Way::Loop, true));
  add("lend-compute", 2, signal, lends(Way::Compute, Way::Compute));
  add("lend-loop-uintr", 2, user, lends(Way::Loop, Way::Loop));
  add("lend-poll", 2, poll, lends(Way::Wait, Way::Loop));
  Settings little = heap;
  little.heap_committable = kSeveral + 1000;
  add("lend-no-memory", 2, little, lends(Way::Loop, Way::Wait));
  for (uint32_t who : {1u, 2u}) {
    add(who == 1 ? "lend-lender-dies" : "lend-borrower-dies", 2, mortal(signal, who), lends(Way::Wait, Way::Wait));
  }
  auto lent = [](std::function<void(Rank&)> lender, std::function<void(Rank&)> borrower) {
    return [=](Rank& r) {
      if (r.rank() == 0) {
        r.isend(1, kSeveral, {.tag = 1, .lend = true});
        return lender(r);
      }
      r.irecv(0, 0, {.tag = 1, .allocate = true});
      borrower(r);
    };
  };
  auto waits = [](Rank& r) { r.wait_all(), r.finish(); };
  add("lend-to-a-buffer", 2, signal, [](Rank& r) {
    if (r.rank() == 0) {
      r.isend(1, kSeveral, {.lend = true});
      r.isend(1, kSeveral, {.lend = true});
    } else {
      r.irecv(0, kSeveral);
      r.irecv(0, 0, {.allocate = true});
    }
    r.wait_all();
    r.finish();
  });
  add("lend-cancelled", 2, signal, lent([](Rank& r) {
        r.pause();
        r.cancel(0);
        r.isend(1, kSeveral, {.tag = 1, .lend = true});
        r.wait_all();
        r.finish();
      }, waits));
  // As many as its reply ring has no room for, and then others in the same slots.
  add("lend-reply-ring-full", 1, signal, [](Rank& r) {
    for (int round = 0; round < 2; ++round) {
      for (uint32_t i = 0; i < 6; ++i) {
        if (r.rank() == 0) {
          r.isend(1, 40 + i, {.tag = i, .lend = true});
        } else {
          r.irecv(0, 0, {.tag = i, .allocate = true});
        }
      }
      if (r.rank() == 1) {
        r.wait_all();
        for (int i = 0; i < 6; ++i) r.release();
      }
      r.wait_all();
    }
    r.finish();
  });
  auto closes = [](Rank& r) { r.close(); };
  auto pauses_and_abandons = [](Rank& r) {
    r.pause();
    r.abandon();
  };
  auto keeps = [](Rank& r) {
    r.wait_all();
    r.await_end(0);
    r.release();
    r.finish();
  };
  add("lend-lender-closes", 2, closing(signal), lent(closes, keeps));
  add("lend-borrower-closes", 2, closing(signal), lent(waits, [](Rank& r) {
        r.test();
        r.close();
      }));
  add("lend-both-close", 2, closing(signal), lent(closes, closes));
  add("lend-lender-abandons", 2, closing(signal), lent(pauses_and_abandons, keeps));
  add("lend-borrower-abandons", 2, closing(signal), lent(waits, pauses_and_abandons));
}

}  // namespace simulator
