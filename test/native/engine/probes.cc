// Messages that are taken out of matching and received later, and waiting for one without a receive: MPI 4.1, 3.8.
// sources: src-native/engine/*.cc
#include "world.h"

using namespace test;

namespace {

constexpr uint64_t kSmall = 100, kLarge = 150000;
constexpr uint64_t kLengths[] = {0, 1, kSmall, 1024, 1025, kLarge, 2000000};

struct Taken {
  Handle handle;
  Envelope envelope;
  Error error;
};

Taken improbe(Rank& r, uint32_t source = kAnySource, uint32_t tag = kAnyTag, uint32_t context = 0) {
  Taken t{};
  t.handle = r->improbe(source, context, tag, &t.envelope, &t.error);
  return t;
}

}  // namespace

TEST("01 what improbe takes, imrecv alone receives, whatever else is posted meanwhile") {
  for (uint32_t kinds : {uint32_t{kCopyDirect}, uint32_t{kCopyPipeline}}) {
    for (uint64_t length : kLengths) {
      Options o;
      o.copy_kinds = kinds;
      World w(o);
      auto first = pattern(length, 1), second = pattern(length, 2);
      std::vector<unsigned char> in(length + 1), other(length + 1);
      Posted s1 = w[0].send(1, first.data(), length, 5);
      Posted s2 = w[0].send(1, second.data(), length, 5);
      Taken t = improbe(w[1], 0, 5);
      CHECK(t.handle != kNoHandle);
      CHECK(t.envelope.source == 0 && t.envelope.tag == 5 && t.envelope.length == length);
      Posted r2 = w[1].recv(kAnySource, other.data(), length);
      w.settle();
      CHECK_EQ(w[1].error(r2), Error::None);
      CHECK(std::equal(second.begin(), second.end(), other.begin()));
      Posted r1 = w[1]->imrecv(t.handle, in.data(), length, false);
      CHECK_EQ(r1.handle, t.handle);
      w.settle();
      Completion c = w[1].outcome(r1);
      CHECK_EQ(c.error, Error::None);
      CHECK(c.source == 0 && c.tag == 5 && c.length == length);
      CHECK(std::equal(first.begin(), first.end(), in.begin()));
      CHECK_EQ(w[0].error(s1), Error::None);
      CHECK_EQ(w[0].error(s2), Error::None);
      CHECK(w[0]->quiescent() && w[1]->quiescent());
      CHECK_EQ(w[1].queues().slots_used, 0u);
    }
  }
}

TEST("02 improbe finds what a receive would get, and nothing where that would get nothing") {
  World w;
  auto bytes = pattern(kLarge, 3);
  CHECK_EQ(improbe(w[1]).handle, kNoHandle);
  w[0].send(1, bytes.data(), kLarge, 1);
  w[0].send(1, bytes.data(), kSmall, 2);
  CHECK_EQ(improbe(w[1], 0, 3).handle, kNoHandle);
  CHECK_EQ(improbe(w[1], 1).handle, kNoHandle);
  CHECK_EQ(improbe(w[1], 0, 1, 7).handle, kNoHandle);
  CHECK_EQ(improbe(w[1], 0, 2).envelope.length, kSmall);
  CHECK_EQ(improbe(w[1]).envelope.length, kLarge);
  CHECK_EQ(improbe(w[1]).handle, kNoHandle);
  // A posted receive comes first.
  std::vector<unsigned char> in(kSmall);
  Posted r = w[1].recv(0, in.data(), kSmall, 4);
  w[0].send(1, bytes.data(), kSmall, 4);
  CHECK_EQ(improbe(w[1], 0, 4).handle, kNoHandle);
  w.settle();
  CHECK_EQ(w[1].error(r), Error::None);
}

TEST("03 a buffer that is too short gets the beginning; the sender does not suffer") {
  for (uint64_t length : {kSmall, kLarge}) {
    World w;
    auto bytes = pattern(length, 4);
    std::vector<unsigned char> in(length, 0xee);
    Posted s = w[0].ssend(1, bytes.data(), length);
    Posted r = w[1]->imrecv(improbe(w[1]).handle, in.data(), length / 2, false);
    w.settle();
    CHECK_EQ(w[1].error(r), Error::Truncated);
    CHECK_EQ(w[1].outcome(r).length, length);
    CHECK_EQ(w[0].error(s), Error::None);
    CHECK(std::equal(in.begin(), in.begin() + length / 2, bytes.begin()));
    CHECK(in[length / 2] == 0xee);
  }
}

TEST("04 a matched message can be received into a block of the arena") {
  for (uint64_t length : kLengths) {
    World w;
    auto bytes = pattern(length, 5);
    Posted s = w[0].send(1, bytes.data(), length, 9);
    Posted r = w[1]->imrecv(improbe(w[1]).handle, nullptr, 0, true);
    w.settle();
    Completion c = w[1].outcome(r);
    CHECK_EQ(c.error, Error::None);
    CHECK_EQ(c.length, length);
    if (length != 0) CHECK(std::memcmp(w[1].heap->base() + c.heap_offset, bytes.data(), length) == 0);
    CHECK_EQ(w[0].error(s), Error::None);
  }
}

TEST("05 a send that was withdrawn is not found; one that is taken cannot be withdrawn") {
  World w;
  auto bytes = pattern(kLarge, 6);
  Posted gone = w[0].send(1, bytes.data(), kLarge, 1);
  Posted kept = w[0].send(1, bytes.data(), kLarge, 2);
  w[1].progress();
  CHECK(w[0]->cancel(gone.handle));
  Taken t = improbe(w[1]);
  CHECK_EQ(t.envelope.tag, 2u);
  CHECK(!w[0]->cancel(kept.handle));
  std::vector<unsigned char> in(kLarge);
  Posted r = w[1]->imrecv(t.handle, in.data(), kLarge, false);
  w.settle();
  CHECK_EQ(w[0].error(gone), Error::Cancelled);
  CHECK_EQ(w[0].error(kept), Error::None);
  CHECK_EQ(w[1].error(r), Error::None);
  CHECK(in == bytes);
}

TEST("06 what one has sent to oneself, too") {
  for (uint64_t length : {kSmall, kLarge}) {
    World w;
    auto bytes = pattern(length, 7);
    Posted s = w[0].ssend(0, bytes.data(), length);
    Taken t = improbe(w[0], 0);
    CHECK(t.handle != kNoHandle);
    CHECK(!w[0]->cancel(s.handle));
    std::vector<unsigned char> in(length);
    Posted r = w[0]->imrecv(t.handle, in.data(), length, false);
    w.settle();
    CHECK_EQ(w[0].error(s), Error::None);
    CHECK_EQ(w[0].error(r), Error::None);
    CHECK(in == bytes);
  }
}

TEST("07 a handle receives once") {
  World w;
  auto bytes = pattern(kSmall, 8);
  w[0].send(1, bytes.data(), kSmall);
  Taken t = improbe(w[1]);
  std::vector<unsigned char> in(kSmall);
  Posted r = w[1]->imrecv(t.handle, in.data(), kSmall, false);
  for (int i = 0; i < 2; ++i) {
    Posted again = w[1]->imrecv(t.handle, in.data(), kSmall, false);
    CHECK_EQ(again.handle, kNoHandle);
    CHECK_EQ(again.completion.error, Error::Closed);
    w.settle();
  }
  CHECK_EQ(w[1].error(r), Error::None);
}

TEST("08 without a request slot the message stays where it is") {
  World w;
  auto bytes = pattern(kSmall, 9);
  std::vector<unsigned char> in(kSmall);
  w[0].send(1, bytes.data(), kSmall, 1);
  std::vector<Posted> receives;
  for (;;) {
    Posted r = w[1].recv(0, in.data(), kSmall, 2);
    if (r.handle == kNoHandle) break;
    receives.push_back(r);
  }
  Taken t = improbe(w[1]);
  CHECK_EQ(t.handle, kNoHandle);
  CHECK_EQ(t.error, Error::NoMemory);
  CHECK(w[1]->cancel(receives[0].handle));
  w[1].collect();
  CHECK(improbe(w[1], 0, 1).handle != kNoHandle);
}

TEST("09 what was never received goes with the close: its sender is told, and its credit is back") {
  World w;
  auto bytes = pattern(kLarge, 10);
  w[0].send(1, bytes.data(), kSmall, 1);
  Posted large = w[0].send(1, bytes.data(), kLarge, 2);
  Posted synchronous = w[0].ssend(1, bytes.data(), kSmall, 3);
  for (int i = 0; i < 3; ++i) CHECK(improbe(w[1]).handle != kNoHandle);
  w.settle();
  CHECK(!w[0].over(large) && !w[0].over(synchronous));
  CHECK_EQ(w[1].queues().slots_used, 3u);
  w[1]->begin_close();
  CHECK_EQ(improbe(w[1]).handle, kNoHandle);
  w.settle();
  for (Posted* s : {&large, &synchronous}) {
    CHECK_EQ(w[0].error(*s), Error::PeerExited);
    CHECK_EQ(w[0].outcome(*s).cause, Cause::Closed);
  }
  CHECK(w[0]->quiescent() && w[1]->quiescent());
  CHECK_EQ(w[1].queues().slots_used, 0u);
}

TEST("10 credit is held while an eager message is matched, and is back when it is received") {
  Options o;
  o.credit_blocks = 4;
  World w(o);
  auto bytes = pattern(1024, 11);  // two blocks
  for (int round = 0; round < 10; ++round) {
    for (int i = 0; i < 2; ++i) CHECK_EQ(w[0].send(1, bytes.data(), 1024).handle, kNoHandle);
    Taken t[] = {improbe(w[1]), improbe(w[1])};
    Posted third = w[0].send(1, bytes.data(), 1024);
    CHECK(third.handle != kNoHandle);  // no credit: by rendezvous
    std::vector<unsigned char> in(1024);
    for (Taken& one : t) CHECK_EQ(w[1]->imrecv(one.handle, in.data(), 1024, false).handle, one.handle);
    w[1].recv(0, in.data(), 1024);
    w.settle();
    CHECK_EQ(w[0].error(third), Error::None);
  }
}

TEST("11 a sender that dies after the match takes along what was not here yet") {
  World w;
  auto bytes = pattern(kLarge, 12);
  w[0].send(1, bytes.data(), kSmall, 1);
  w[0].send(1, bytes.data(), kLarge, 2);
  w[0].send(1, bytes.data(), kSmall, 3);
  Taken small = improbe(w[1]), large = improbe(w[1]);
  Completion c{};
  CHECK(!w[1]->unreachable(0, &c));
  w[1]->peer_gone(0, Cause::Killed);
  std::vector<unsigned char> in(kLarge);
  Posted r1 = w[1]->imrecv(small.handle, in.data(), kLarge, false);
  w[1].collect();
  CHECK_EQ(w[1].error(r1), Error::None);
  CHECK(std::equal(in.begin(), in.begin() + kSmall, bytes.begin()));
  Posted r2 = w[1]->imrecv(large.handle, in.data(), kLarge, false);
  w[1].collect();
  CHECK_EQ(w[1].error(r2), Error::PeerExited);
  CHECK_EQ(w[1].outcome(r2).cause, Cause::Killed);
  // What it delivered can still be found; then there is nothing to wait for.
  CHECK_EQ(improbe(w[1]).envelope.tag, 3u);
  for (uint32_t source : {0u, kAnySource}) {
    CHECK(w[1]->unreachable(source, &c));
    CHECK_EQ(c.error, Error::PeerExited);
    CHECK_EQ(c.cause, Cause::Killed);
    CHECK_EQ(c.source, 0u);
  }
  w[1]->begin_close();
  CHECK(w[1]->quiescent());
}

TEST("12 a sender that gives up after the match ends the receive, and settles by it") {
  for (bool closing : {false, true}) {
    World w;
    auto bytes = pattern(kLarge, 13);
    Posted s = w[0].send(1, bytes.data(), kLarge);
    Taken t = improbe(w[1]);
    w[0]->begin_close();
    w[0]->abandon(Error::Timeout);
    w.settle();
    CHECK(!w[0].over(s));
    std::vector<unsigned char> in(kLarge);
    Posted r{t.handle, {}};
    if (closing)
      w[1]->begin_close();
    else
      w[1]->imrecv(t.handle, in.data(), kLarge, false);
    w.settle();
    CHECK_EQ(w[0].error(s), Error::Timeout);
    CHECK_EQ(w[1].error(r), closing ? Error::Closed : Error::PeerExited);
    CHECK(w[0]->quiescent() && w[1]->quiescent());
  }
}

TEST("13 matched, and without memory to receive it: it waits, or goes back for another receive") {
  Options o;
  o.heap_committable = 64 << 10;
  for (uint64_t length : {kSmall, uint64_t{60000}}) {
    World w(o);
    uint64_t held = w[1]->heap_alloc(64 << 10);
    auto bytes = pattern(length, 14);
    Posted s = w[0].send(1, bytes.data(), length, 6);
    Posted r = w[1]->imrecv(improbe(w[1]).handle, nullptr, 0, true);
    w.settle();
    CHECK(w[1]->is_stalled(r.handle));
    CHECK(w[1]->give_up_stalled(r.handle));
    w[1].collect();
    CHECK_EQ(w[1].error(r), Error::NoMemory);
    std::vector<unsigned char> in(length);
    Posted other = w[1].recv(0, in.data(), length, 6);
    w.settle();
    CHECK_EQ(w[1].error(other), Error::None);
    CHECK_EQ(w[0].error(s), Error::None);
    CHECK(in == bytes);
    w[1]->heap_free(held);
  }
}

TEST("14 while a probe waits, an unexpected arrival keeps a rank from sleeping, until it was seen") {
  for (uint64_t length : {kSmall, kLarge}) {
    for (Attention how : {Attention::Sleeping, Attention::Blocked}) {
      World w;
      auto bytes = pattern(length, 15);
      std::vector<unsigned char> in(length);
      w[0].send(1, bytes.data(), length, 1);
      w[1].progress();
      CHECK(!w[1]->has_sightings());  // nobody waits
      CHECK(w[1]->prepare_sleep(how));
      w[1]->resume(false);
      w[1]->watch(true);
      CHECK(w[1]->take_sightings());  // it may have come after the last look
      CHECK(!w[1]->has_sightings());
      // What a receive was posted for is none of a probe's business.
      w[1].recv(0, in.data(), length, 2);
      w[0].send(1, bytes.data(), length, 2);
      w.settle();
      CHECK(!w[1]->has_sightings());
      w[0].send(1, bytes.data(), length, 3);
      w[1].progress();
      CHECK(!w[1]->prepare_sleep(how));
      CHECK(w[1]->take_sightings());
      CHECK(w[1]->prepare_sleep(how));
      w[1]->resume(false);
      w[1]->peer_gone(0, Cause::Exited);
      CHECK(!w[1]->prepare_sleep(how));
      w[1]->watch(false);
      CHECK(w[1]->prepare_sleep(how));
    }
  }
}

TEST("15 a handler that meets an unexpected message wakes the sleeping loop of a probe") {
  for (bool watched : {true, false}) {
    World w;
    auto bytes = pattern(kLarge, 16);
    unsigned char in[1];
    w[1].recv(0, in, 1, 99);  // so that an envelope interrupts
    w[1]->watch(watched);
    CHECK(w[1]->prepare_sleep(Attention::Sleeping));
    w[0].send(1, bytes.data(), kLarge, 1);
    CHECK_EQ(w[1].interrupted.load(), 1u);
    w[1].woken = 0;
    w[1].deliver();
    CHECK_EQ(w[1].woken.load() != 0, watched);
  }
}

CHECK_MAIN("engine/probes")
