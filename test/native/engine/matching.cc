// Which message meets which receive: MPI 4.1, 3.5 and 3.8.
// sources: src-native/engine/*.cc
#include "world.h"

using namespace test;

namespace {

// A message that is recognized by its number.
struct Numbered {
  explicit Numbered(uint32_t number, uint64_t length) : bytes(pattern(length, number)) {
    std::memcpy(bytes.data(), &number, 4);
  }
  std::vector<unsigned char> bytes;
};
struct Space {
  explicit Space(uint64_t length = 200000) : bytes(length) {}
  uint32_t number() const {
    uint32_t n;
    std::memcpy(&n, bytes.data(), 4);
    return n;
  }
  std::vector<unsigned char> bytes;
};

constexpr uint64_t kSmall = 16, kLarge = 150000;

}  // namespace

TEST("01 what is sent first is received first, whichever way each of them travels") {
  for (int order = 0; order < 3; ++order) {  // 0: receives first, 1: last, 2: in turn
    World w;
    std::vector<Numbered> out;
    std::vector<Space> in(20);
    std::vector<Posted> receives(20), sends(20);
    for (uint32_t i = 0; i < 20; ++i) out.emplace_back(i, i % 3 == 0 ? kLarge : kSmall);
    auto receive = [&](uint32_t i) {
      bool any_source = i % 2 == 0, any_tag = i % 5 == 0;
      receives[i] =
          w[1].recv(any_source ? kAnySource : 0, in[i].bytes.data(), in[i].bytes.size(), any_tag ? kAnyTag : 4);
    };
    auto send = [&](uint32_t i) { sends[i] = w[0].send(1, out[i].bytes.data(), out[i].bytes.size(), 4); };
    for (uint32_t i = 0; i < 20; ++i) {
      if (order == 0) receive(i);
      if (order == 2) i % 2 == 0 ? (send(i), receive(i)) : (receive(i), send(i));
    }
    for (uint32_t i = 0; i < 20; ++i) {
      if (order != 2) send(i);
    }
    if (order == 1) {
      for (int i = 0; i < 3; ++i) w[1].progress();
      for (uint32_t i = 0; i < 20; ++i) receive(i);
    }
    w.settle();
    for (uint32_t i = 0; i < 20; ++i) {
      CHECK_EQ(w[0].error(sends[i]), Error::None);
      CHECK_EQ(w[1].error(receives[i]), Error::None);
      CHECK_EQ(in[i].number(), i);
    }
  }
}

TEST("02 tags and contexts keep messages apart") {
  World w;
  Numbered a(1, kSmall), b(2, kLarge), c(3, kSmall), d(4, kLarge);
  w[0].send(1, a.bytes.data(), kSmall, 1, 1);
  Posted sb = w[0].send(1, b.bytes.data(), kLarge, 2, 1);
  w[0].send(1, c.bytes.data(), kSmall, 1, 2);
  Posted sd = w[0].send(1, d.bytes.data(), kLarge, 2147483647, 65535);
  Space in[5];
  Posted none = w[1].recv(0, in[4].bytes.data(), kLarge, 3, 1);
  Posted rd = w[1].recv(0, in[3].bytes.data(), kLarge, kAnyTag, 65535);
  Posted rc = w[1].recv(kAnySource, in[2].bytes.data(), kLarge, kAnyTag, 2);
  Posted rb = w[1].recv(0, in[1].bytes.data(), kLarge, 2, 1);
  Posted ra = w[1].recv(0, in[0].bytes.data(), kLarge, kAnyTag, 1);
  w.settle();
  const Posted* posted[] = {&ra, &rb, &rc, &rd};
  for (uint32_t i = 0; i < 4; ++i) {
    CHECK_EQ(w[1].error(*posted[i]), Error::None);
    CHECK_EQ(in[i].number(), i + 1);
  }
  CHECK_EQ(w[0].error(sb), Error::None);
  CHECK_EQ(w[0].error(sd), Error::None);
  CHECK(!w[1].over(none));
  CHECK(w[1]->cancel(none.handle));
}

TEST("03 of receives that fit, the earliest posted takes the message, wildcard or not") {
  const std::pair<uint32_t, uint32_t> kinds[] = {{0, 5}, {0, kAnyTag}, {kAnySource, 5}, {kAnySource, kAnyTag}};
  for (auto first : kinds) {
    for (auto second : kinds) {
      for (uint64_t length : {kSmall, kLarge}) {
        World w;
        Space in[2];
        Posted r1 = w[1].recv(first.first, in[0].bytes.data(), kLarge, first.second);
        Posted r2 = w[1].recv(second.first, in[1].bytes.data(), kLarge, second.second);
        Numbered a(1, length), b(2, length);
        w[0].send(1, a.bytes.data(), length, 5);
        w.settle();
        CHECK(w[1].over(r1) && !w[1].over(r2));
        w[0].send(1, b.bytes.data(), length, 5);
        w.settle();
        CHECK_EQ(w[1].error(r2), Error::None);
        CHECK_EQ(in[0].number(), 1u);
        CHECK_EQ(in[1].number(), 2u);
      }
    }
  }
}

TEST("04 a wildcard takes unexpected messages in the order of their arrival") {
  Options o;
  o.size = 4;
  World w(o);
  std::vector<Numbered> out;
  for (uint32_t i = 0; i < 9; ++i) out.emplace_back(i, i % 2 == 0 ? kSmall : kLarge);
  std::vector<Posted> sends;
  for (uint32_t i = 0; i < 9; ++i) {
    sends.push_back(w[1 + i % 3].send(0, out[i].bytes.data(), out[i].bytes.size(), i));
    w[0].progress();
  }
  for (uint32_t i = 0; i < 9; ++i) {
    Space in;
    Posted r = w[0].recv(kAnySource, in.bytes.data(), kLarge, kAnyTag);
    w.settle();
    CHECK_EQ(w[0].outcome(r).source, 1 + i % 3);
    CHECK_EQ(w[0].outcome(r).tag, i);
    CHECK_EQ(in.number(), i);
  }
}

TEST("05 probe tells what a receive would get, and takes nothing") {
  for (uint64_t length : {kSmall, kLarge}) {
    World w;
    Envelope e;
    CHECK(!w[1]->probe(kAnySource, 0, kAnyTag, &e));
    Numbered a(1, length), b(2, length);
    w[0].send(1, a.bytes.data(), length, 8);
    w[0].send(1, b.bytes.data(), length, 9);
    for (int i = 0; i < 2; ++i) {
      CHECK(w[1]->probe(kAnySource, 0, kAnyTag, &e));
      CHECK_EQ(e.source, 0u);
      CHECK_EQ(e.tag, 8u);
      CHECK_EQ(e.length, length);
    }
    CHECK(w[1]->probe(0, 0, 9, &e));
    CHECK_EQ(e.tag, 9u);
    CHECK(!w[1]->probe(0, 0, 10, &e));
    CHECK(!w[1]->probe(0, 1, 8, &e));
    CHECK(!w[1]->probe(1, 0, 8, &e));
    Space in;
    Posted r = w[1].recv(0, in.bytes.data(), kLarge, 8);
    w.settle();
    CHECK_EQ(w[1].error(r), Error::None);
    CHECK(!w[1]->probe(0, 0, 8, &e));
    CHECK(w[1]->probe(kAnySource, 0, kAnyTag, &e) && e.tag == 9);
  }
}

TEST("06 a posted receive can be cancelled, and then takes nothing") {
  World w;
  Space first, second;
  Posted r1 = w[1].recv(0, first.bytes.data(), kLarge, 1);
  Posted r2 = w[1].recv(0, second.bytes.data(), kLarge, 1);
  CHECK(w[1]->cancel(r1.handle));
  Numbered a(7, kLarge);
  w[0].send(1, a.bytes.data(), kLarge, 1);
  w.settle();
  CHECK_EQ(w[1].error(r1), Error::Cancelled);
  CHECK_EQ(w[1].error(r2), Error::None);
  CHECK_EQ(second.number(), 7u);
  CHECK_EQ(first.number(), 0u);
}

TEST("07 what is matched or over cannot be cancelled, and a stale handle names nothing") {
  World w;
  Space in;
  Numbered a(7, kSmall);
  Posted r = w[1].recv(0, in.bytes.data(), kLarge);
  w[0].send(1, a.bytes.data(), kSmall);
  w[1]->progress(Effort::Call);
  CHECK(!w[1]->cancel(r.handle));
  w.settle();
  CHECK_EQ(w[1].error(r), Error::None);
  CHECK(!w[1]->cancel(r.handle));
  // The slot is used again; the old handle still means the old request.
  Posted again = w[1].recv(0, in.bytes.data(), kLarge);
  CHECK_EQ(handle_slot(again.handle), handle_slot(r.handle));
  CHECK(again.handle != r.handle);
  CHECK(!w[1]->cancel(r.handle));
  CHECK(!w[1]->cancel(kNoHandle));
  CHECK(!w[1]->cancel(make_handle(w.geometry.max_requests, 1)));
  CHECK(!w[1]->cancel(make_handle(0xfffff, 1)));
  CHECK(w[1]->cancel(again.handle));
  w[1].collect();
  CHECK(!w[1]->cancel(again.handle));
}

TEST("08 an unmatched send can be withdrawn; then it is as if it had never been sent") {
  World w;
  Numbered a(1, kLarge), b(2, kLarge), c(3, kSmall);
  Posted sa = w[0].send(1, a.bytes.data(), kLarge);
  Posted sb = w[0].send(1, b.bytes.data(), kLarge);
  w[0].send(1, c.bytes.data(), kSmall);
  w[1].progress();
  CHECK(w[0]->cancel(sa.handle));
  w[0].collect();
  CHECK_EQ(w[0].error(sa), Error::Cancelled);
  Envelope e;
  CHECK(w[1]->probe(kAnySource, 0, kAnyTag, &e));
  CHECK_EQ(e.length, kLarge);
  Space in[2];
  Posted r1 = w[1].recv(0, in[0].bytes.data(), kLarge);
  Posted r2 = w[1].recv(kAnySource, in[1].bytes.data(), kLarge);
  w.settle();
  CHECK_EQ(in[0].number(), 2u);
  CHECK_EQ(in[1].number(), 3u);
  CHECK_EQ(w[0].error(sb), Error::None);
  CHECK_EQ(w[1].error(r1), Error::None);
  CHECK_EQ(w[1].error(r2), Error::None);
  CHECK(!w[0]->cancel(sb.handle));
}

TEST("09 a withdrawn send whose slot is used again is not taken for the new one") {
  World w;
  Numbered a(1, kLarge), b(2, kLarge);
  for (uint32_t i = 0; i < 200; ++i) {  // more than there are slots
    Posted s = w[0].send(1, a.bytes.data(), kLarge, 1);
    CHECK(s.handle != kNoHandle);
    if (i % 3 == 0) w[1].progress();
    CHECK(w[0]->cancel(s.handle));
    w[0].collect();
  }
  Posted s = w[0].send(1, b.bytes.data(), kLarge, 1);
  Space in;
  Posted r = w[1].recv(0, in.bytes.data(), kLarge, 1);
  w.settle();
  CHECK_EQ(w[0].error(s), Error::None);
  CHECK_EQ(w[1].error(r), Error::None);
  CHECK_EQ(in.number(), 2u);
  CHECK_EQ(w[0].queues().slots_used, 0u);
  CHECK_EQ(w[1].queues().unexpected_rendezvous, 0u);
}

TEST("10 a thousand exact receives are matched in any order") {
  Options o;
  o.max_requests = 2048;
  o.credit_blocks = 1024;
  World w(o);
  std::vector<uint32_t> in(1000, kNone);
  std::vector<Posted> receives;
  for (uint32_t i = 0; i < 1000; ++i) receives.push_back(w[1].recv(0, &in[i], 4, i));
  for (uint32_t i = 0; i < 1000; ++i) {
    uint32_t n = i * 377 % 1000;
    w[0].send(1, &n, 4, n);
    w.settle();
  }
  for (uint32_t i = 0; i < 1000; ++i) {
    CHECK_EQ(w[1].error(receives[i]), Error::None);
    CHECK_EQ(in[i], i);
  }
}

CHECK_MAIN("engine/matching")
