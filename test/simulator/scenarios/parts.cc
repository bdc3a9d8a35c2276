#include "parts.h"

namespace simulator {

using namespace uintr;

Settings with(Driver driver, uint32_t kinds) {
  Settings s;
  s.driver = driver;
  s.copy_kinds = kinds;
  return s;
}

Settings mortal(Settings s, uint32_t mask) {
  s.mortal = mask;
  return s;
}

Settings elastic(Settings s) {
  s.elastic = true;
  return mortal(s, 1);
}

Settings closing(Settings s) {
  s.closing = true;
  return s;
}

Settings three(Settings s) {
  s.ranks = 3;
  return s;
}

Settings with_turns(Settings s) {
  s.turns_cost = true;
  return s;
}

Settings with_a_ring_that_fills() {
  Settings s = with(Driver::Signal);
  s.credit_blocks = 16;
  return s;
}

void pass(Rank& r, Way way) {
  switch (way) {
    case Way::Wait:
      r.wait_all();
      break;
    case Way::Loop:
      r.loop_all();
      break;
    case Way::Compute:
      r.compute();
      break;
    case Way::Callback:
      r.compute_in_callback();
      break;
  }
}

Program one(uint64_t length, Way sender, Way receiver, bool synchronous, bool at_post) {
  return [=](Rank& r) {
    if (r.rank() == 0) {
      r.isend(1, length, {.synchronous = synchronous, .waits = at_post});
      pass(r, sender);
    } else {
      r.irecv(0, length, {.waits = at_post});
      pass(r, receiver);
    }
    r.finish();
  };
}

Program fill(Way sender, Way receiver) {
  return [=](Rank& r) {
    constexpr int kMessages = 5;  // four fill the ring
    if (r.rank() == 0) {
      for (int i = 0; i < kMessages; ++i) r.isend(1, 220);
      pass(r, sender);
    } else {
      for (int i = 0; i < kMessages; ++i) r.irecv(0, 220);
      pass(r, receiver);
    }
    r.finish();
  };
}

Program allocate(Way receiver, int messages) {
  return [=](Rank& r) {
    if (r.rank() == 0) {
      for (int i = 0; i < messages; ++i) r.isend(1, i % 2 == 0 ? kSeveral : kEager);
      r.wait_all();
    } else {
      for (int i = 0; i < messages; ++i) r.irecv(0, 0, {.allocate = true});
      pass(r, receiver);
    }
    r.finish();
  };
}

void goes_on(Rank& r, size_t) {
  r.isend(1, kEager, {.tag = 1});
  r.isend(1, kOne, {.tag = 2, .synchronous = true});
  r.wait_all();
  r.finish();
}

void takes_back(Rank& r, size_t sent) {
  r.pause();
  r.cancel(sent);
  r.isend(1, kEager, {.tag = 1});
  r.wait_all();
  r.finish();
}

}  // namespace simulator
