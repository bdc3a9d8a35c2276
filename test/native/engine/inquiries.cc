// What the layers above ask of an engine, and tell it beforehand: true at any moment, and without consequence.
// sources: src-native/engine/*.cc
#include <algorithm>

#include "world.h"

using namespace test;

namespace {

constexpr uint64_t kLarge = 1000000;

// The states of a rank's requests, in the order of their slots.
std::vector<RequestView::State> states(Rank& r) {
  std::vector<RequestView::State> all;
  r->each_request([](void* to, const RequestView& v) { static_cast<decltype(all)*>(to)->push_back(v.state); }, &all);
  return all;
}
using State = RequestView::State;
using States = std::vector<State>;

}  // namespace

TEST("01 what is announced need not come, and may come to nobody") {
  World w;
  for (uint32_t peer : {0u, 1u, 2u, kNone}) {
    w[0]->about_to_send(peer);
    w[1]->about_to_receive(peer);
  }
  w.settle();
  CHECK_EQ(w[1].interrupted.load(), 0u);
  auto data = pattern(kLarge, 1);
  std::vector<unsigned char> in(kLarge);
  Posted r = w[1].recv(0, in.data(), in.size());
  w[0]->about_to_send(1);
  Posted s = w[0].send(1, data.data(), data.size());
  w.settle();
  CHECK(w[0].error(s) == Error::None && w[1].error(r) == Error::None && in == data);
  settle_clean(w);
}

TEST("02 what moves shows as long as it moves, and what is done until it is drained") {
  Options o;
  o.slice_bytes = 64 << 10;
  World w(o);
  auto data = pattern(kLarge, 2);
  std::vector<unsigned char> in(kLarge);
  CHECK(!w[0]->transferring() && !w[1]->transferring() && !w[1]->copying());
  const uint64_t before = w[1]->pieces_copied();
  Posted r = w[1].recv(0, in.data(), in.size());
  Posted s = w[0].send(1, data.data(), data.size());
  CHECK(w[0]->transferring());
  // One piece at a time.
  bool copied = false;
  while (w[1]->completions() == 0) {
    w[1]->progress(Effort::Call);
    w[0]->progress(Effort::Call);
    copied = copied || w[1]->copying();
    CHECK(w[1]->completions() != 0 || w[1]->transferring());
  }
  CHECK(copied && w[1]->pieces_copied() > before);
  CHECK(w[1]->completions() == 1 && w[1]->has_completions());
  CHECK_EQ(w[1]->interrupts_handled(), w[1].counters().interrupts_handled);
  w.settle();
  CHECK(w[1]->completions() == 0 && !w[1]->transferring() && !w[0]->transferring() && !w[1]->copying());
  CHECK(w[0].error(s) == Error::None && w[1].error(r) == Error::None && in == data);
}

TEST("03 a receive that waits for memory shows, until it has it") {
  Options o;
  o.heap_committable = 64 << 10;
  World w(o);
  auto data = pattern(60000, 3);
  const uint64_t held = w[1]->heap_alloc(64 << 10);
  CHECK(!w[1]->waits_for_memory());
  Posted r = w[1].recv_block(0);
  Posted s = w[0].send(1, data.data(), data.size());
  w.settle();
  CHECK(w[1]->waits_for_memory() && states(w[1]) == States{State::Stalled});
  w[1]->heap_free(held);
  w.settle();
  CHECK(!w[1]->waits_for_memory() && states(w[1]).empty() && w[1].error(r) == Error::None);
  CHECK_EQ(w[0].error(s), Error::None);
}

TEST("04 no message is taken out of matching where there is no request for it") {
  Options o;
  o.max_requests = 16;
  World w(o);
  char byte = 1, in = 0;
  std::vector<Posted> posted;
  for (;;) {
    Posted p = w[1].recv(0, &in, 1, 5);
    if (p.handle == kNoHandle) break;
    posted.push_back(p);
  }
  Posted s = w[0].send(1, &byte, 1, 6);
  w.settle();
  Envelope envelope{};
  Error error = Error::None;
  CHECK_EQ(w[1]->improbe(0, 0, 6, &envelope, &error), kNoHandle);
  CHECK_EQ(error, Error::NoMemory);
  // It is there still.
  CHECK(w[1]->cancel(posted.back().handle));
  w.settle();
  Posted r = w[1].recv(0, &in, 1, 6);
  w.settle();
  CHECK(w[1].error(r) == Error::None && in == 1 && w[0].error(s) == Error::None);
}

TEST("05 what waits for room shows, and what was taken out of matching") {
  Options o;
  o.ring_bytes = 4096;
  World w(o);
  auto data = pattern(1000, 5);
  std::vector<Posted> sent;
  for (int i = 0; i < 60; ++i) sent.push_back(w[0].send(1, data.data(), data.size()));
  CHECK(w[0].queues().queued_sends != 0);
  const States all = states(w[0]);
  CHECK(std::count(all.begin(), all.end(), State::Queued) == w[0].queues().queued_sends);
  Envelope envelope{};
  Error error = Error::None;
  Handle taken = w[1]->improbe(0, 0, kAnyTag, &envelope, &error);
  CHECK(taken != kNoHandle && states(w[1]) == States{State::Matched});
  std::vector<unsigned char> in(1000);
  std::vector<Posted> received{w[1]->imrecv(taken, in.data(), in.size(), false)};
  while (received.size() < sent.size()) received.push_back(w[1].recv(0, in.data(), in.size()));
  w.settle();
  for (const Posted& p : sent) CHECK_EQ(w[0].error(p), Error::None);
  for (const Posted& p : received) CHECK_EQ(w[1].error(p), Error::None);
  CHECK(states(w[0]).empty() && states(w[1]).empty());
}

CHECK_MAIN("inquiries")
