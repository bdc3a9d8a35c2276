// Too much at once: nothing is lost, nothing waits in the engine, and what can
// be matched goes on whatever else is queued (MPI 4.1, 3.5: progress).
// sources: src-native/engine/*.cc
#include "world.h"

using namespace test;

namespace {
Options small() {
  Options o;
  o.ring_bytes = 4096;
  o.eager_limit = 256;
  o.credit_blocks = 4;
  o.max_requests = 256;
  return o;
}
}  // namespace

TEST("01 without credit a small message waits with its sender, and is matched from there") {
  World w(small());
  std::vector<Posted> sends;
  std::vector<uint32_t> out(100), in(100, kNone);
  for (uint32_t i = 0; i < 100; ++i) {
    out[i] = i;
    sends.push_back(w[0].send(1, &out[i], 4, 1));
  }
  CHECK_EQ(w[0].counters().eager_sent, 4u);
  w.settle();
  CHECK_EQ(w[1].queues().unexpected_eager, 4u);
  CHECK_EQ(w[1].queues().unexpected_rendezvous, 96u);
  for (uint32_t i = 0; i < 100; ++i) {
    Posted r = w[1].recv(0, &in[i], 4, 1);
    w.settle();
    CHECK_EQ(w[1].error(r), Error::None);
    CHECK_EQ(in[i], i);
  }
  for (auto& s : sends) CHECK_EQ(w[0].error(s), Error::None);
  // Credit has come back.
  CHECK_EQ(w[0].send(1, &out[0], 4, 2).handle, kNoHandle);
}

TEST("02 two ranks that flood each other on one tag still talk on another") {
  World w(small());
  std::vector<unsigned char> junk(256, 1);
  for (uint32_t rank : {0u, 1u}) {
    for (int i = 0; i < 200; ++i) {
      Posted s = w[rank].send(1 - rank, junk.data(), junk.size(), 99);
      CHECK(s.handle != kNoHandle || s.completion.error == Error::None);
    }
  }
  for (uint32_t i = 0; i < 50; ++i) {
    for (uint64_t length : {8ull, 300ull, 200000ull}) {
      auto a = pattern(length, i), b = pattern(length, i + 1000);
      std::vector<unsigned char> into_a(length), into_b(length);
      Posted s0 = w[0].send(1, a.data(), length, 1), r0 = w[0].recv(1, into_b.data(), length, 1);
      Posted s1 = w[1].send(0, b.data(), length, 1), r1 = w[1].recv(0, into_a.data(), length, 1);
      w.settle();
      CHECK_EQ(w[0].error(s0), Error::None);
      CHECK_EQ(w[0].error(r0), Error::None);
      CHECK_EQ(w[1].error(s1), Error::None);
      CHECK_EQ(w[1].error(r1), Error::None);
      CHECK(into_a == a && into_b == b);
    }
  }
}

TEST("03 a full ring holds nobody up: sends queue in order and follow when there is room") {
  Options o = small();
  o.credit_blocks = 200;
  for (uint32_t kinds : {uint32_t{kCopyDirect}, uint32_t{kCopyPipeline}}) {
    o.copy_kinds = kinds;
    World w(o);
    std::vector<std::vector<unsigned char>> out, in;
    std::vector<Posted> sends, receives;
    for (uint32_t i = 0; i < 100; ++i) {
      out.push_back(pattern(i % 10 == 0 ? 5000 : i * 2 + 1, i));
      sends.push_back(w[0].send(1, out[i].data(), out[i].size(), 1));
    }
    CHECK(w[0].queues().queued_sends != 0);
    for (uint32_t i = 0; i < 100; ++i) {
      in.emplace_back(5000);
      receives.push_back(w[1].recv(0, in[i].data(), 5000, 1));
    }
    w.settle();
    for (uint32_t i = 0; i < 100; ++i) {
      CHECK_EQ(w[0].error(sends[i]), Error::None);
      CHECK_EQ(w[1].outcome(receives[i]).length, out[i].size());
      CHECK(std::memcmp(in[i].data(), out[i].data(), out[i].size()) == 0);
    }
  }
}

TEST("04 a computing sender's queue is emptied by interrupts alone") {
  Options o = small();
  o.credit_blocks = 200;
  World w(o);
  std::vector<uint32_t> out(150), in(150, kNone);
  std::vector<std::vector<unsigned char>> big(150, std::vector<unsigned char>(200, 3));
  std::vector<Posted> receives;
  for (uint32_t i = 0; i < 150; ++i) w[0].send(1, big[i].data(), 200, 1);
  CHECK(w[0].queues().queued_sends != 0);
  std::vector<std::vector<unsigned char>> into(150, std::vector<unsigned char>(200));
  for (uint32_t i = 0; i < 150; ++i) receives.push_back(w[1].recv(0, into[i].data(), 200, 1));
  for (int i = 0; i < 200; ++i) {
    w[1].progress();
    w[0].deliver();
  }
  for (auto& r : receives) CHECK_EQ(w[1].error(r), Error::None);
  CHECK_EQ(w[0].queues().queued_sends, 0u);
}

TEST("05 without a request slot a post fails with NoMemory, and nothing else is disturbed") {
  Options o = small();
  o.max_requests = 16;
  World w(o);
  unsigned char byte = 0;
  std::vector<Posted> receives;
  for (int i = 0; i < 16; ++i) receives.push_back(w[1].recv(0, &byte, 1, 5));
  Posted r = w[1].recv(0, &byte, 1, 5);
  CHECK_EQ(r.handle, kNoHandle);
  CHECK_EQ(r.completion.error, Error::NoMemory);
  Posted s = w[1].ssend(0, &byte, 1, 5);
  CHECK_EQ(s.handle, kNoHandle);
  CHECK_EQ(s.completion.error, Error::NoMemory);
  CHECK_EQ(w[1].send(0, &byte, 1, 5).completion.error, Error::None);  // eager needs none
  unsigned char seven = 7;
  CHECK_EQ(w[0].send(1, &seven, 1, 5).completion.error, Error::None);
  w.settle();
  CHECK_EQ(w[1].error(receives[0]), Error::None);
  CHECK_EQ(byte, 7);
  CHECK(w[1].recv(0, &byte, 1, 5).handle != kNoHandle);
}

TEST("06 where the ring cannot be committed, a send fails with NoMemory, later ones may succeed") {
  Options o = small();
  o.ring_committable = false;
  World w(o);
  unsigned char byte = 0;
  Posted s = w[0].send(1, &byte, 1);
  CHECK_EQ(s.handle, kNoHandle);
  CHECK_EQ(s.completion.error, Error::NoMemory);
  w.options.ring_committable = true;
  CHECK_EQ(w[0].send(1, &byte, 1).completion.error, Error::None);
}

TEST("07 replies that find no room are kept and sent later") {
  // The receiver answers more messages than its reply ring holds, while the
  // sender reads none of them.
  Options o = small();
  o.max_requests = 1024;
  o.ring_bytes = 1 << 18;
  World w(o);
  std::vector<unsigned char> out(300, 4);
  std::vector<std::vector<unsigned char>> in(600, std::vector<unsigned char>(300));
  std::vector<Posted> sends, receives;
  for (int i = 0; i < 600; ++i) {
    receives.push_back(w[1].recv(0, in[i].data(), 300, 1));
    sends.push_back(w[0].ssend(1, out.data(), 300, 1));
  }
  w.settle(0);  // everybody but the sender
  for (auto& r : receives) CHECK_EQ(w[1].error(r), Error::None);
  w.settle();
  for (auto& s : sends) CHECK_EQ(w[0].error(s), Error::None);
  CHECK_EQ(w[1].queues().slots_used, 0u);
}

TEST("08 a pipelined send that is matched while short ones wait for the ring moves by interrupts alone") {
  Options o = small();
  o.copy_kinds = kCopyPipeline;
  World w(o);
  std::vector<unsigned char> out = pattern(3000, 8), in(3000), shorts(224);
  Posted r = w[1].recv(0, in.data(), in.size(), 1);
  Posted s = w[0].send(1, out.data(), out.size(), 1);
  while (w[0].queues().queued_sends < 2) w[0].send(1, shorts.data(), shorts.size(), 2);
  w.handlers();
  CHECK(in == out);
  w.settle();
  CHECK_EQ(w[0].error(s), Error::None);
  CHECK_EQ(w[1].error(r), Error::None);
}

CHECK_MAIN("engine/backpressure")
