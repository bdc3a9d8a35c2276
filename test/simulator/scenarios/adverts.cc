// Receives that their sender matches.
#include "parts.h"

namespace simulator {

using namespace uintr;

void adverts(Scenarios& add) {
  auto two_sends = [](uint64_t first, uint64_t second, Way sender, std::function<void(Rank&)> receiver) {
    return [=](Rank& r) {
      if (r.rank() == 0) {
        r.isend(1, first, {.tag = 1});
        r.isend(1, second, {.tag = 1});
        pass(r, sender);
      } else {
        receiver(r);
      }
      r.finish();
    };
  };
  add("advert-behind-eager", 2, signal, two_sends(kEager, kSeveral, Way::Wait, [](Rank& r) {
        r.irecv(0, kSeveral, {.tag = 1});
        r.irecv(0, kSeveral, {.tag = 1});
        r.wait_all();
      }));
  add("advert-behind-wildcard", 2, signal, two_sends(kSeveral, kOne, Way::Compute, [](Rank& r) {
        r.irecv(kAnySource, kSeveral, {.tag = 1});
        r.irecv(0, kSeveral, {.tag = 1});
        r.wait_all();
      }));
  add("advert-behind-short", 2, signal, two_sends(kEager, kSeveral, Way::Wait, [](Rank& r) {
        r.irecv(0, kEager, {.tag = 1});
        r.irecv(0, kSeveral, {.tag = 1});
        r.compute();
      }));
  add("advert-reused-slot", 2, signal, two_sends(kSeveral, kSeveral, Way::Wait, [](Rank& r) {
        r.cancel(r.irecv(0, kSeveral, {.tag = 2}));
        r.test();
        r.irecv(0, kSeveral, {.tag = 1});
        r.irecv(0, kSeveral, {.tag = 1});
        r.wait_all();
      }));
  add("advert-cancelled", 2, signal, [](Rank& r) {
    if (r.rank() == 0) {
      r.isend(1, kSeveral, {.tag = 1});
    } else {
      size_t request = r.irecv(0, kSeveral, {.tag = 1});
      r.pause();
      r.cancel(request);
      r.irecv(0, kSeveral, {.tag = 1});
      r.cancel(r.irecv(0, kSeveral, {.tag = kAnyTag}));
    }
    r.wait_all();
    r.finish();
  });
  for (bool abandons : {false, true}) {
    add(abandons ? "advert-abandoned" : "advert-closed", 2, closing(signal), [=](Rank& r) {
      if (r.rank() == 0) {
        r.isend(1, kSeveral, {.tag = 1});
        r.wait_all();
        return r.finish();
      }
      r.irecv(0, kSeveral, {.tag = 1});
      r.pause();
      abandons ? r.abandon() : r.close();
    });
  }
  for (uint32_t who : {1u, 2u}) {
    add(who == 1 ? "advert-sender-dies" : "advert-receiver-dies", 2, mortal(signal, who),
        two_sends(kSeveral, kOne, Way::Compute, [](Rank& r) {
          r.irecv(0, kSeveral, {.tag = 1});
          r.irecv(0, kSeveral, {.tag = 1});
          r.compute();
        }));
  }
}

}  // namespace simulator
