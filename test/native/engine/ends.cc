// How things end: close, a peer that is gone, and giving up.
// sources: src-native/engine/*.cc
#include "engine/claim.h"
#include "world.h"

using namespace test;

namespace {

constexpr uint64_t kLarge = 6 << 20;

struct Buffers {
  std::vector<unsigned char> out = pattern(kLarge, 1), in = std::vector<unsigned char>(kLarge);
};

// Brings one large message from 0 to 1 to one of its stages, both computing.
struct Stage {
  explicit Stage(const Options& o, int stage) : w(o) {
    s = w[0].send(1, b.out.data(), kLarge, 1);
    if (stage == 0) return;  // in the ring
    if (stage == 1) {        // an envelope, unexpected
      w[1].progress();
      return;
    }
    r = w[1].recv(0, b.in.data(), kLarge, 1);  // matched, the first slice copied
    has_receive = true;
    for (int i = 2; i < stage; ++i) w[i % 2].deliver();  // some more slices
  }
  Buffers b;
  World w;
  Posted s{}, r{};
  bool has_receive = false;
};

}  // namespace

TEST("01 a peer that dies at any stage ends what needs it, and only that") {
  for (uint32_t kinds : {uint32_t{kCopyDirect}, uint32_t{kCopyCma}, uint32_t{kCopyPipeline}}) {
    for (int stage = 0; stage < 9; ++stage) {
      for (uint32_t dead : {0u, 1u}) {
        Options o;
        o.size = 3;
        o.copy_kinds = kinds;
        Stage t(o, stage);
        World& w = t.w;
        uint32_t alive = 1 - dead;
        // What has nothing to do with the dead one.
        unsigned char out[3] = {1, 2, 3}, in[3] = {};
        Posted from_third = w[alive].recv(2, &in[0], 1, 50), from_self = w[alive].recv(alive, &in[1], 1, 50);
        Posted any = w[alive].recv(kAnySource, &in[2], 1, 51);
        w[alive]->peer_gone(dead, Cause::Killed);
        w[alive]->peer_gone(dead, Cause::Exited);  // once is enough, the first one counts
        CHECK(w[alive]->peer_is_gone(dead));
        w.settle(dead);
        const Posted& needs = dead == 0 ? t.r : t.s;
        if (dead == 1 || t.has_receive) {
          CHECK(w[alive].over(needs));
          Completion c = w[alive].outcome(needs);
          if (c.error != Error::None) {
            CHECK_EQ(c.error, Error::PeerExited);
            CHECK_EQ(c.cause, Cause::Killed);
            CHECK_EQ(c.source, dead);
          }
        }
        CHECK(w[alive]->quiescent());
        CHECK(!w[alive].over(from_third) && !w[alive].over(from_self) && !w[alive].over(any));
        w[alive].send(alive, &out[1], 1, 50);
        w[2].send(alive, &out[0], 1, 50);
        w[2].send(alive, &out[2], 1, 51);
        w.settle(dead);
        CHECK_EQ(w[alive].error(from_third), Error::None);
        CHECK_EQ(w[alive].error(from_self), Error::None);
        CHECK_EQ(w[alive].error(any), Error::None);
        CHECK(std::memcmp(in, out, 3) == 0);
        CHECK_EQ(w[alive].queues().slots_used, 0u);
      }
    }
  }
}

TEST("02 posts to and from one who is gone fail at once") {
  Options o;
  o.size = 3;
  World w(o);
  w[1]->peer_gone(0, Cause::Exited);
  unsigned char byte = 0;
  for (uint64_t length : {1ull, 100000ull}) {
    std::vector<unsigned char> bytes(length);
    Posted s = w[1].send(0, bytes.data(), length), r = w[1].recv(0, bytes.data(), length);
    for (const Posted& p : {s, r}) {
      CHECK_EQ(p.handle, kNoHandle);
      CHECK_EQ(p.completion.error, Error::PeerExited);
      CHECK_EQ(p.completion.cause, Cause::Exited);
      CHECK_EQ(p.completion.source, 0u);
    }
  }
  Posted any = w[1].recv(kAnySource, &byte, 1);
  CHECK(any.handle != kNoHandle);
  w[1]->peer_gone(2, Cause::Killed);
  w[1].collect();
  CHECK_EQ(w[1].error(any), Error::PeerExited);
  // Nobody is left: a wildcard fails at once, too.
  Posted late = w[1].recv(kAnySource, &byte, 1);
  w[1].collect();
  CHECK_EQ(w[1].error(late), Error::PeerExited);
}

TEST("03 what a dead rank had delivered stays receivable, what it only offered does not") {
  World w;
  unsigned char small = 7, in = 0;
  std::vector<unsigned char> large(100000), into(100000);
  w[0].send(1, &large[0], large.size(), 1);
  w[0].send(1, &small, 1, 2);
  w[1]->peer_gone(0, Cause::Killed);
  Posted r1 = w[1].recv(0, into.data(), into.size(), 1);
  Posted r2 = w[1].recv(0, &in, 1, 2);
  w[1].collect();
  CHECK_EQ(w[1].error(r1), Error::PeerExited);
  CHECK_EQ(w[1].error(r2), Error::None);
  CHECK_EQ(in, 7);
  CHECK_EQ(w[1].recv(0, &in, 1, 2).completion.error, Error::PeerExited);
}

TEST("04 close: own receives fail, unmatched sends to it fail, its own sends go through") {
  World w;
  Buffers a, b;
  unsigned char byte = 1;
  Posted own_send = w[0].send(1, a.out.data(), kLarge, 1);
  Posted own_receive = w[0].recv(1, &byte, 1, 9);
  Posted unmatched = w[1].send(0, b.out.data(), kLarge, 2);
  w[1].send(0, &byte, 1, 3);
  w[0]->begin_close();
  w[0].collect();
  CHECK_EQ(w[0].error(own_receive), Error::Closed);
  CHECK(!w[0]->quiescent());
  CHECK_EQ(w[0].recv(1, &byte, 1).completion.error, Error::Closed);
  CHECK_EQ(w[0].send(1, &byte, 1).completion.error, Error::Closed);
  w.settle();
  CHECK_EQ(w[1].error(unmatched), Error::PeerExited);
  CHECK_EQ(w[1].outcome(unmatched).cause, Cause::Closed);
  CHECK_EQ(w[1].send(0, &byte, 1).completion.error, Error::PeerExited);
  CHECK(!w[1]->peer_is_gone(0));
  Posted r = w[1].recv(0, a.in.data(), kLarge, 1);
  w.settle();
  CHECK_EQ(w[0].error(own_send), Error::None);
  CHECK_EQ(w[1].error(r), Error::None);
  CHECK(a.in == a.out);
  CHECK(w[0]->quiescent());
  Posted waits = w[1].recv(0, &byte, 1, 4);
  w[0]->publish_life(Life::Closed);
  w.settle(0);
  CHECK(w[1]->peer_is_gone(0));
  CHECK_EQ(w[1].error(waits), Error::PeerExited);
  CHECK_EQ(w[1].outcome(waits).cause, Cause::Closed);
}

TEST("05 what was sent before a close is received after it") {
  World w;
  unsigned char byte = 5, in = 0;
  CHECK_EQ(w[0].send(1, &byte, 1, 1).completion.error, Error::None);
  w[0]->begin_close();
  CHECK(w[0]->quiescent());
  w[0]->publish_life(Life::Closed);
  w.settle(0);
  CHECK(w[1]->peer_is_gone(0));
  Posted r = w[1].recv(0, &in, 1, 1);
  CHECK_EQ(w[1].error(r), Error::None);
  CHECK_EQ(in, 5);
}

TEST("06 two ranks that close with sends to each other both become quiet") {
  World w;
  Buffers a, b;
  Posted sa = w[0].send(1, a.out.data(), kLarge), sb = w[1].send(0, b.out.data(), kLarge);
  w[0]->begin_close();
  w[1]->begin_close();
  w.settle();
  CHECK_EQ(w[0].error(sa), Error::PeerExited);
  CHECK_EQ(w[1].error(sb), Error::PeerExited);
  CHECK(w[0]->quiescent() && w[1]->quiescent());
}

TEST("07 a transfer that is on when its receiver closes is finished") {
  Stage t(Options{}, 3);
  t.w[1]->begin_close();
  t.w.settle();
  CHECK_EQ(t.w[0].error(t.s), Error::None);
  CHECK_EQ(t.w[1].error(t.r), Error::None);
  CHECK(t.b.in == t.b.out);
}

TEST("08 abandon ends every request, and the partner's with it, at any stage") {
  for (uint32_t kinds : {uint32_t{kCopyDirect}, uint32_t{kCopyCma}, uint32_t{kCopyPipeline}}) {
    for (int stage = 0; stage < 9; ++stage) {
      for (uint32_t who : {0u, 1u}) {
        Options o;
        o.copy_kinds = kinds;
        Stage t(o, stage);
        World& w = t.w;
        unsigned char byte = 0;
        Posted posted = w[who].recv(1 - who, &byte, 1, 77);
        w[who]->abandon(Error::Timeout);
        w[who].collect();
        CHECK_EQ(w[who].error(posted), Error::Timeout);
        w.settle();
        CHECK(w[who]->quiescent());
        const Posted& own = who == 0 ? t.s : t.r;
        if (who == 0 || t.has_receive) {
          Error e = w[who].error(own);
          CHECK(e == Error::Timeout || e == Error::None);
          if (t.has_receive) CHECK(w[1 - who].over(who == 0 ? t.r : t.s));
        }
      }
    }
  }
}

TEST("09 after an abandon nothing touches the buffers any more") {
  Options o;
  o.copy_kinds = kCopyDirect;
  for (uint32_t who : {0u, 1u}) {
    Stage t(o, 5);
    t.w[who]->abandon(Error::Timeout);
    while (!t.w[who]->quiescent()) t.w.settle();
    std::fill(t.b.out.begin(), t.b.out.end(), 0x11);
    std::fill(t.b.in.begin(), t.b.in.end(), 0x22);
    t.w.settle();
    CHECK(t.b.in == std::vector<unsigned char>(kLarge, 0x22));
  }
}

TEST("10 life is published and seen") {
  World w;
  CHECK_EQ(w[1]->peer_life(0), Life::Active);
  w[0]->begin_close();
  CHECK_EQ(w[1]->peer_life(0), Life::Closing);
  w[0]->publish_life(Life::Exited);
  CHECK_EQ(w[1]->peer_life(0), Life::Exited);
}

TEST("11 a receive that waits for memory ends with its sender's death, and with a close") {
  for (bool close : {false, true}) {
    Options o;
    o.heap_committable = 0;
    World w(o);
    Buffers b;
    Posted r = w[1].recv_block(0);
    Posted s = w[0].send(1, b.out.data(), kLarge / 2);
    w.settle();
    CHECK(!w[1].over(r) && !w[0].over(s));
    if (close) {
      w[1]->begin_close();
      w.settle();
      CHECK_EQ(w[1].error(r), Error::Closed);
      CHECK_EQ(w[0].error(s), Error::PeerExited);
      CHECK(w[1]->quiescent());
    } else {
      w[1]->peer_gone(0, Cause::Killed);
      w[1].collect();
      CHECK_EQ(w[1].error(r), Error::PeerExited);
    }
  }
}

TEST("12 who has lost a rank says that it touches that rank's memory no more") {
  auto has_let_go = [](World& w, uint32_t peer, uint32_t rank) {
    PeerMap map = w.map_of(peer, rank);
    map.let_go = 0;  // as it was at the beginning
    return Engine::peer_has_let_go(w.geometry, map, rank);
  };
  for (bool dies : {false, true}) {
    Options o;
    o.size = 3;
    Stage t(o, 5);
    World& w = t.w;
    CHECK(w[0]->peer_may_touch(1) && w[1]->peer_may_touch(0) && !w[0]->peer_may_touch(2) && !w[0]->peer_may_touch(0));
    CHECK(!has_let_go(w, 1, 0));
    if (dies) {
      w[1]->peer_gone(0, Cause::Killed);
      CHECK_EQ(w[1]->closed_peers(), 0u);
    } else {
      w[0]->publish_life(Life::Closed);
      CHECK(!has_let_go(w, 1, 0));
      CHECK(w[1].progress());
      CHECK_EQ(w[1]->closed_peers(), 1u);
    }
    CHECK(has_let_go(w, 1, 0) && !w[1]->peer_may_touch(0));
    // Only of that rank.
    CHECK(!has_let_go(w, 1, 2));
    CHECK_EQ(w[1]->peer_cause(0), dies ? Cause::Killed : Cause::Closed);
  }
  // Nor does a rank that has ended itself.
  for (Life life : {Life::Closing, Life::Closed, Life::Exited}) {
    World w;
    w[1]->publish_life(life);
    CHECK_EQ(has_let_go(w, 1, 0), life != Life::Closing);
  }
}

TEST("13 a rank that is gone is not interrupted: its pid may be another's") {
  World w;
  std::vector<unsigned char> out(kLarge), in(kLarge);
  Posted r = w[0].recv(1, in.data(), kLarge);
  w[1].send(0, out.data(), kLarge);
  w[1].interrupted = 0;
  w[0]->peer_gone(1, Cause::Killed);  // takes the envelope first, and would pass the baton
  w[0].collect();
  CHECK_EQ(w[0].error(r), Error::PeerExited);
  CHECK_EQ(w[1].interrupted.load(), 0u);
}

TEST("14 whose thread ends without a close has exited, for a partner that hears of it by the transfer first") {
  for (uint32_t who : {0u, 1u}) {
    for (Error error : {Error::PeerExited, Error::Timeout}) {
      Stage t({}, 5);
      t.w[who]->abandon(error);
      t.w.settle();
      Completion c = t.w[1 - who].outcome(who == 0 ? t.r : t.s);
      CHECK_EQ(c.error, Error::PeerExited);
      CHECK_EQ(c.cause, error == Error::PeerExited ? Cause::Exited : Cause::Closed);
    }
  }
}

TEST("15 who has given a transfer up knows whether the other end is inside a copy") {
  for (uint32_t who : {0u, 1u}) {
    Stage t({}, 5);
    World& w = t.w;
    uint32_t peer = 1 - who;
    Handle theirs = who == 0 ? t.r.handle : t.s.handle;
    auto* slot = reinterpret_cast<PublicSlot*>(w[peer].control->base() + w.layout().slot(handle_slot(theirs)));
    CHECK(!w[who]->peer_inside_copy(peer));
    // As the other end begins to copy a chunk.
    slot->claim.release(claim::make(handle_generation(theirs), 1 | claim::kInside));
    w[who]->abandon(Error::PeerExited);
    CHECK(w[who]->peer_inside_copy(peer) && !w[who]->quiescent() && !w[who]->idle());
    slot->claim.release(claim::make(handle_generation(theirs), 1));  // and has copied it
    CHECK(!w[who]->peer_inside_copy(peer));
    w[who]->peer_gone(peer, Cause::Killed);
    CHECK(w[who]->quiescent());
    w[who].collect();
    CHECK(w[who]->idle());
  }
}

CHECK_MAIN("engine/ends")
