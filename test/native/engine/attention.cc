// Who is told of what, and how: interrupts for ranks that compute, an eventfd
// for those that sleep, nothing for those that look by themselves.
// sources: src-native/engine/*.cc
#include <thread>

#include "world.h"

using namespace test;

namespace {

struct Told {
  uint32_t interrupts, wakes;
  bool operator==(const Told&) const = default;
};

Told take(Rank& r) { return {r.interrupted.exchange(0), r.woken.exchange(0)}; }

constexpr uint64_t kSmall = 8, kLarge = 100000;

// What rank 1, in the given state, is told of a message of this length.
Told told(Attention how, uint64_t length, bool interrupts, bool interrupt_wakes, bool receive = true) {
  Options o;
  o.interrupts = interrupts;
  o.interrupt_wakes = interrupt_wakes;
  World w(o);
  static unsigned char bytes[kLarge], other[1];
  if (receive) w[1].recv(0, other, 1, 99);
  if (how == Attention::Polling || how == Attention::Blocked) w[1]->begin_polling();
  if (how == Attention::Sleeping || how == Attention::Blocked) CHECK(w[1]->prepare_sleep(how));
  CHECK_EQ(w[1]->attention(), how);
  Posted s = w[0].send(1, bytes, length);
  CHECK(s.handle == kNoHandle || !w[0].over(s));
  return take(w[1]);
}

}  // namespace

TEST("01 the table of notices (docs/protocol.md) holds") {
  for (bool wakes : {true, false}) {
    CHECK(told(Attention::Computing, kSmall, true, wakes) == (Told{0, 0}));
    CHECK(told(Attention::Polling, kSmall, true, wakes) == (Told{0, 0}));
    CHECK(told(Attention::Sleeping, kSmall, true, wakes) == (Told{0, 1}));
    CHECK(told(Attention::Blocked, kSmall, true, wakes) == (Told{0, 1}));
    CHECK(told(Attention::Computing, kLarge, true, wakes) == (Told{1, 0}));
    CHECK(told(Attention::Polling, kLarge, true, wakes) == (Told{0, 0}));
    CHECK(told(Attention::Blocked, kLarge, true, wakes) == (Told{0, 1}));
  }
  CHECK(told(Attention::Sleeping, kLarge, true, true) == (Told{1, 0}));
  CHECK(told(Attention::Sleeping, kLarge, true, false) == (Told{1, 1}));
}

TEST("02 an envelope interrupts nobody who has no receive posted, but wakes who sleeps") {
  for (bool wakes : {true, false}) {
    CHECK(told(Attention::Computing, kLarge, true, wakes, false) == (Told{0, 0}));
    CHECK(told(Attention::Polling, kLarge, true, wakes, false) == (Told{0, 0}));
    CHECK(told(Attention::Sleeping, kLarge, true, wakes, false) == (Told{0, 1}));
    CHECK(told(Attention::Blocked, kLarge, true, wakes, false) == (Told{0, 1}));
  }
}

TEST("02 a patient receive asks for no interrupt, is matched like any other, and is not shown") {
  World w;
  unsigned char bytes[kLarge] = {1}, into[kLarge];
  Posted r = w[1]->post_recv({0, 0, 7, into, sizeof into, false, true});
  QueueView q;
  w[1]->queues(&q);
  CHECK_EQ(q.posted, 0u);
  bool shown = false;
  w[1]->each_request([](void* to, const RequestView&) { *static_cast<bool*>(to) = true; }, &shown);
  CHECK(!shown);
  Posted s = w[0].send(1, bytes, kLarge, 8);  // not its
  CHECK(take(w[1]) == (Told{0, 0}));
  // A pressing one beside it does ask.
  unsigned char other[1];
  w[1].recv(0, other, 1, 99);
  Posted s2 = w[0].send(1, bytes, kLarge, 9);
  CHECK(take(w[1]) == (Told{1, 0}));
  Posted mine = w[0].send(1, bytes, kSmall, 7);
  CHECK(mine.handle == kNoHandle);
  w[1].progress();
  CHECK(w[1].over(r));
  CHECK(!w[0].over(s) && !w[0].over(s2));
}

TEST("03 without interrupts a sleeper is woken, and a computing rank is left alone") {
  CHECK(told(Attention::Computing, kLarge, false, false) == (Told{0, 0}));
  CHECK(told(Attention::Sleeping, kLarge, false, false) == (Told{0, 1}));
  CHECK(told(Attention::Blocked, kLarge, false, false) == (Told{0, 1}));
}

TEST("04 nobody goes to sleep over something that is there already") {
  unsigned char bytes[kLarge] = {}, in[kLarge];
  for (uint64_t length : {kSmall, kLarge}) {
    for (Attention how : {Attention::Sleeping, Attention::Blocked}) {
      World w;
      w[0].send(1, bytes, length);
      w[1]->begin_polling();
      CHECK(!w[1]->prepare_sleep(how));
      CHECK_EQ(w[1]->attention(), Attention::Polling);  // back to what it was
      w[1].progress();
      CHECK(w[1]->prepare_sleep(how));
      w[1]->resume(false);
      CHECK_EQ(w[1]->attention(), Attention::Computing);
    }
  }
  // A completion that nobody has taken yet counts, too.
  World w;
  w[1].recv(0, in, kLarge);
  w[0].send(1, bytes, kSmall);
  w[1]->progress(Effort::Idle);
  CHECK(w[1]->has_completions());
  CHECK(!w[1]->prepare_sleep(Attention::Blocked));
  w[1].collect();
  CHECK(w[1]->prepare_sleep(Attention::Blocked));
}

TEST("05 a handler that finishes something for a sleeping loop wakes it") {
  World w;
  std::vector<unsigned char> out = pattern(kLarge, 4), in(kLarge);
  w[1].recv(kAnySource, in.data(), kLarge);
  CHECK(w[1]->prepare_sleep(Attention::Sleeping));
  w[0].send(1, out.data(), kLarge);
  CHECK_EQ(w[1].interrupted.load(), 1u);
  w[1].woken = 0;
  w[1].deliver();
  CHECK(w[1].woken.load() != 0);
}

TEST("06 interrupts that are needless, foreign or late do no harm") {
  World w;
  for (int i = 0; i < 100; ++i) w[1]->on_interrupt();
  std::vector<unsigned char> out = pattern(kLarge, 5), in(kLarge);
  Posted r = w[1].recv(0, in.data(), kLarge);
  Posted s = w[0].send(1, out.data(), kLarge);
  for (int i = 0; i < 100; ++i) w[i % 2]->on_interrupt();
  w.settle();
  CHECK_EQ(w[0].error(s), Error::None);
  CHECK_EQ(w[1].error(r), Error::None);
  for (int i = 0; i < 100; ++i) w[i % 2]->on_interrupt();
  CHECK(in == out);
}

TEST("07 kick interrupts and wakes those who have something of ours, whatever they seem to do") {
  Options o;
  o.size = 3;
  World w(o);
  std::vector<unsigned char> out(kLarge);
  w[0].send(1, out.data(), kLarge);
  take(w[1]);
  w[0]->kick();
  CHECK(take(w[1]).interrupts == 1);
  CHECK(take(w[2]) == (Told{0, 0}));
}

TEST("08 a rank that only an interrupt reaches, and that does not look, leaves a notice unanswered") {
  for (bool interrupts : {true, false}) {
    Options o;
    o.interrupts = interrupts;
    World w(o);
    std::vector<unsigned char> out(kLarge), in(kLarge);
    w[1].recv(0, in.data(), kLarge);
    CHECK(!w[0]->unanswered());
    w[0].send(1, out.data(), kSmall, 5);
    CHECK(!w[0]->unanswered());  // nothing of it is outstanding
    w[0].send(1, out.data(), kLarge, 5);
    CHECK_EQ(w[0]->unanswered(), interrupts);
    w[1]->begin_polling();
    CHECK(!w[0]->unanswered());
    CHECK(!w[1]->prepare_sleep(Attention::Blocked));
    w[1]->resume(false);  // looks
    CHECK(!w[0]->unanswered());
    w[0]->kick();
    CHECK_EQ(w[0]->unanswered(), interrupts);
    w[1]->on_interrupt();
    CHECK(!w[0]->unanswered());
  }
}

TEST("09 who turns from waiting to computing passes on what only it was copying") {
  World w;
  constexpr uint64_t kBytes = 16 << 20;  // more than one look copies
  std::vector<unsigned char> out = pattern(kBytes, 7), in(kBytes);
  Posted r = w[1].recv(0, in.data(), kBytes);
  w[1]->begin_polling();
  Posted s = w[0].send(1, out.data(), kBytes);
  w[1]->progress(Effort::Idle);
  CHECK(!w[1].over(r));
  w[0].interrupted = 0;
  w[1]->resume(false);
  w.handlers();
  CHECK(in == out);
  w.settle();
  CHECK_EQ(w[0].error(s), Error::None);
  CHECK_EQ(w[1].error(r), Error::None);
}

TEST("10 counters count") {
  World w;
  std::vector<unsigned char> out = pattern(kLarge, 8), in(kLarge);
  w[1].recv(kAnySource, in.data(), kLarge, 1);
  w[0].send(1, out.data(), kLarge, 1);
  w[0].send(1, out.data(), kSmall, 2);
  w.settle();
  w[1].recv(0, in.data(), kSmall, 2);
  w.settle();
  Counters a = w[0].counters(), b = w[1].counters();
  CHECK_EQ(a.sends, 2u);
  CHECK_EQ(a.bytes_sent, kLarge + kSmall);
  CHECK_EQ(a.eager_sent, 1u);
  CHECK_EQ(a.rendezvous_sent, 1u);
  CHECK(a.interrupts_posted >= 1);
  CHECK_EQ(a.interrupts_posted, a.interrupts_sent + a.interrupts_suppressed);
  CHECK_EQ(b.receives, 2u);
  CHECK_EQ(b.bytes_received, kLarge + kSmall);
  CHECK_EQ(b.unexpected, 1u);
  uint64_t runs = 0;
  for (uint64_t bucket : b.handler_cycles) runs += bucket;
  CHECK(b.interrupts_handled >= 1);
  CHECK_EQ(runs, b.interrupts_handled - b.interrupts_deferred);
}

TEST("11 each_request and queues show what is there") {
  World w;
  std::vector<unsigned char> bytes(kLarge);
  w[0].send(1, bytes.data(), kLarge, 11, 3);
  w[0].recv(1, bytes.data(), 77, 12, 4);
  w[0].recv(kAnySource, bytes.data(), 78, kAnyTag, 4);
  w[1].send(0, bytes.data(), kSmall, 13, 4);
  std::vector<RequestView> seen;
  w[0]->each_request([](void* to, const RequestView& v) { static_cast<std::vector<RequestView>*>(to)->push_back(v); },
                     &seen);
  CHECK_EQ(seen.size(), 3u);
  CHECK_EQ(seen[0].kind, RequestView::Kind::Send);
  CHECK_EQ(seen[0].state, RequestView::State::Offered);
  CHECK(seen[0].peer == 1 && seen[0].tag == 11 && seen[0].context == 3 && seen[0].length == kLarge);
  CHECK_EQ(seen[1].kind, RequestView::Kind::Receive);
  CHECK_EQ(seen[1].state, RequestView::State::Posted);
  CHECK(seen[1].peer == 1 && seen[1].tag == 12 && seen[1].context == 4 && seen[1].length == 77);
  CHECK(seen[2].peer == kAnySource && seen[2].tag == kAnyTag);
  QueueView q = w[0].queues();
  CHECK(q.posted == 2 && q.slots_used == 3 && q.queued_sends == 0);
  w[1].progress();
  CHECK_EQ(w[1].queues().unexpected_rendezvous, 1u);
}

TEST("12 a rank that computes and is about to look is not interrupted; one that is not, is") {
  std::vector<unsigned char> out = pattern(kLarge, 9), in(kLarge);
  for (bool looks : {true, false}) {
    Options o;
    o.glance_cycles = looks ? ~0ull / 2 : 1;  // until it looks, or once
    World w(o);
    Posted r = w[1].recv(kAnySource, in.data(), kLarge);
    std::atomic<bool> stop{!looks};
    std::thread asks_again([&] {
      while (!stop.load()) w[1]->progress(Effort::Call);
    });
    Posted s = w[0].send(1, out.data(), kLarge);
    CHECK_EQ(w[0].counters().interrupts_sent, looks ? 0u : 1u);
    stop = true;
    asks_again.join();
    Counters c = w[0].counters();
    CHECK_EQ(c.interrupts_posted, c.interrupts_sent + c.interrupts_suppressed);
    w.settle();
    CHECK_EQ(w[0].error(s), Error::None);
    CHECK_EQ(w[1].error(r), Error::None);
    CHECK(in == out);
  }
}

CHECK_MAIN("engine/attention")
