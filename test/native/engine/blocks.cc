// Receives without a buffer, and the arena their blocks come from.
// sources: src-native/engine/*.cc
#include <algorithm>
#include <random>

#include "world.h"

using namespace test;

namespace {

const unsigned char* block(Rank& r, const Completion& c) { return r.heap->base() + c.heap_offset; }

}  // namespace

TEST("01 a message of any length lands in a block of the receiver's arena") {
  for (uint32_t kinds :
       {uint32_t{kCopyDirect}, uint32_t{kCopyCma}, uint32_t{kCopyPipeline}, kCopyHeap | kCopyPipeline}) {
    Options o;
    o.copy_kinds = kinds;
    World w(o);
    for (uint64_t length : {0ull, 1ull, 512ull, 1024ull, 1025ull, 70000ull, 1000000ull}) {
      for (bool first : {false, true}) {
        auto data = pattern(length, 1);
        Posted r{};
        if (first) r = w[1].recv_block(0);
        Posted s = w[0].send(1, data.data(), length, 9);
        if (!first) w[1].progress(), r = w[1].recv_block(kAnySource);
        w.settle();
        CHECK_EQ(w[0].error(s), Error::None);
        Completion c = w[1].outcome(r);
        CHECK_EQ(c.error, Error::None);
        CHECK_EQ(c.source, 0u);
        CHECK_EQ(c.tag, 9u);
        CHECK_EQ(c.length, length);
        CHECK_EQ(c.heap_offset == kNoHeap, length == 0);
        if (length == 0) continue;
        CHECK(c.heap_offset + length <= o.heap_bytes);
        CHECK(std::memcmp(block(w[1], c), data.data(), length) == 0);
        w[1]->heap_free(c.heap_offset);
      }
    }
  }
}

TEST("02 a handler takes a block where memory is committed already") {
  World w;
  w[1]->heap_free(w[1]->heap_alloc(1 << 20));  // now a megabyte is committed and free
  auto data = pattern(300000, 2);
  Posted r = w[1].recv_block(0);
  w[0]->begin_polling();
  Posted s = w[0].send(1, data.data(), data.size());
  for (int i = 0; i < 10; ++i) w[1].deliver(), w[0].progress();
  CHECK_EQ(w[0].error(s), Error::None);
  w[1].collect();  // no progress by the receiver's thread but this
  w[1].progress();
  CHECK(std::memcmp(block(w[1], w[1].outcome(r)), data.data(), data.size()) == 0);
}

TEST("03 a receive that finds no memory waits for it and then goes on") {
  Options o;
  o.heap_committable = 64 << 10;
  for (uint64_t length : {1000ull, 60000ull}) {
    World w(o);
    uint64_t held = w[1]->heap_alloc(64 << 10);
    CHECK(held != kNoHeap);
    CHECK_EQ(w[1]->heap_alloc(512), kNoHeap);
    auto data = pattern(length, 3);
    Posted r = w[1].recv_block(0);
    Posted s = w[0].send(1, data.data(), length);
    w.settle();
    CHECK(!w[1].over(r));
    CHECK_EQ(w[0].over(s), length <= w.geometry.eager_limit);
    // Others are not held up by it.
    std::vector<unsigned char> into(2000);
    auto more = pattern(2000, 33);
    Posted r2 = w[1].recv(0, into.data(), into.size(), 5);
    Posted s2 = w[0].send(1, more.data(), more.size(), 5);
    w.settle();
    CHECK_EQ(w[1].error(r2), Error::None);
    CHECK_EQ(w[0].error(s2), Error::None);
    w[1]->heap_free(held);
    w.settle();
    CHECK_EQ(w[1].error(r), Error::None);
    CHECK_EQ(w[0].error(s), Error::None);
    CHECK(std::memcmp(block(w[1], w[1].outcome(r)), data.data(), length) == 0);
  }
}

TEST("04 a message that no arena can hold fails its receive, not its sender") {
  Options o;
  o.heap_bytes = 2 << 20;
  World w(o);
  auto data = pattern(3 << 20, 4);
  Posted r = w[1].recv_block(0);
  Posted s = w[0].send(1, data.data(), data.size());
  w.settle();
  CHECK_EQ(w[1].error(r), Error::NoMemory);
  CHECK_EQ(w[0].error(s), Error::None);
  CHECK(w[1]->quiescent() && w[0]->quiescent());
}

TEST("05 memory that a failed receive gives back brings a waiting one on") {
  Options o;
  o.size = 3;
  o.heap_bytes = 2 << 20;
  World w(o);
  auto data = pattern(1200000, 5);
  Posted a = w[0].recv_block(1), b = w[0].recv_block(2);
  Posted s1 = w[1].send(0, data.data(), data.size());
  w[0]->progress(Effort::Handler);
  Posted s2 = w[2].send(0, data.data(), data.size());
  w[0]->progress(Effort::Handler);
  w[0]->progress(Effort::Handler);
  w[0]->resume_stalled();
  w[0]->peer_gone(1, Cause::Killed);
  w.settle(1);
  CHECK_EQ(w[0].over(a), true);
  CHECK_EQ(w[0].error(b), Error::None);
  CHECK_EQ(w[2].error(s2), Error::None);
  (void)s1;
}

TEST("06 blocks never overlap, lie inside, and what is freed can be had again") {
  std::mt19937_64 random(6);
  for (uint64_t heap : {1ull << 20, 3ull << 20, 4ull << 20, 6ull << 20}) {
    Options o;
    o.heap_bytes = heap;
    World w(o);
    std::map<uint64_t, uint64_t> taken;  // offset → length
    uint64_t failures = 0;
    for (int step = 0; step < 6000; ++step) {
      if (taken.empty() || random() % 5 < 3) {
        uint64_t kind = random() % 8, most = kind == 0 ? heap / 3 : kind < 3 ? 40000 : 3000;
        uint64_t n = 1 + random() % most;
        uint64_t at = w[0]->heap_alloc(n);
        if (at == kNoHeap) {
          ++failures;
          continue;
        }
        CHECK(at + n <= heap);
        auto after = taken.lower_bound(at);
        CHECK(after == taken.end() || at + n <= after->first);
        CHECK(after == taken.begin() || std::prev(after)->first + std::prev(after)->second <= at);
        taken[at] = n;
      } else {
        auto victim = taken.begin();
        std::advance(victim, random() % taken.size());
        w[0]->heap_free(victim->first);
        w[0]->heap_free(victim->first);  // a second time means nothing
        taken.erase(victim);
      }
    }
    CHECK(failures != 0);
    for (auto& [at, n] : taken) w[0]->heap_free(at);
    for (int round = 0; round < 2; ++round) {
      uint64_t all = w[0]->heap_alloc(heap);
      CHECK_EQ(all, 0u);
      CHECK_EQ(w[0]->heap_alloc(1), kNoHeap);
      w[0]->heap_free(all);
    }
  }
}

TEST("07 a free stretch of any size can be had, however it lies") {
  Options o;
  o.heap_bytes = 6 << 20;
  World w(o);
  uint64_t pin = w[0]->heap_alloc(512), rest = w[0]->heap_alloc((6 << 20) - 512);
  CHECK(pin != kNoHeap && rest != kNoHeap);
  w[0]->heap_free(rest);
  for (uint64_t n : {5ull << 20, (6ull << 20) - 512, 3ull << 20}) {
    for (int round = 0; round < 3; ++round) {
      uint64_t at = w[0]->heap_alloc(n);
      CHECK(at != kNoHeap);
      w[0]->heap_free(at);
    }
  }
}

TEST("08 nonsense given to the arena is refused") {
  World w;
  CHECK_EQ(w[0]->heap_alloc(0), kNoHeap);
  CHECK_EQ(w[0]->heap_alloc(w.geometry.heap_bytes + 1), kNoHeap);
  CHECK_EQ(w[0]->heap_alloc(~0ull), kNoHeap);
  CHECK_EQ(w[0]->heap_alloc(~0ull - 511), kNoHeap);
  w[0]->heap_free(kNoHeap);
  w[0]->heap_free(w.geometry.heap_bytes);
  w[0]->heap_free(12345);
  CHECK_EQ(w[0]->heap_alloc(w.geometry.heap_bytes), 0u);
}

namespace {

constexpr uint64_t kHeap = 64 << 10;

// Rank 1 has no memory left, and rank 0 has sent it messages of these lengths,
// which it can tell apart.
struct NoMemory {
  explicit NoMemory(std::vector<uint64_t> lengths, Options o = {}) : w(with_heap(o)) {
    held = w[1]->heap_alloc(kHeap);
    for (uint64_t n : lengths) {
      data.push_back(pattern(n, static_cast<uint32_t>(n)));
      sent.push_back(w[0].send(1, data.back().data(), n, 7));
    }
    w.settle();
  }
  static Options with_heap(Options o) {
    o.heap_bytes = kHeap;
    return o;
  }
  void give_up(const Posted& r) {
    CHECK(w[1]->give_up_stalled(r.handle));
    w.settle();
    CHECK_EQ(w[1].error(r), Error::NoMemory);
  }
  // The next receive gets the message of this index, whole.
  void receive(size_t i) {
    std::vector<unsigned char> into(70000);
    Posted r = w[1].recv(0, into.data(), into.size());
    w.settle();
    CHECK_EQ(w[1].error(r), Error::None);
    CHECK_EQ(w[1].outcome(r).length, data[i].size());
    CHECK(std::memcmp(into.data(), data[i].data(), data[i].size()) == 0);
    CHECK_EQ(w[0].error(sent[i]), Error::None);
  }
  void clean() {
    w.settle();
    for (uint32_t i : {0u, 1u}) CHECK_EQ(w[i].queues().slots_used, 0u);
    CHECK(w[0]->quiescent() && w[1]->quiescent());
  }

  World w;
  uint64_t held = 0;
  std::vector<std::vector<unsigned char>> data;
  std::vector<Posted> sent;
};

}  // namespace

TEST("09 a stalled receive that is given up leaves its message to the next, in the order of arrival") {
  const std::vector<std::vector<uint64_t>> cases = {{60000, 50000, 1000}, {900, 50000, 800}, {50000, 900, 60000}};
  for (uint32_t kinds : {uint32_t{kCopyDirect}, uint32_t{kCopyPipeline}}) {
    for (const auto& lengths : cases) {
      for (uint32_t first : {0u, kAnySource}) {
        Options o;
        o.copy_kinds = kinds;
        NoMemory n(lengths, o);
        Posted a = n.w[1].recv_block(first, first == 0 ? 7 : kAnyTag), b = n.w[1].recv_block(kAnySource, 7);
        n.w.settle();
        CHECK(!n.w[1].over(a) && !n.w[1].over(b));
        // In an order that is not theirs.
        n.give_up(b);
        n.give_up(a);
        CHECK(!n.w[1]->give_up_stalled(a.handle));
        for (size_t i = 0; i < lengths.size(); ++i) n.receive(i);
        n.clean();
      }
    }
  }
}

TEST("10 what is given up goes to a receive that is posted already, and the next one stalls in its turn") {
  for (uint64_t length : {900ull, 60000ull}) {
    NoMemory n({length});
    std::vector<unsigned char> into(length);
    Posted a = n.w[1].recv_block(0), b = n.w[1].recv_block(0), c = n.w[1].recv(kAnySource, into.data(), length);
    n.w.settle();
    CHECK(!n.w[1]->give_up_stalled(b.handle));  // it has no message
    n.give_up(a);
    CHECK(!n.w[1].over(b));
    n.give_up(b);
    CHECK_EQ(n.w[1].error(c), Error::None);
    CHECK(into == n.data[0]);
    n.clean();
  }
}

TEST("11 no receive is given up for which memory is there, or on its way") {
  Options o;
  o.size = 3;
  o.heap_bytes = 2 << 20;
  World w(o);
  auto data = pattern(1200000, 5);
  Posted a = w[0].recv_block(1), b = w[0].recv_block(2);
  w[1].send(0, data.data(), data.size());
  w[0]->progress(Effort::Handler);
  w[2].send(0, data.data(), data.size());
  w[0]->progress(Effort::Handler);
  w[0]->progress(Effort::Handler);
  CHECK(w[0]->is_stalled(b.handle) && !w[0]->give_up_stalled(b.handle));
  w[0]->resume_stalled();
  CHECK(!w[0]->is_stalled(a.handle));
  CHECK(w[0]->is_stalled(b.handle) && !w[0]->give_up_stalled(b.handle));  // the other's block would come back
  w.settle();
  CHECK_EQ(w[0].error(a), Error::None);
  CHECK(w[0]->give_up_stalled(b.handle));
}

TEST("12 a message that was handed back can be withdrawn by its sender") {
  NoMemory n({60000});
  Posted a = n.w[1].recv_block(0);
  n.w.settle();
  CHECK(!n.w[0]->cancel(n.sent[0].handle));  // matched
  n.give_up(a);
  CHECK(n.w[0]->cancel(n.sent[0].handle));
  n.w.settle();
  CHECK_EQ(n.w[0].error(n.sent[0]), Error::Cancelled);
  Envelope e;
  CHECK(!n.w[1]->probe(kAnySource, 0, kAnyTag, &e));
  n.clean();
}

TEST("13 a sender that has given up hears of it from a receive that is given up") {
  NoMemory n({60000});
  Posted a = n.w[1].recv_block(0);
  n.w.settle();
  n.w[0]->abandon(Error::Timeout);
  CHECK(!n.w[0]->quiescent());
  n.give_up(a);
  CHECK_EQ(n.w[0].error(n.sent[0]), Error::Timeout);
  n.clean();
}

TEST("14 a message to oneself that was handed back can be withdrawn, or received") {
  for (bool withdrawn : {false, true}) {
    NoMemory n({});
    auto data = pattern(60000, 14);
    Posted s = n.w[1].send(1, data.data(), data.size(), 7);
    Posted a = n.w[1].recv_block(1);
    CHECK(!n.w[1]->cancel(s.handle));
    n.give_up(a);
    if (withdrawn) {
      CHECK(n.w[1]->cancel(s.handle));
    } else {
      std::vector<unsigned char> into(60000);
      Posted r = n.w[1].recv(1, into.data(), into.size());
      n.w.settle();
      CHECK_EQ(n.w[1].error(r), Error::None);
      CHECK(into == data);
    }
    n.w.settle();
    CHECK_EQ(n.w[1].error(s), withdrawn ? Error::Cancelled : Error::None);
    n.clean();
  }
}

CHECK_MAIN("engine/blocks")
