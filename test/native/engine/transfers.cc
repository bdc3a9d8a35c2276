// How the bytes of a rendezvous move: the ways to copy, both ends at once, and
// the baton between ranks that compute.
// sources: src-native/engine/*.cc
#include <sys/wait.h>

#include <algorithm>

#include "world.h"

using namespace test;

namespace {

constexpr uint64_t kMiB = 1 << 20;

uint64_t copied(const Counters& c, uint32_t kind, int side) { return c.copied_bytes[__builtin_ctz(kind)][side]; }

// A block of a rank's own arena.
unsigned char* in_heap(Rank& r, uint64_t bytes) {
  uint64_t at = r->heap_alloc(bytes);
  CHECK(at != kNoHeap);
  return r.heap->base() + at;
}

Options with(uint32_t kinds) {
  Options o;
  o.copy_kinds = kinds;
  o.heap_bytes = 64 * kMiB;
  return o;
}

// From rank 0 to rank 1, by threads that are about to wait.
Send send_waited_for(const std::vector<unsigned char>& data) {
  return {.dest = 1, .context = 1, .tag = 1, .data = data.data(), .length = data.size(),
          .synchronous = false, .waits = true};
}
Receive receive_waited_for(std::vector<unsigned char>& into) {
  return {.source = 0, .context = 1, .tag = 1, .data = into.data(), .length = into.size(),
          .allocate = false, .waits = true};
}

}  // namespace

TEST("01 a sleeping or waiting end does the copying, the computing one is left alone") {
  World w(with(kCopyDirect));
  auto data = pattern(4 * kMiB, 1);
  std::vector<unsigned char> into(data.size());
  w[0]->begin_polling();
  Posted r = w[1].recv(0, into.data(), into.size());
  Posted s = w[0].send(1, data.data(), data.size());
  for (int i = 0; i < 20; ++i) {
    w[1].deliver();  // computes: only its handler runs
    w[0].progress();
  }
  CHECK_EQ(w[0].error(s), Error::None);
  CHECK(into == data);
  w[1].progress();
  CHECK_EQ(w[1].error(r), Error::None);
  CHECK_EQ(copied(w[1].counters(), kCopyDirect, 0), 0u);
  CHECK_EQ(copied(w[0].counters(), kCopyDirect, 1), 4 * kMiB);
  CHECK_EQ(w[1].counters().slices_in_handler, 0u);
}

TEST("02 two computing ends move a message by interrupts alone, and share the work") {
  for (uint32_t kinds : {uint32_t{kCopyDirect}, uint32_t{kCopyCma}}) {
    for (bool receive_first : {false, true}) {
      World w(with(kinds));
      auto data = pattern(16 * kMiB, 2);
      std::vector<unsigned char> into(data.size());
      Posted r{}, s{};
      if (receive_first) r = w[1].recv(0, into.data(), into.size());
      s = w[0].send(1, data.data(), data.size());
      if (!receive_first) r = w[1].recv(0, into.data(), into.size());
      w.handlers();
      CHECK(into == data);
      w.settle();
      CHECK_EQ(w[0].error(s), Error::None);
      CHECK_EQ(w[1].error(r), Error::None);
      uint64_t mine = copied(w[0].counters(), kinds, 1), theirs = copied(w[1].counters(), kinds, 0);
      CHECK_EQ(mine + theirs, 16 * kMiB);
      CHECK(mine >= 4 * kMiB && theirs >= 4 * kMiB);
      CHECK(w[0].counters().batons_passed != 0 && w[1].counters().batons_passed != 0);
    }
  }
}

// What one run of a handler has copied at most, of 8 MiB between two ranks that compute.
static uint64_t most_at_once(const Options& o) {
  World w(o);
  auto data = pattern(8 * kMiB, 3);
  std::vector<unsigned char> into(data.size());
  w[1].recv(0, into.data(), into.size());
  w[0].send(1, data.data(), data.size());
  uint64_t before[2] = {copied(w[0].counters(), kCopyDirect, 1), copied(w[1].counters(), kCopyDirect, 0)}, most = 0;
  for (bool moved = true; moved;) {
    moved = false;
    for (uint32_t i : {0u, 1u}) {
      moved |= w[i].deliver();
      uint64_t now = copied(w[i].counters(), kCopyDirect, i == 0 ? 1 : 0);
      if (now - before[i] > most) most = now - before[i];
      before[i] = now;
    }
  }
  CHECK(into == data);
  return most;
}

TEST("03 one handler run copies a bounded slice, and no more once its time is over") {
  Options o = with(kCopyDirect);
  CHECK_EQ(most_at_once(o), kMiB);
  o.handler_cycles = 1;
  CHECK_EQ(most_at_once(o), kMiB / 4);  // a chunk
  o.handler_cycles = ~0ull / 2;
  CHECK_EQ(most_at_once(o), kMiB);
  o.slice_bytes = 300000;
  CHECK(most_at_once(o) <= kMiB);  // slices end at the end of a chunk
}

TEST("04 buffers in the heap are copied straight, whichever of the two lies there") {
  for (int where = 0; where < 4; ++where) {
    for (bool compute : {false, true}) {
      World w(with(kCopyHeap | kCopyPipeline));
      auto data = pattern(3 * kMiB + 17, 4);
      std::vector<unsigned char> plain_in(data.size()), plain_out = data;
      unsigned char* out = (where & 1) != 0 ? in_heap(w[0], data.size()) : plain_out.data();
      unsigned char* in = (where & 2) != 0 ? in_heap(w[1], data.size()) : plain_in.data();
      std::memcpy(out, data.data(), data.size());
      Posted r = w[1].recv(0, in, data.size());
      Posted s = w[0].send(1, out, data.size());
      if (compute) w.handlers();
      if (compute) CHECK(std::memcmp(in, data.data(), data.size()) == 0);
      w.settle();
      CHECK_EQ(w[0].error(s), Error::None);
      CHECK_EQ(w[1].error(r), Error::None);
      CHECK(std::memcmp(in, data.data(), data.size()) == 0);
      uint64_t straight = copied(w[0].counters(), kCopyHeap, 1) + copied(w[1].counters(), kCopyHeap, 0);
      CHECK_EQ(straight, where == 0 ? 0 : data.size());
    }
  }
}

TEST("05 the pipeline works between ranks that compute, wait or sleep") {
  for (uint32_t ring : {4096u, 16384u, 1u << 20}) {
    for (int who = 0; who < 3; ++who) {
      Options o = with(kCopyPipeline);
      o.ring_bytes = ring;
      World w(o);
      auto data = pattern(2 * kMiB + 5, 5);
      std::vector<unsigned char> into(data.size());
      Posted r = w[1].recv(0, into.data(), into.size());
      Posted s = w[0].send(1, data.data(), data.size());
      for (int i = 0; i < 5000 && !(w[0].over(s) && w[1].over(r)); ++i) {
        for (uint32_t k : {0u, 1u}) {
          w[k].deliver();
          if (who != static_cast<int>(k)) w[k].progress();  // who == 2: nobody computes
        }
      }
      w.settle();
      CHECK_EQ(w[0].error(s), Error::None);
      CHECK_EQ(w[1].error(r), Error::None);
      CHECK(into == data);
    }
  }
}

TEST("06 several transfers with several peers at once, all computing") {
  for (uint32_t kinds : {uint32_t{kCopyDirect}, uint32_t{kCopyPipeline}}) {
    Options o = with(kinds);
    o.size = 4;
    o.ring_bytes = 1 << 20;
    World w(o);
    std::vector<std::vector<unsigned char>> out, in;
    std::vector<std::pair<uint32_t, Posted>> requests;
    for (uint32_t a = 0; a < 4; ++a) {
      for (uint32_t b = 0; b < 4; ++b) {
        out.push_back(pattern(3 * kMiB, a * 4 + b));
        in.emplace_back(3 * kMiB);
      }
    }
    for (uint32_t a = 0; a < 4; ++a) {
      for (uint32_t b = 0; b < 4; ++b) {
        if (a == b) continue;
        requests.push_back({b, w[b].recv(a, in[a * 4 + b].data(), 3 * kMiB, 1)});
        requests.push_back({a, w[a].send(b, out[a * 4 + b].data(), 3 * kMiB, 1)});
      }
    }
    w.handlers();
    for (uint32_t i = 0; i < 16; ++i) CHECK(i / 4 == i % 4 || in[i] == out[i]);
    w.settle();
    for (auto& [rank, p] : requests) CHECK_EQ(w[rank].error(p), Error::None);
  }
}

TEST("07 a buffer that the kernel refuses to read fails both ends with CopyFailed and the errno") {
  for (uint64_t length : {50000ull, 5ull << 20}) {
    for (bool bad_sender : {true, false}) {
      for (int compute = 0; compute < 2; ++compute) {
        World w(with(kCopyCma));
        Guarded gone(length);
        mprotect(gone.base() + gone.bytes() - 4096, 4096, PROT_NONE);
        std::vector<unsigned char> good(length);
        Posted r = w[1].recv(0, bad_sender ? good.data() : gone.base(), length);
        Posted s = w[0].send(1, bad_sender ? gone.base() : good.data(), length);
        if (compute != 0) w.handlers();
        w.settle();
        CHECK_EQ(w[0].error(s), Error::CopyFailed);
        CHECK_EQ(w[1].error(r), Error::CopyFailed);
        CHECK_EQ(w[0].outcome(s).length, uint64_t{EFAULT});
        CHECK_EQ(w[1].outcome(r).length, uint64_t{EFAULT});
        CHECK(w[0]->quiescent() && w[1]->quiescent());
      }
    }
  }
}

TEST("08 without interrupts two ranks that look from time to time finish all the same") {
  Options o = with(kCopyDirect);
  o.interrupts = false;
  World w(o);
  auto data = pattern(8 * kMiB, 8);
  std::vector<unsigned char> into(data.size());
  Posted r = w[1].recv(0, into.data(), into.size());
  Posted s = w[0].send(1, data.data(), data.size());
  for (int i = 0; i < 100; ++i) w[i % 2].progress(Effort::Call);
  CHECK_EQ(w[0].error(s), Error::None);
  CHECK_EQ(w[1].error(r), Error::None);
  CHECK(into == data);
  CHECK_EQ(w[0].interrupted.load() + w[1].interrupted.load(), 0u);
}

TEST("09 copy_kind tells how a large message would travel") {
  CHECK_EQ(World(with(kCopyDirect | kCopyPipeline))[0]->copy_kind(1), uint32_t{kCopyDirect});
  CHECK_EQ(World(with(kCopyCma | kCopyHeap | kCopyPipeline))[0]->copy_kind(1), uint32_t{kCopyCma});
  CHECK_EQ(World(with(kCopyPipeline))[0]->copy_kind(1), uint32_t{kCopyPipeline});
}

TEST("10 the receiver copies from the front and the sender from the back") {
  World w(with(kCopyDirect));
  auto data = pattern(8 * kMiB, 3);
  std::vector<unsigned char> into(data.size(), 0xee);
  w[1].recv(0, into.data(), into.size());
  w[0].send(1, data.data(), data.size());
  for (bool moved = true; moved;) {
    moved = false;
    for (uint32_t i : {0u, 1u}) {
      moved |= w[i].deliver();
      uint64_t back = copied(w[0].counters(), kCopyDirect, 1), front = copied(w[1].counters(), kCopyDirect, 0);
      CHECK(front + back <= into.size());
      CHECK(std::memcmp(into.data(), data.data(), front) == 0);
      CHECK(std::memcmp(into.data() + into.size() - back, data.data() + data.size() - back, back) == 0);
      CHECK(std::all_of(into.begin() + front, into.end() - back, [](unsigned char c) { return c == 0xee; }));
    }
  }
  CHECK(into == data);
}

TEST("11 who matches a message copies one slice of it, and interrupts the other end once") {
  for (bool receiver_first : {false, true}) {
    World w(with(kCopyDirect));
    auto data = pattern(kMiB, 4);
    std::vector<unsigned char> into(data.size());
    uint32_t matcher = receiver_first ? 0 : 1;
    if (receiver_first) w[1].recv(0, into.data(), into.size());
    Posted s = w[0].send(1, data.data(), data.size());
    if (!receiver_first) w[1].recv(0, into.data(), into.size());
    CHECK_EQ(copied(w[matcher].counters(), kCopyDirect, 1 - matcher), kMiB / 2);
    CHECK_EQ(w[matcher].counters().interrupts_sent, 1u);
    CHECK(w[1 - matcher].deliver());
    CHECK(into == data);
    w[0].progress();
    w[1].progress();
    CHECK_EQ(w[0].error(s), Error::None);
    CHECK_EQ(w[0].counters().interrupts_sent + w[1].counters().interrupts_sent, 1u);
  }
}

TEST("12 who is about to wait copies it all as it posts, and interrupts nobody") {
  for (bool receiver_first : {false, true}) {
    World w(with(kCopyDirect));
    auto data = pattern(kMiB, 5);
    std::vector<unsigned char> into(data.size());
    Posted r{};
    if (receiver_first) r = w[1]->post_recv(receive_waited_for(into));
    Posted s = w[0]->post_send(send_waited_for(data));
    if (!receiver_first) r = w[1]->post_recv(receive_waited_for(into));
    CHECK(into == data);
    w[0].progress();
    w[1].progress();
    CHECK_EQ(w[0].error(s), Error::None);
    CHECK_EQ(w[1].error(r), Error::None);
    CHECK_EQ(w[0].counters().interrupts_sent + w[1].counters().interrupts_sent, 0u);
  }
}

TEST("13 who expects to wait and computes is interrupted like any other, where there is more than one call copies") {
  World w(with(kCopyDirect));
  auto data = pattern(16 * kMiB, 6);
  std::vector<unsigned char> into(data.size());
  Posted s = w[0]->post_send(send_waited_for(data));
  Posted r = w[1]->post_recv(receive_waited_for(into));
  while (w[0].deliver() || w[1].deliver()) {
  }
  CHECK(into == data);
  w[0].progress();
  w[1].progress();
  CHECK_EQ(w[0].error(s), Error::None);
  CHECK_EQ(w[1].error(r), Error::None);
}

CHECK_MAIN("engine/transfers")
