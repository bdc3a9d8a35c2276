// A rank that is gone comes back in a new life, to an engine that goes on.
// sources: src-native/engine/*.cc
#include "world.h"

using namespace test;

namespace {

constexpr uint64_t kLarge = 3 << 20;
constexpr uint32_t kKinds[] = {kCopyDirect, kCopyCma, kCopyPipeline};

Options elastic(uint32_t size, uint32_t kinds = kCopyDirect) {
  Options o;
  o.size = size;
  o.copy_kinds = kinds;
  o.elastic = true;
  return o;
}

// A message each way.
void talk(World& w, uint32_t a, uint32_t b, uint64_t length, uint32_t seed) {
  auto there = pattern(length, seed), back = pattern(length, seed + 1);
  std::vector<unsigned char> at_b(length), at_a(length);
  Posted sent = w[a].send(b, there.data(), length, seed), received = w[b].recv(a, at_b.data(), length, seed);
  Posted answered = w[b].send(a, back.data(), length, seed), heard = w[a].recv(b, at_a.data(), length, seed);
  w.settle();
  CHECK_EQ(w[a].error(sent), Error::None);
  CHECK_EQ(w[b].error(received), Error::None);
  CHECK_EQ(w[b].error(answered), Error::None);
  CHECK_EQ(w[a].error(heard), Error::None);
  CHECK(at_b == there && at_a == back);
}

}  // namespace

TEST("01 whatever was under way with the old life, the new one begins with nothing") {
  for (uint32_t kinds : kKinds) {
    for (int stage = 0; stage < 9; ++stage) {
      for (uint32_t dead : {0u, 1u}) {
        World w(elastic(3, kinds));
        uint32_t alive = 1 - dead;
        auto out = pattern(kLarge, 1);
        std::vector<unsigned char> in(kLarge);
        Posted s = w[0].send(1, out.data(), kLarge, 1), r{};
        if (stage == 1) w[1].progress();
        if (stage > 1) r = w[1].recv(0, in.data(), kLarge, 1);
        for (int i = 2; i < stage; ++i) w[i % 2].deliver();
        for (uint32_t member : {alive, 2u}) w[member]->peer_gone(dead, Cause::Killed);
        w.settle(dead);
        const Posted& needs = dead == 0 ? r : s;
        if (dead == 1 || stage > 1) CHECK(w[alive].over(needs));
        CHECK_EQ(w[alive].error(w[alive].send(dead, out.data(), 8, 2)), Error::PeerExited);
        CHECK_EQ(w[alive].error(w[alive].recv(dead, in.data(), 8, 2)), Error::PeerExited);
        w.come_back(dead, {alive, 2});
        CHECK(!w[alive]->peer_is_gone(dead) && !w[2]->peer_is_gone(dead));
        for (uint64_t length : {uint64_t{0}, uint64_t{100}, uint64_t{5000}, kLarge}) {
          talk(w, alive, dead, length, 3);
          talk(w, 2, dead, length, 5);
          talk(w, 2, alive, length, 7);
        }
        for (uint32_t i = 0; i < 3; ++i) CHECK_EQ(w[i].queues().slots_used, 0u);
      }
    }
  }
}

TEST("02 what came whole stays receivable, in order, if it is of the context that is kept") {
  World w(elastic(2));
  unsigned char first = 1, second = 2, other = 3, in[3] = {};
  w[1].send(0, &first, 1, 5);
  w[1].send(0, &other, 1, 5, 8);
  auto large = pattern(kLarge, 1);
  w[1].send(0, large.data(), kLarge, 5);
  w[0].progress();
  w[0]->peer_gone(1, Cause::Killed);
  w.come_back(1, {0});
  w[1].send(0, &second, 1, 5);
  w.settle();
  CHECK_EQ(w[0].queues().unexpected_eager, 2u);
  CHECK_EQ(w[0].queues().unexpected_rendezvous, 0u);
  Posted one = w[0].recv(1, &in[0], 1, 5), two = w[0].recv(kAnySource, &in[1], 1, 5);
  Posted none = w[0].recv(1, &in[2], 1, 5, 8);
  CHECK(w[0].over(one) && w[0].over(two) && !w[0].over(none));
  CHECK(in[0] == 1 && in[1] == 2);
  // The room of what was thrown away is there again.
  std::vector<unsigned char> block(512);
  for (uint32_t i = 0; i < w.options.credit_blocks; ++i) {
    w[1].send(0, block.data(), 512, 9);
    w[0].progress();
  }
  CHECK_EQ(w[1].counters().eager_sent, uint64_t{w.options.credit_blocks} + 1);
  CHECK(!w[0]->peer_is_gone(1));
}

TEST("03 the rings begin anew, however far they had come") {
  Options o = elastic(2);
  o.max_requests = 512;
  World w(o);
  for (int life = 0; life < 3; ++life) {
    // More than a ring holds, before anybody looks; in both directions.
    std::vector<std::vector<unsigned char>> out[2];
    for (uint32_t i = 0; i < 300; ++i) {
      for (uint32_t from : {0u, 1u}) out[from].push_back(pattern(900, i + from));
    }
    for (uint32_t i = 0; i < 300; ++i) {
      for (uint32_t from : {0u, 1u}) w[from].send(1 - from, out[from][i].data(), 900, i);
    }
    for (uint32_t i = 0; i < 300; ++i) {
      for (uint32_t from : {0u, 1u}) {
        std::vector<unsigned char> in(900);
        Posted r = w[1 - from].recv(from, in.data(), 900, i);
        w.settle();
        CHECK_EQ(w[1 - from].error(r), Error::None);
        CHECK(in == out[from][i]);
      }
    }
    w[0]->peer_gone(1, Cause::Killed);
    w.come_back(1, {0});
    // Looks although nothing has been written.
    w[0]->kick(true);
    w[1].progress();
    CHECK(!w[1]->peer_is_gone(0));
  }
}

TEST("04 what is kept of the old life takes credit of the new one, until it is received") {
  Options o = elastic(2);
  World w(o);
  std::vector<unsigned char> block(512), in(512);
  for (uint32_t i = 0; i < o.credit_blocks; ++i) {
    block[0] = static_cast<unsigned char>(i);
    w[1].send(0, block.data(), 512, i);
    w[0].progress();
  }
  CHECK_EQ(w[1].counters().eager_sent, uint64_t{o.credit_blocks});
  for (int life = 0; life < 3; ++life) {
    w[0]->peer_gone(1, Cause::Killed);
    w.come_back(1, {0});
    // No room: it is offered, and does not overdraw.
    Posted s = w[1].send(0, block.data(), 512, 100);
    w.settle();
    CHECK(!w[1].over(s));
    CHECK_EQ(w[1].counters().eager_sent, 0u);
    CHECK_EQ(w[0].queues().unexpected_eager, o.credit_blocks);
    CHECK(!w[0]->peer_is_gone(1));
    Posted r = w[0].recv(1, in.data(), 512, 100);
    w.settle();
    CHECK_EQ(w[0].error(r), Error::None);
    CHECK_EQ(w[1].error(s), Error::None);
  }
  for (uint32_t i = 0; i < o.credit_blocks; ++i) {
    CHECK_EQ(w[0].error(w[0].recv(1, in.data(), 512, i)), Error::None);
    CHECK(in[0] == i);
  }
  // All of it is there again, and no more.
  for (uint32_t i = 0; i < 2 * o.credit_blocks; ++i) {
    w[1].send(0, block.data(), 512, i);
    w[0].progress();
  }
  CHECK_EQ(w[1].counters().eager_sent, uint64_t{o.credit_blocks});
  CHECK(!w[0]->peer_is_gone(1));
}

TEST("05 a message that a probe has taken is received after its sender has come back, and gives its credit back") {
  Options o = elastic(2);
  World w(o);
  auto out = pattern(700, 3);
  std::vector<unsigned char> in(700);
  w[1].send(0, out.data(), 700, 5);
  Envelope envelope{};
  Error error{};
  Handle taken = w[0]->improbe(1, 0, 5, &envelope, &error);
  CHECK(taken != kNoHandle);
  w[0]->peer_gone(1, Cause::Killed);
  w.come_back(1, {0});
  Posted r = w[0]->imrecv(taken, in.data(), 700, false);
  w.settle();
  CHECK_EQ(w[0].error(r), Error::None);
  CHECK(in == out);
  for (uint32_t i = 0; i < o.credit_blocks; ++i) {
    w[1].send(0, out.data(), 512, i);
    w[0].progress();
  }
  CHECK_EQ(w[1].counters().eager_sent, uint64_t{o.credit_blocks});
}

TEST("06 one whose sender went before it was received fails, and what has its place in the new life goes on") {
  World w(elastic(3));
  auto out = pattern(kLarge, 3);
  std::vector<unsigned char> in(kLarge);
  Envelope envelope{};
  Error error{};
  w[1].send(0, out.data(), kLarge, 5);
  Handle taken = w[0]->improbe(1, 0, 5, &envelope, &error);
  w[1].send(0, out.data(), kLarge, 6);
  Handle dropped = w[0]->improbe(1, 0, 6, &envelope, &error);
  CHECK(taken != kNoHandle && dropped != kNoHandle);
  for (uint32_t member : {0u, 2u}) w[member]->peer_gone(1, Cause::Killed);
  w.come_back(1, {0, 2});
  // The same slots, in the same generation, to another rank.
  Posted s[2];
  for (auto& sent : s) sent = w[1].send(2, out.data(), kLarge, 7);
  Posted r = w[0]->imrecv(taken, in.data(), kLarge, false);
  w[0].collect();
  CHECK_EQ(w[0].error(r), Error::PeerExited);
  w[0]->begin_close();
  w[0].collect();
  for (auto& sent : s) {
    Posted received = w[2].recv(1, in.data(), kLarge, 7);
    w.settle();
    CHECK_EQ(w[2].error(received), Error::None);
    CHECK_EQ(w[1].error(sent), Error::None);
    CHECK(in == out);
  }
}

TEST("07 a receive from any rank waits on, also where nobody is left") {
  World w(elastic(2));
  unsigned char out = 7, in = 0;
  Posted any = w[0].recv(kAnySource, &in, 1, 5);
  w[0]->peer_gone(1, Cause::Killed);
  w[0].progress();
  CHECK(!w[0].over(any));
  Posted later = w[0].recv(kAnySource, &in, 1, 6);
  CHECK(!w[0].over(later));
  w.come_back(1, {0});
  w[1].send(0, &out, 1, 5);
  w.settle();
  CHECK_EQ(w[0].error(any), Error::None);
  CHECK(in == 7 && !w[0].over(later));
}

TEST("08 who comes back finds those gone that have not let it in") {
  World w(elastic(3));
  unsigned char byte = 1;
  for (uint32_t dead : {1u, 2u}) w[0]->peer_gone(dead, Cause::Killed);
  w.come_back(1, {0});
  CHECK(w[1]->peer_is_gone(2) && !w[1]->peer_is_gone(0));
  CHECK_EQ(w[1]->peer_cause(2), Cause::Killed);
  CHECK_EQ(w[1].error(w[1].send(2, &byte, 1)), Error::PeerExited);
  CHECK_EQ(w[1].error(w[1].recv(2, &byte, 1)), Error::PeerExited);
  w.come_back(2, {0, 1});
  for (uint32_t a : {0u, 1u, 2u}) talk(w, a, (a + 1) % 3, kLarge, a);
}

TEST("09 a peer that wrote nonsense is one like any other when it comes back") {
  World w(elastic(2));
  unsigned char byte = 1;
  auto* outbound = reinterpret_cast<Outbound*>(w[1].control->base() + w.layout().outbound(0));
  outbound->data_tail.release(7);
  w[1].send(0, &byte, 1);
  outbound->data_tail.release(7);
  w[0].progress();
  CHECK(w[0]->peer_is_gone(1));
  w.come_back(1, {0});
  talk(w, 0, 1, kLarge, 1);
}

TEST("10 whoever is not gone is not replaced") {
  World w(elastic(2));
  unsigned char out = 9, in = 0;
  w[1].send(0, &out, 1, 1);
  PeerMap map{w[0].control->base(), w[0].heap->base(), 0, 0};
  w[0]->revive(1, map, 0);
  w[0]->revive(0, map, 0);
  w[0]->revive(99, map, 0);
  Posted r = w[0].recv(1, &in, 1, 1);
  w.settle();
  CHECK_EQ(w[0].error(r), Error::None);
  CHECK(in == 9);
}

TEST("11 what an old life has left behind is let go of, also where the new one is there before that is looked at") {
  for (uint32_t kinds : kKinds) {
    World w(elastic(2, kinds));
    auto out = pattern(kLarge, 1);
    std::vector<unsigned char> in(kLarge);
    w[0].send(1, out.data(), kLarge, 1);
    w[1].recv(0, in.data(), kLarge, 1);  // rank 1 is in the middle of it
    PeerMap before[4];                   // rank 1, as each life of rank 0 has mapped it
    auto let_go = [&](int life) { return Engine::peer_has_let_go(w.geometry, before[life], 0); };
    for (int life = 0; life < 3; ++life) {
      before[life] = w.map_of(1, 0);
      CHECK(!let_go(life));
      w[1]->peer_gone(0, Cause::Closed);
      if (life == 1) CHECK(let_go(life));
      w.come_back(0, {1});
      for (int old = 0; old <= life; ++old) CHECK(let_go(old));
      w[0].send(1, out.data(), kLarge, 1);
      w[1].recv(0, in.data(), kLarge, 1);
    }
    before[3] = w.map_of(1, 0);
    CHECK(!let_go(3));
  }
}

CHECK_MAIN("engine/lives")
