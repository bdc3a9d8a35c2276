// Collective operations: schedules of rounds that whoever runs the engine
// carries on.
// sources: src-native/engine/*.cc
#include <algorithm>
#include <deque>
#include <thread>

#include "signalled.h"

using namespace test;

namespace {

constexpr uint32_t kContext = 5;
constexpr uint32_t kSumI32 = 5 * 16, kProdI64 = 7 * 16 + 1;

thread_local uint64_t reduced;  // elements, in this handler run

void reduce(uint32_t kind, void* inout, const void* in, uint64_t elements) {
  reduced += elements;
  if (kind == kSumI32) {
    auto* to = static_cast<int32_t*>(inout);
    auto* from = static_cast<const int32_t*>(in);
    for (uint64_t i = 0; i < elements; ++i) to[i] += from[i];
  } else {
    CHECK_EQ(kind, kProdI64);
    auto* to = static_cast<int64_t*>(inout);
    auto* from = static_cast<const int64_t*>(in);
    for (uint64_t i = 0; i < elements; ++i) to[i] *= from[i];
  }
}

using Bytes = std::vector<unsigned char>;
using Kind = ScheduleStep::Kind;

// What one rank is to do.
struct Collective {
  explicit Collective(uint32_t tag = 7) {
    schedule.context = kContext;
    schedule.tag = tag;
  }
  void send(uint32_t peer, const void* from, uint64_t n) { add({Kind::Send, peer, nullptr, at(from), n, 0, 0}); }
  void receive(uint32_t peer, void* to, uint64_t n) { add({Kind::Receive, peer, at(to), nullptr, n, 0, 0}); }
  // What comes has to be `expected`.
  void hear(uint32_t peer, void* to, uint64_t room, const void* expected, uint32_t n) {
    add({Kind::Receive, peer, at(to), at(expected), room, 0, n});
  }
  void copy(void* to, const void* from, uint64_t n) { add({Kind::Copy, 0, at(to), at(from), n, 0, 0}); }
  void reduce(uint32_t kind, void* to, const void* from, uint64_t n) {
    add({Kind::Reduce, 0, at(to), at(from), n, kind, 0});
  }
  void end() { add({Kind::End, 0, nullptr, nullptr, 0, 0, 0}); }

  Posted post(Rank& rank) {
    schedule.steps = steps.data();
    schedule.count = static_cast<uint32_t>(steps.size());
    return posted = rank->post_schedule(&schedule);
  }

  Schedule schedule{};
  std::vector<ScheduleStep> steps;
  Posted posted{};

 private:
  void add(const ScheduleStep& step) { steps.push_back(step); }
  static unsigned char* at(const void* p) { return static_cast<unsigned char*>(const_cast<void*>(p)); }
};

// Each rank's block comes to all: in round k what came in round k - 1 goes on to
// the right (Thakur, Rabenseifner, Gropp 2005, "ring").
struct Ring {
  Ring(World& w, uint64_t block, uint32_t tag = 7) : world(w), length(block), tag(tag) {
    for (uint32_t r = 0; r < w.size(); ++r) {
      all.emplace_back(block * w.size() + 1, static_cast<unsigned char>(0xee));
      own.push_back(pattern(block, tag * 50 + r));
      each.emplace_back(tag);
    }
    for (uint32_t r = 0; r < w.size(); ++r) {
      each[r].copy(&all[r][block * r], own[r].data(), block);
      for (uint32_t k = 0, size = w.size(); k + 1 < size; ++k) {
        each[r].receive((r + size - 1) % size, &all[r][block * ((r + 2 * size - k - 1) % size)], block);
        each[r].send((r + 1) % size, &all[r][block * ((r + size - k) % size)], block);
        each[r].end();
      }
    }
  }
  void post(uint32_t rank) { each[rank].post(world[rank]); }
  void post() {
    for (uint32_t r = 0; r < world.size(); ++r) post(r);
  }
  bool complete(uint32_t r) {
    for (uint32_t k = 0; k < world.size(); ++k)
      if (!std::equal(own[k].begin(), own[k].end(), &all[r][length * k])) return false;
    return all[r].back() == 0xee;
  }
  void check() {
    for (uint32_t r = 0; r < world.size(); ++r) {
      world[r].collect();
      CHECK_EQ(world[r].error(each[r].posted), Error::None);
      CHECK(complete(r));
    }
  }

  World& world;
  const uint64_t length;
  const uint32_t tag;
  std::vector<Bytes> all, own;
  std::vector<Collective> each;
};

Options options(uint32_t size, uint32_t kinds = kCopyDirect) {
  Options o;
  o.size = size;
  o.copy_kinds = kinds;
  o.reduce = &reduce;
  return o;
}

#if defined(__SANITIZE_THREAD__) || defined(__SANITIZE_ADDRESS__)
constexpr uint64_t kLong = 300000;  // several chunks, and not for ever
constexpr int kEach = 3;            // of the stages
#else
constexpr uint64_t kLong = 700000;
constexpr int kEach = 1;
#endif
constexpr uint64_t kLengths[] = {0, 1, 1024, 1025, 70000, kLong};
constexpr uint32_t kKinds[] = {kCopyDirect, kCopyCma, kCopyPipeline};

}  // namespace

TEST("01 rounds of messages, eager and rendezvous, by every way to copy") {
  for (uint32_t kinds : kKinds) {
    for (uint32_t size : {2u, 3u, 5u}) {
      for (uint64_t length : kLengths) {
        World w(options(size, kinds));
        Ring ring(w, length);
        ring.post();
        w.settle();
        ring.check();
        check_clean(w);
        CHECK_EQ(w[0].counters().schedules, 1u);
      }
    }
  }
}

TEST("02 handlers alone carry it through on ranks that compute") {
  for (uint32_t kinds : kKinds) {
    for (uint32_t size : {2u, 3u, 5u}) {
      for (uint64_t length : kLengths) {
        World w(options(size, kinds));
        Ring ring(w, length);
        ring.post();
        w.handlers();
        for (uint32_t r = 0; r < size; ++r) CHECK(w[r]->has_completions());
        ring.check();
        w.settle();
        check_clean(w);
      }
    }
  }
}

TEST("03 several at once do not mix, whatever the order in which ranks come to them") {
  World w(options(3));
  std::deque<Ring> rings;
  for (uint32_t i = 0; i < 6; ++i) rings.emplace_back(w, kLengths[i], 100 + i);
  for (uint32_t r = 0; r < 3; ++r) {
    for (Ring& ring : rings) ring.post(r);
    w.handlers();
  }
  w.settle();
  for (Ring& ring : rings) ring.check();
  check_clean(w);
}

TEST("04 local operations run in order, before the messages of their round and after those of the last") {
  for (uint64_t elements : {1ull, 100ull, 30000ull}) {
    World w(options(4));
    uint64_t bytes = elements * 4;
    std::vector<std::vector<int32_t>> value(4), scratch(4);
    std::vector<Collective> each(4);
    for (uint32_t r = 0; r < 4; ++r) {
      value[r].assign(elements, 1 << (8 * r));
      scratch[r].resize(elements);
      for (uint32_t mask : {1u, 2u}) {  // recursive doubling
        each[r].receive(r ^ mask, scratch[r].data(), bytes);
        each[r].send(r ^ mask, value[r].data(), bytes);
        each[r].end();
        each[r].reduce(kSumI32, value[r].data(), scratch[r].data(), bytes);
      }
      each[r].copy(scratch[r].data(), value[r].data(), bytes);
      each[r].reduce(kSumI32, scratch[r].data(), scratch[r].data(), bytes);
    }
    for (uint32_t r = 0; r < 4; ++r) each[r].post(w[r]);
    w.handlers();
    for (uint32_t r = 0; r < 4; ++r) {
      CHECK(w[r]->has_completions());
      CHECK(value[r] == std::vector<int32_t>(elements, 0x01010101));
      CHECK(scratch[r] == std::vector<int32_t>(elements, 0x02020202));
    }
    w.settle();
    check_clean(w);
  }
}

TEST("05 a rank that computes interrupts itself for what one run has left, and a run is bounded") {
  World w(options(2));
  std::vector<int64_t> a(1 << 20, 3), b(1 << 20, 5);
  Bytes from = pattern(9 << 20, 1), to(9 << 20);
  Collective c;
  c.reduce(kProdI64, a.data(), b.data(), a.size() * 8);
  c.copy(to.data(), from.data(), to.size());
  uint64_t most_reduced = 0;
  reduced = 0;
  c.post(w[0]);
  uint32_t runs = 0;
  do {
    most_reduced = std::max(most_reduced, reduced);
    reduced = 0;
    ++runs;
  } while (w[0].deliver());
  CHECK(w[0]->has_completions());
  CHECK(std::all_of(a.begin(), a.end(), [](int64_t value) { return value == 15; }));
  CHECK(to == from);
  CHECK(runs >= 10);
  CHECK(most_reduced * 8 <= 1 << 20);
  w[0].collect();
  CHECK_EQ(w[0].error(c.posted), Error::None);
}

TEST("06 one that polls or falls asleep is not interrupted by itself, and sleeps over nothing") {
  World w(options(2));
  Bytes from = pattern(9 << 20, 1), to(9 << 20);
  Collective c;
  c.copy(to.data(), from.data(), to.size());
  w[0]->begin_polling();
  c.post(w[0]);
  CHECK_EQ(w[0].interrupted.load(), 0u);
  CHECK(!w[0]->prepare_sleep(Attention::Blocked));
  CHECK_EQ(w[0].interrupted.load(), 0u);
  CHECK(w[0]->progress(Effort::Idle));
  w[0]->resume(false);  // turns to computing
  CHECK(w[0].interrupted.load() != 0);
  while (w[0].deliver()) {
  }
  CHECK(w[0]->has_completions());
  CHECK(to == from);
  // Without interrupts its calls alone bring it on.
  Options o = options(2);
  o.interrupts = false;
  World poll(o);
  Collective d;
  Bytes again(to.size());
  d.copy(again.data(), from.data(), again.size());
  d.post(poll[0]);
  CHECK_EQ(poll[0].interrupted.load(), 0u);
  CHECK(!poll[0]->prepare_sleep(Attention::Sleeping));
  while (!poll[0]->has_completions()) CHECK(poll[0]->progress(Effort::Call) || poll[0]->has_completions());
  CHECK(again == from);
}

TEST("07 a copy whose ends overlap moves the bytes that were there") {
  World w(options(1));
  for (uint64_t length : {1ull, 7ull, 100ull, 5000ull}) {
    for (int64_t apart : {-3000, -100, -9, -1, 0, 1, 8, 77, 4999, 6000}) {
      Bytes bytes = pattern(20000, 3), expected = bytes;
      std::memmove(&expected[8000 + apart], &expected[8000], length);
      Collective c;
      c.copy(&bytes[static_cast<size_t>(8000 + apart)], &bytes[8000], length);
      c.post(w[0]);
      w.settle();
      CHECK_EQ(w[0].error(c.posted), Error::None);
      CHECK(bytes == expected);
    }
  }
}

TEST("08 a peer that dies at any step fails it, or it was through without") {
  uint32_t failed = 0;
  for (uint32_t kinds : kKinds) {
    for (uint64_t length : {uint64_t{100}, uint64_t{70000}, kLong}) {
      for (int stage = 0; stage < 14; stage += kEach) {
        World w(options(3, kinds));
        Ring ring(w, length);
        for (uint32_t r = 0; r < 3; ++r) {
          if (stage > static_cast<int>(r)) ring.post(r);
        }
        for (int i = 3; i < stage; ++i) w[static_cast<uint32_t>(i) % 3].deliver();
        for (uint32_t r : {1u, 2u}) w[r]->peer_gone(0, Cause::Killed);
        w.settle(0);
        for (uint32_t r : {1u, 2u}) {
          if (stage <= static_cast<int>(r)) {
            ring.post(r);
            w.settle(0);
          }
        }
        // 2 may have failed without 1 knowing: then it is told, and gives up.
        for (uint32_t r : {1u, 2u}) {
          if (!w[r].over(ring.each[r].posted)) CHECK(w[r]->cancel(ring.each[r].posted.handle));
          w.settle(0);
          Completion c = w[r].outcome(ring.each[r].posted);
          if (c.error == Error::None || c.error == Error::Cancelled) continue;
          CHECK_EQ(c.error, Error::PeerExited);
          CHECK_EQ(c.cause, Cause::Killed);
          CHECK_EQ(c.source, 0u);
          ++failed;
        }
        for (uint32_t r : {1u, 2u}) {
          if (w[r].error(ring.each[r].posted) == Error::None) CHECK(ring.complete(r));
          Bytes all = ring.all[r];
          std::fill(ring.all[r].begin(), ring.all[r].end(), 0x11);
          w.settle(0);
          CHECK(ring.all[r] == Bytes(all.size(), 0x11));
          CHECK_EQ(w[r].queues().slots_used, 0u);
        }
      }
    }
  }
  CHECK(failed > 10);
}

TEST("09 one that is cancelled at any step lets go of its buffers before it ends, and so do the others") {
  for (uint32_t kinds : kKinds) {
    for (uint64_t length : {uint64_t{100}, uint64_t{70000}, kLong}) {
      for (int stage = 0; stage < 14; stage += kEach) {
        World w(options(2, kinds));
        Ring ring(w, length);
        ring.post(0);
        if (stage > 0) ring.post(1);
        for (int i = 1; i < stage; ++i) w[static_cast<uint32_t>(i) % 2].deliver();
        bool cancelled = w[0]->cancel(ring.each[0].posted.handle);
        CHECK(!w[0]->cancel(ring.each[0].posted.handle));
        if (stage == 0) ring.post(1);
        w.settle();
        CHECK_EQ(w[0].error(ring.each[0].posted), cancelled ? Error::Cancelled : Error::None);
        if (!w[1].over(ring.each[1].posted)) w[1]->cancel(ring.each[1].posted.handle);
        w.settle();
        Error other = w[1].error(ring.each[1].posted);
        CHECK(other == Error::None || other == Error::Cancelled);
        for (uint32_t r : {0u, 1u}) std::fill(ring.all[r].begin(), ring.all[r].end(), 0x11);
        w.settle();
        for (uint32_t r : {0u, 1u}) CHECK(ring.all[r] == Bytes(ring.all[r].size(), 0x11));
        check_clean(w);
      }
    }
  }
}

TEST("10 ranks that do not agree on a length are told, short or long, early or late") {
  for (uint64_t sent : {0ull, 99ull, 101ull, 1500ull, 70000ull}) {
    for (uint64_t length : {100ull, 60000ull}) {
      for (bool early : {false, true}) {
        World w(options(2));
        Bytes out(sent, 1), in(length, 2);
        Collective sender, receiver;
        sender.send(1, out.data(), sent);
        receiver.end();
        receiver.receive(0, in.data(), length);
        if (early) receiver.post(w[1]);
        sender.post(w[0]);
        if (!early) receiver.post(w[1]);
        w.settle();
        Completion c = w[1].outcome(receiver.posted);
        CHECK_EQ(c.error, Error::Mismatch);
        CHECK_EQ(c.source, 0u);
        CHECK_EQ(c.tag, 1u);
        CHECK_EQ(c.length, sent);
        CHECK_EQ(w[0].error(sender.posted), Error::None);
        check_clean(w);
      }
    }
  }
}

TEST("11 what has to come is compared with what does come, by every way to send it") {
  for (uint32_t length : {1u, 100u, kMostCompared}) {
    for (uint32_t differs : {kNone, 0u, length - 1}) {
      for (bool eager : {false, true}) {
        for (bool early : {false, true}) {
          Options o = options(2);
          o.eager_limit = eager ? 1024 : 0;
          World w(o);
          Bytes expected = pattern(length, 3), out = expected, in(600);
          if (differs != kNone) out[differs] ^= 1;
          Collective sender, receiver;
          sender.send(1, out.data(), length);
          receiver.hear(0, in.data(), in.size(), expected.data(), length);
          if (early) receiver.post(w[1]);
          sender.post(w[0]);
          if (!early) receiver.post(w[1]);
          w.settle();
          CHECK_EQ(w[1].error(receiver.posted), differs == kNone ? Error::None : Error::Mismatch);
          CHECK(std::equal(out.begin(), out.end(), in.begin()));  // what did come can be told
          CHECK_EQ(w[0].error(sender.posted), Error::None);
          check_clean(w);
        }
      }
    }
  }
}

TEST("12 one that finds no slots, or no memory for a ring, does not begin, and leaves nothing") {
  Options o = options(2);
  o.max_requests = 16;
  World w(o);
  Bytes bytes(64);
  Collective wide;
  for (uint32_t i = 0; i < 16; ++i) wide.receive(1, &bytes[i], 1);
  Collective widest = wide;
  widest.schedule.tag = 8;
  CHECK_EQ(wide.post(w[0]).completion.error, Error::NoMemory);
  CHECK_EQ(w[0].queues().slots_used, 0u);
  wide = Collective();
  for (uint32_t i = 0; i < 15; ++i) wide.receive(1, &bytes[i], 1);
  CHECK(wide.post(w[0]).handle != kNoHandle);
  CHECK_EQ(w[0].queues().slots_used, 16u);
  CHECK_EQ(widest.post(w[0]).completion.error, Error::NoMemory);
  CHECK(w[0]->cancel(wide.posted.handle));
  w.settle();
  check_clean(w);
  o.ring_committable = false;
  World none(o);
  Collective sends;
  sends.send(1, bytes.data(), 1);
  CHECK_EQ(sends.post(none[0]).completion.error, Error::NoMemory);
  check_clean(none);
}

TEST("13 a round waits for slots whose replies found no room, and goes on with them") {
  Options o = options(2);
  o.max_requests = 1024;
  o.ring_bytes = 65536;  // all the envelopes at once
  World w(o);
  constexpr uint32_t kRounds = 700;
  std::vector<unsigned char> out(kRounds), in(kRounds);
  Collective c;
  for (uint32_t i = 0; i < kRounds; ++i) {
    out[i] = static_cast<unsigned char>(i * 7);
    c.receive(0, &in[i], 1);
    c.end();
    w[0].engine->post_send({1, kContext, 7, &out[i], 1, true});
  }
  c.post(w[1]);
  for (int i = 0; i < 50; ++i) w[1].progress();  // its peer takes no reply
  CHECK(!w[1].over(c.posted));
  w.settle();
  CHECK_EQ(w[1].error(c.posted), Error::None);
  CHECK(in == out);
  check_clean(w);
}

TEST("14 close and abandon end it at every step") {
  for (bool close : {false, true}) {
    for (uint32_t kinds : kKinds) {
      for (uint64_t length : {uint64_t{100}, kLong}) {
        for (int stage = 0; stage < 12; stage += kEach) {
          World w(options(2, kinds));
          Ring ring(w, length);
          ring.post(0);
          if (stage > 0) ring.post(1);
          for (int i = 1; i < stage; ++i) w[static_cast<uint32_t>(i) % 2].deliver();
          bool through = w[0]->has_completions();
          if (close) {
            w[0]->begin_close();
          } else {
            w[0]->abandon(Error::Timeout);
          }
          w.settle();
          CHECK(w[0]->quiescent());
          Error error = w[0].error(ring.each[0].posted);
          CHECK_EQ(error, through ? Error::None : close ? Error::Closed : Error::Timeout);
          CHECK_EQ(Collective(9).post(w[0]).completion.error, close ? Error::Closed : Error::None);
          w[0]->publish_life(Life::Closed);
          w.settle(0);
          if (stage == 0) ring.post(1);
          w.settle(0);
          Completion other = w[1].outcome(ring.each[1].posted);
          CHECK(other.error == Error::None || (other.error == Error::PeerExited && other.source == 0));
          CHECK_EQ(w[1].queues().slots_used, 0u);
        }
      }
    }
  }
}

TEST("15 it is seen as one collective operation, with what it has behind it") {
  World w(options(2));
  Bytes from(1000), to(1000);
  Collective c;
  c.copy(to.data(), from.data(), 300);
  c.receive(0, to.data(), 1000);
  c.end();
  c.copy(from.data(), to.data(), 0);
  c.post(w[1]);
  std::vector<RequestView> seen;
  auto keep = [](void* list, const RequestView& v) { static_cast<std::vector<RequestView>*>(list)->push_back(v); };
  w[1]->each_request(keep, &seen);
  uint32_t collectives = 0;
  for (const RequestView& v : seen) {
    if (v.kind != RequestView::Kind::Collective) continue;
    ++collectives;
    CHECK_EQ(v.handle, c.posted.handle);
    CHECK_EQ(v.state, RequestView::State::Active);
    CHECK_EQ(v.tag, 7u);
    CHECK_EQ(v.round, 1u);
    CHECK_EQ(v.rounds, 2u);
    CHECK_EQ(v.length, 1300u);
    CHECK_EQ(v.moved, 1300u);  // all of its steps are taken, though one is not over
  }
  CHECK_EQ(collectives, 1u);
  w[1]->cancel(c.posted.handle);
  w[1].collect();
  CHECK_EQ(w[1].error(c.posted), Error::Cancelled);
  CHECK_EQ(w[1].counters().schedules_failed, 1u);
}

// ---- under real signals, at any instruction --------------------------------------

namespace {

constexpr uint32_t kThreads = 3;

#if defined(__SANITIZE_THREAD__) || defined(__SANITIZE_ADDRESS__)
constexpr uint32_t kRepeats = 5;
#else
constexpr uint32_t kRepeats = 20;
#endif

// Sums of all ranks' values: each sends its own to all, and adds what comes.
void all_to_all_sums(Rank& rank, uint64_t elements) {
  for (uint32_t repeat = 0; repeat < kRepeats; ++repeat) {
    std::vector<int32_t> own(elements, static_cast<int32_t>(rank.rank + repeat)), sum = own;
    std::vector<std::vector<int32_t>> in(kThreads, std::vector<int32_t>(elements));
    Collective c(repeat);
    for (uint32_t peer = 0; peer < kThreads; ++peer) {
      if (peer == rank.rank) continue;
      c.receive(peer, in[peer].data(), elements * 4);
      c.send(peer, own.data(), elements * 4);
    }
    c.end();
    for (uint32_t peer = 0; peer < kThreads; ++peer) {
      if (peer != rank.rank) c.reduce(kSumI32, sum.data(), in[peer].data(), elements * 4);
    }
    c.post(rank);
    // Computes, without a call that makes progress: only handlers bring it on.
    volatile uint64_t work = 0;
    while (!rank->has_completions()) {
      work = work + 1;
#if defined(__SANITIZE_THREAD__)
      usleep(1);  // it holds signals back until the next system call
#endif
    }
    rank.collect();
    CHECK_EQ(rank.error(c.posted), Error::None);
    CHECK(sum == std::vector<int32_t>(elements, static_cast<int32_t>(kThreads * repeat + 3)));
  }
}

}  // namespace

TEST("16 handlers carry it on while threads compute, interrupted by real signals at any instruction") {
  for (uint32_t kinds : kKinds) {
    for (uint64_t elements : {10ull, 1000ull, 60000ull}) {
      Options o = options(kThreads, kinds);
      o.ring_bytes = 65536;
      Meeting through;
      as_threads(o, [&](World& w, uint32_t rank) {
        all_to_all_sums(w[rank], elements);
        // The others may need this one's handler until they are through.
        through.wait_for(kThreads);
      });
    }
  }
}

TEST("17 what came before its receive is copied within the bound of a run, too") {
  constexpr uint32_t kMessages = 48, kBytes = 64 * 1024;
  Options o = options(2);
  o.ring_bytes = 4 << 20;
  o.eager_limit = kBytes;
  o.credit_blocks = kMessages * kBytes / 512;
  World w(o);
  Bytes from = pattern(kBytes, 1), to(kMessages * kBytes);
  Collective many, all;
  for (uint32_t i = 0; i < kMessages; ++i) {
    many.send(1, from.data(), kBytes);
    all.receive(0, &to[i * kBytes], kBytes);
  }
  all.end();
  many.post(w[0]);
  while (w[0].deliver()) continue;
  w[1].progress();
  CHECK_EQ(w[1].queues().unexpected_eager, kMessages);
  uint64_t most = 0;
  auto copied = [&] { return uint64_t{kMessages - w[1].queues().unexpected_eager} * kBytes; };
  all.post(w[1]);
  for (uint64_t before = 0; before != copied(); w[1].deliver()) {
    most = std::max(most, copied() - before);
    before = copied();
  }
  CHECK(most != 0 && most <= 2 << 20);
  CHECK_EQ(w[1].queues().unexpected_eager, 0u);
  w[1].collect();
  CHECK_EQ(w[1].error(all.posted), Error::None);
  for (uint32_t i = 0; i < kMessages; ++i) CHECK(std::equal(from.begin(), from.end(), &to[i * kBytes]));
}

CHECK_MAIN("engine/schedules")
