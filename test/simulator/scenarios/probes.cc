// Messages that are looked for, and matched before they are received.
#include "parts.h"

namespace simulator {

using namespace uintr;

void probes(Scenarios& add) {
  // A probe waits, while an envelope may interrupt its rank because of another receive.
  auto probed = [](uint64_t length) {
    return [=](Rank& r) {
      if (r.rank() == 0) {
        r.isend(1, length, {.tag = 1, .synchronous = true});
        r.wait_all();
        r.isend(1, length, {.tag = 2});
        r.wait_all();
      } else {
        r.irecv(0, length, {.tag = 2});
        if (!r.await_message(kAnySource, 1)) r.machine().fail("a probe was not told of its message");
        r.irecv(0, length, {.tag = 1});
        r.wait_all();
      }
      r.finish();
    };
  };
  add("probe-chunks", 2, signal, probed(kSeveral));
  add("probe-chunks-uintr", 2, user, probed(kSeveral));
  add("probe-eager", 2, signal, probed(kEager));
  add("probe-poll", 2, poll, probed(kSeveral));
  // A message is matched first and received later, while its sender goes on, takes it back, or ends.
  auto matched = [](uint64_t length, std::function<void(Rank&, size_t)> sender) {
    return [=](Rank& r) {
      if (r.rank() == 0) {
        sender(r, r.isend(1, length, {.tag = 1}));
        return;
      }
      r.await_message(0, 1);
      size_t first = r.improbe(kAnySource, 1);
      r.irecv(kAnySource, length, {.tag = kAnyTag});
      r.pause();
      if (first != Rank::kNothing) r.imrecv(first);
      r.wait_all();
      r.finish();
    };
  };
  add("mprobe-chunks", 2, signal, matched(kSeveral, goes_on));
  add("mprobe-eager", 2, signal, matched(kEager, goes_on));
  add("mprobe-cancelled", 2, signal, matched(kSeveral, takes_back));
  add("mprobe-sender-abandons", 2, closing(signal), matched(kSeveral, [](Rank& r, size_t) {
        r.pause();
        r.abandon();
      }));
  add("mprobe-sender-dies", 2, mortal(signal, 1), matched(kSeveral, goes_on));
  add("mprobe-never-received", 2, closing(signal), [](Rank& r) {
    if (r.rank() == 0) {
      r.isend(1, kSeveral, {.tag = 1});
      r.isend(1, kEager, {.tag = 1});
      r.wait_all();
      r.finish();
    } else {
      for (int i = 0; i < 2; ++i) {
        r.await_message(0, 1);
        r.improbe(0, 1);
      }
      r.close();
    }
  });
}

}  // namespace simulator
