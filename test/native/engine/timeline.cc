// The timeline: its ring, with handlers that record at any instruction of the thread that records, and what the engine
// puts there.
// sources: src-native/engine/*.cc
#include "engine/trace.h"

#include <time.h>

#include "engine/core.h"
#include "signalled.h"
#include "traffic.h"

using namespace test;

namespace {

class Ring {
 public:
  explicit Ring(uint32_t capacity, bool cycles = true)
      : memory_(Trace::bytes(capacity)), trace_(reinterpret_cast<Trace*>(memory_.base())) {
    trace_->open(capacity, cycles);
  }
  Trace* operator->() const { return trace_; }
  Trace* get() const { return trace_; }

  std::vector<TraceEvent> all() const {
    std::vector<TraceEvent> events;
    TraceEvent e;
    for (uint64_t i = 0; i < trace_->count(); ++i) {
      if (trace_->read(i, &e)) events.push_back(e);
    }
    return events;
  }

 private:
  Guarded memory_;
  Trace* trace_;
};

// Every field follows from `n`.
void put(Trace* trace, uint32_t who, uint64_t n) {
  Trace::Claim c = trace->claim(TraceWhat::Copy, n * 3, who);
  c.event->handle = n, c.event->bytes = n * 5;
  c.event->tag = static_cast<uint32_t>(n), c.event->detail = ~static_cast<uint32_t>(n);
  c.event->took = n * 7;
  trace->publish(c);
}

bool whole(const TraceEvent& e) {
  const uint64_t n = e.handle;
  return e.what == TraceWhat::Copy && e.at == n * 3 && e.bytes == n * 5 && e.tag == static_cast<uint32_t>(n) &&
         e.detail == ~static_cast<uint32_t>(n) && e.took == n * 7;
}

// What the handler does meanwhile.
Trace* the_ring;
std::atomic<uint64_t> by_handler{0};
constexpr uint32_t kThread = 0, kHandler = 1;

void handler(int) {
  for (int i = 0; i < 3; ++i) put(the_ring, kHandler, by_handler.fetch_add(1, std::memory_order_relaxed));
}

// Has the handler run on this thread every 20 us. A timer rather than another thread, which would need a processor of its
// own to come in between.
timer_t begin_storm(Trace* ring) {
  the_ring = ring;
  by_handler = 0;
  struct sigaction action{};
  action.sa_handler = handler;
  sigaction(SIGURG, &action, nullptr);
  usleep(1);  // as in signalled.h
  sigevent event{};
  event.sigev_notify = SIGEV_THREAD_ID;
  event.sigev_signo = SIGURG;
  event._sigev_un._tid = gettid();
  timer_t storm;
  CHECK(timer_create(CLOCK_MONOTONIC, &event, &storm) == 0);
  const itimerspec every{{0, 20'000}, {0, 20'000}};
  CHECK(timer_settime(storm, 0, &every, nullptr) == 0);
  return storm;
}

void end_storm(timer_t storm) {
  CHECK(timer_delete(storm) == 0);
  usleep(1);  // one that was under way comes now, with ThreadSanitizer too
}

uint64_t count_of(const std::vector<TraceEvent>& events, TraceWhat what) {
  return static_cast<uint64_t>(std::count_if(events.begin(), events.end(), [&](auto& e) { return e.what == what; }));
}

}  // namespace

TEST("01 the ring keeps the latest events, and tells which it has lost") {
  Ring ring(8);
  TraceEvent e;
  CHECK(!ring->read(0, &e));
  for (uint64_t n = 0; n < 21; ++n) put(ring.get(), kThread, n);
  CHECK_EQ(ring->count(), 21u);
  for (uint64_t n = 0; n < 21; ++n) {
    CHECK_EQ(ring->read(n, &e), n >= 13);
    if (n < 13) continue;
    CHECK_EQ(e.handle, n);
    CHECK(whole(e));
  }
  CHECK(!ring->read(21, &e));
}

TEST("02 events of a thread and of handlers at any instruction of it are whole, and none is lost") {
  constexpr uint32_t kCapacity = 1 << 16;
  Ring ring(kCapacity);
  timer_t storm = begin_storm(ring.get());
  uint64_t n = 0;
  for (uint64_t seen = 0; by_handler.load() < 15000; ++n) {
    put(ring.get(), kThread, n);
    if (n % 4096 != 0) continue;
    // Read while handlers write on.
    const uint64_t count = ring->count();
    for (TraceEvent e; seen < count; ++seen) {
      if (!ring->read(seen, &e)) continue;
      CHECK(e.peer <= kHandler && whole(e));
    }
  }
  end_storm(storm);
  CHECK_EQ(ring->count(), n + by_handler.load());
  // Of what is left, each writer's follow each other without a gap.
  uint64_t next[2] = {kNone, kNone}, left = 0;
  for (const TraceEvent& e : ring.all()) {
    CHECK(whole(e));
    CHECK(next[e.peer] == kNone || e.handle == next[e.peer]);
    next[e.peer] = e.handle + 1;
    ++left;
  }
  CHECK_EQ(next[kThread], n);
  CHECK_EQ(next[kHandler], by_handler.load());
  CHECK(left == kCapacity || left == ring->count());
}

TEST("03 an event that a handler overwrites while it is read is not taken for whole") {
  Ring ring(4);
  timer_t storm = begin_storm(ring.get());
  while (by_handler.load() < 15000) {
    const uint64_t count = ring->count();
    for (uint64_t i = count < 4 ? 0 : count - 4; i < count; ++i) {
      TraceEvent e;
      // The first that was recorded is number 0.
      if (ring->read(i, &e)) CHECK(whole(e) && e.handle == i);
    }
  }
  end_storm(storm);
}

TEST("04 what two computing threads do to each other under real signals is recorded as it was counted") {
  Ring rings[2] = {Ring(1 << 15), Ring(1 << 15)};
  Counters before[2], after[2];
  Meeting recording, over;
  as_threads({}, [&](World& w, uint32_t rank) {
    before[rank] = w[rank].counters();
    w[rank]->record(rings[rank].get());
    recording.wait_for(2);
    exchange_computing(w, rank, 5);
    over.wait_for(2);
    leave();
    w[rank]->record(nullptr);
    after[rank] = w[rank].counters();
  });
  std::vector<TraceEvent> events[2] = {rings[0].all(), rings[1].all()};
  // Each message once, by whom it was counted.
  CHECK_EQ(count_of(events[0], TraceWhat::Match) + count_of(events[1], TraceWhat::Match), 10u);
  for (uint32_t rank : {0u, 1u}) {
    const std::vector<TraceEvent>& mine = events[rank];
    const Counters &b = before[rank], &a = after[rank];
    CHECK(count_of(mine, TraceWhat::Handler) != 0);
    CHECK_EQ(count_of(mine, TraceWhat::Handler), a.interrupts_handled - b.interrupts_handled);
    CHECK_EQ(count_of(mine, TraceWhat::Interrupt), a.interrupts_sent - b.interrupts_sent);
    CHECK_EQ(count_of(mine, TraceWhat::Copy), a.pieces_copied - b.pieces_copied);
    CHECK_EQ(count_of(mine, TraceWhat::Send), 5u);
    CHECK_EQ(count_of(mine, TraceWhat::Receive), 5u);
    uint64_t copied = 0, in_handler = 0, by_sender = 0;
    for (const TraceEvent& e : mine) {
      if (e.what == TraceWhat::Copy) {
        copied += e.bytes;
        for (const TraceEvent& h : mine)
          in_handler += h.what == TraceWhat::Handler && h.at <= e.at && e.at + e.took <= h.at + h.took;
      }
      if (e.what == TraceWhat::Match) {
        CHECK_EQ(e.bytes, 4u << 20);
        by_sender += std::any_of(mine.begin(), mine.end(),
                                 [&](auto& p) { return p.what == TraceWhat::Send && p.handle == e.handle; });
      }
      if (e.what == TraceWhat::Completion) {
        // It was posted before, under that name.
        CHECK(std::any_of(mine.begin(), mine.end(), [&](auto& p) {
          return (p.what == TraceWhat::Send || p.what == TraceWhat::Receive) && p.handle == e.handle && p.at <= e.at;
        }));
      }
      if (e.what == TraceWhat::Notice) {
        // The other has sent that interrupt, and before.
        CHECK(e.bytes <= e.at);
        CHECK(std::any_of(events[1 - rank].begin(), events[1 - rank].end(), [&](auto& i) {
          return i.what == TraceWhat::Interrupt && i.at == e.bytes && i.peer == rank;
        }));
      }
    }
    CHECK_EQ(by_sender, a.pushed - b.pushed);
    CHECK_EQ(count_of(mine, TraceWhat::Completion), 10u);
    CHECK_EQ(copied, a.copied_bytes[0][0] - b.copied_bytes[0][0] + a.copied_bytes[0][1] - b.copied_bytes[0][1]);
    CHECK(in_handler != 0);
  }
}

TEST("05 without a ring nothing is recorded") {
  World w;
  Ring ring(1024);
  unsigned char out[8] = {1}, in[8];
  w[0]->record(ring.get());
  w[0]->record(nullptr);
  const uint64_t count = ring->count();
  w[1].recv(0, in, sizeof in);
  w[0].send(1, out, sizeof out);
  w.settle();
  CHECK_EQ(ring->count(), count);
}

TEST("06 a wait is recorded from where it is said to go on, and so is what follows it") {
  World w;
  Ring ring(1024);
  w[0]->record(ring.get());
  auto states = [&] {
    std::vector<uint32_t> seen;
    for (const TraceEvent& e : ring.all())
      if (e.what == TraceWhat::Attention) seen.push_back(e.detail);
    return seen;
  };
  const auto computing = static_cast<uint32_t>(Attention::Computing);
  const auto polling = static_cast<uint32_t>(Attention::Polling);
  const auto blocked = static_cast<uint32_t>(Attention::Blocked);
  const auto sleeping = static_cast<uint32_t>(Attention::Sleeping);
  w[0]->begin_polling();
  w[0]->progress(Effort::Idle);
  w[0]->resume(false);
  CHECK(states() == std::vector<uint32_t>{computing});
  w[0]->begin_polling();
  for (int i = 0; i < 3; ++i) w[0]->record_turn(Attention::Polling);
  w[0]->resume(false);
  CHECK(states() == (std::vector<uint32_t>{computing, polling, computing}));
  w[0]->begin_polling();
  CHECK(w[0]->prepare_sleep(Attention::Blocked));
  w[0]->resume(true);
  w[0]->resume(false);
  CHECK(states() == (std::vector<uint32_t>{computing, polling, computing, blocked, computing}));
  // An event loop that runs JavaScript before it says so.
  CHECK(w[0]->prepare_sleep(Attention::Sleeping));
  w[0]->record_turn(Attention::Computing);
  w[0]->resume(false);
  CHECK(states() == (std::vector<uint32_t>{computing, polling, computing, blocked, computing, sleeping, computing}));
}

TEST("07 the clock without a time-stamp counter is CLOCK_MONOTONIC") {
  Ring ring(8, false);
  timespec before, after;
  clock_gettime(CLOCK_MONOTONIC, &before);
  const uint64_t now = ring->now();
  clock_gettime(CLOCK_MONOTONIC, &after);
  auto ns = [](const timespec& t) {
    return static_cast<uint64_t>(t.tv_sec) * 1'000'000'000 + static_cast<uint64_t>(t.tv_nsec);
  };
  CHECK(ns(before) <= now && now <= ns(after));
}

TEST("08 an interrupt is noticed once") {
  World w;
  Ring rings[2] = {Ring(1024), Ring(1024)};
  for (uint32_t rank : {0u, 1u}) w[rank]->record(rings[rank].get());
  std::vector<unsigned char> out(100000, 1), in(100000);
  w[1].recv(kAnySource, in.data(), in.size());
  w[0].send(1, out.data(), out.size());
  CHECK_EQ(count_of(rings[0].all(), TraceWhat::Interrupt), 1u);
  CHECK(w[1].deliver());
  w[1].progress();
  w[1].progress();
  CHECK_EQ(count_of(rings[1].all(), TraceWhat::Handler), 1u);
  CHECK_EQ(count_of(rings[1].all(), TraceWhat::Notice), 1u);
}

TEST("09 a match is recorded by whoever made it, after the post and before what it led to") {
  for (bool advertised : {true, false}) {
    World w;
    Ring rings[2] = {Ring(1024), Ring(1024)};
    for (uint32_t rank : {0u, 1u}) w[rank]->record(rings[rank].get());
    std::vector<unsigned char> out(20000, 1), in(20001);
    Posted r = w[1].recv(advertised ? 0 : kAnySource, in.data(), in.size(), 7);
    Posted s = w[0].send(1, out.data(), out.size(), 7);
    w.settle();
    const uint32_t who = advertised ? 0 : 1;
    std::vector<TraceWhat> order;
    for (const TraceEvent& e : rings[who].all()) {
      if (e.what != TraceWhat::Send && e.what != TraceWhat::Receive && e.what != TraceWhat::Match &&
          e.what != TraceWhat::Copy && e.what != TraceWhat::Completion)
        continue;
      order.push_back(e.what);
      CHECK_EQ(e.handle, advertised ? s.handle : r.handle);
      CHECK_EQ(e.tag, 7u);
      if (e.what == TraceWhat::Match || e.what == TraceWhat::Copy) CHECK_EQ(e.peer, 1 - who);
      CHECK_EQ(e.bytes, e.what == TraceWhat::Receive ? in.size() : out.size());
    }
    CHECK(order == (std::vector<TraceWhat>{advertised ? TraceWhat::Send : TraceWhat::Receive, TraceWhat::Match,
                                           TraceWhat::Copy, TraceWhat::Completion}));
    const std::vector<TraceEvent> others = rings[1 - who].all();
    CHECK_EQ(count_of(others, TraceWhat::Match), 0u);
    CHECK_EQ(count_of(others, TraceWhat::Copy), 0u);
    CHECK_EQ(count_of(others, TraceWhat::Completion), 1u);
  }
}

TEST("10 a wait that copies is recorded from its first copy on") {
  World w;
  Ring ring(1024);
  w[0]->record(ring.get());
  std::vector<unsigned char> out(20000, 1), in(20000);
  w[0].recv(kAnySource, in.data(), in.size());
  w[0]->begin_polling();
  w[1].send(0, out.data(), out.size());
  w[0].progress();
  w[0]->resume(false);
  std::vector<TraceEvent> seen;
  for (const TraceEvent& e : ring.all())
    if (e.what == TraceWhat::Attention || e.what == TraceWhat::Copy) seen.push_back(e);
  CHECK_EQ(seen.size(), 4u);
  CHECK(seen[1].what == TraceWhat::Attention && seen[1].detail == static_cast<uint32_t>(Attention::Polling));
  CHECK(seen[2].what == TraceWhat::Copy && seen[2].at == seen[1].at);
  CHECK(seen[3].what == TraceWhat::Attention && seen[3].at >= seen[2].at + seen[2].took);
}

TEST("11 short messages that are alike and follow each other at once are counted, the more the longer that goes on") {
  World w;
  Ring ring(1024, false);
  w[0]->record(ring.get());
  auto sends = [&] {
    std::vector<uint64_t> counts;
    for (const TraceEvent& e : ring.all())
      if (e.what == TraceWhat::Send) counts.push_back(e.took);
    return counts;
  };
  auto send = [&](uint64_t length, uint32_t tag) {
    core(w[0].engine)->trace_short(TraceWhat::Send, 1, 0, tag, length);
  };
  // Nothing comes in between but, at most, another process; none is lost.
  for (int i = 0; i < 1000; ++i) send(1, 0);
  const std::vector<uint64_t> quick = sends();
  CHECK_EQ(quick[0], 1u);
  CHECK_EQ(*std::max_element(quick.begin(), quick.end()), 8u);
  uint64_t all = 0;
  for (uint64_t n : quick) all += n;
  CHECK_EQ(all, 1000u);
  // What differs, or comes after something else, stands by itself.
  send(2, 0);
  send(2, 5);
  w[0]->record_turn(Attention::Polling);
  send(2, 5);
  CHECK_EQ(sends().size(), quick.size() + 3);
  // After a pause, too.
  for (int i = 0; i < 20; ++i) {
    for (uint64_t begin = ring->now(); ring->now() - begin < 100000;) {
    }
    send(2, 5);
  }
  CHECK_EQ(sends().size(), quick.size() + 23);
}

CHECK_MAIN("engine/timeline")
