// Receives that their sender matches by itself and copies to at once.
// sources: src-native/engine/*.cc
#include <functional>

#include "world.h"

using namespace test;

namespace {

constexpr uint64_t kLarge = 100000, kSmall = 100;
using Bytes = std::vector<unsigned char>;

Options with(uint32_t kinds) {
  Options o;
  o.copy_kinds = kinds;
  o.heap_bytes = 8 << 20;
  return o;
}

uint64_t pushed(World& w) { return w[0].counters().pushed; }

}  // namespace

TEST("01 the bytes are there when the send has been posted, and nobody was interrupted") {
  for (uint32_t kinds : {kCopyDirect, kCopyCma}) {
    World w(with(kinds));
    Bytes out = pattern(kLarge, 1), in(kLarge + 10, 0xee);
    Posted r = w[1].recv(0, in.data(), in.size(), 5);
    Posted s = w[0].send(1, out.data(), out.size(), 5);
    CHECK(std::equal(out.begin(), out.end(), in.begin()) && in[kLarge] == 0xee);
    w[0].collect();
    CHECK_EQ(w[0].error(s), Error::None);
    CHECK_EQ(w[1].interrupted.load(), 0u);
    CHECK(!w[1].over(r));  // it has not looked
    w[1].progress();
    Completion c = w[1].outcome(r);
    CHECK(c.error == Error::None && c.source == 0 && c.tag == 5 && c.length == kLarge);
    CHECK_EQ(pushed(w), 1u);
    CHECK_EQ(w[0].counters().rendezvous_sent, 1u);
    settle_clean(w);
  }
}

TEST("01 what another rank writes into the match word afterwards does not cost the sender its peer") {
  Options o = with(kCopyDirect);
  o.size = 3;
  World w(o);
  Bytes out = pattern(kLarge, 1), in(kLarge);
  Posted r = w[1].recv(0, in.data(), in.size(), 5);
  Posted s = w[0].send(1, out.data(), out.size(), 5);
  CHECK_EQ(pushed(w), 1u);
  auto* word = reinterpret_cast<MatchWord*>(w.world_segment() + w.layout().match_word(1, handle_slot(r.handle)));
  word->word.release(0);  // rank 2, say
  w[1].progress();
  CHECK_EQ(w[1].error(r), Error::None);
  CHECK(out == in);
  w[0].collect();
  CHECK_EQ(w[0].error(s), Error::None);
  CHECK(!w[1]->peer_is_gone(0));
}

TEST("02 a longer one is begun by its sender, and both ends share it") {
  for (uint32_t kinds : {kCopyDirect, kCopyCma}) {
    World w(with(kinds));
    Bytes out = pattern(8 << 20, 2), in(8 << 20);
    Posted r = w[1].recv(0, in.data(), in.size(), 0);
    Posted s = w[0].send(1, out.data(), out.size());
    CHECK(w[0].counters().pieces_copied != 0);
    CHECK_EQ(w[1].interrupted.load(), 1u);
    w.handlers();  // both compute
    CHECK(in == out);
    CHECK(w[0].counters().slices_in_handler != 0 && w[1].counters().slices_in_handler != 0);
    w.settle();
    CHECK(w[0].error(s) == Error::None && w[1].error(r) == Error::None);
    settle_clean(w);
  }
}

TEST("03 only what must meet this receive is matched by its sender") {
  struct Case {
    const char* name;
    bool expected;
    std::function<void(World&, Bytes&)> before;
    uint64_t length = kLarge;
    uint32_t tag = 5, context = 0;
  };
  auto post = [](uint32_t source, uint32_t tag, uint64_t length = kLarge) {
    return [=](World& w, Bytes& in) { w[1].recv(source, in.data(), length, tag); };
  };
  const Case cases[] = {
      {"exact", true, post(0, 5)},
      {"any tag", true, post(0, kAnyTag)},
      {"any tag, from another", false, post(2, kAnyTag)},
      {"any tag, behind one from this source", false,
       [&](World& w, Bytes& in) {
         post(0, 6)(w, in);
         post(0, kAnyTag)(w, in);
       }},
      {"any tag, behind one from any source", false,
       [&](World& w, Bytes& in) {
         post(kAnySource, 6)(w, in);
         post(0, kAnyTag)(w, in);
       }},
      {"any tag, behind one that has its message", true,
       [&](World& w, Bytes& in) {
         post(0, 6)(w, in);
         post(0, kAnyTag)(w, in);
         w[0].send(1, in.data(), kSmall, 6);
         w[1].progress();
       }},
      {"any tag, behind another context's", true,
       [&](World& w, Bytes& in) {
         w[1].recv(0, in.data(), kLarge, 5, 1);
         post(0, kAnyTag)(w, in);
       }},
      {"any source", false, post(kAnySource, 5)},
      {"too short", false, post(0, 5, kLarge - 1)},
      {"eager", false, post(0, 5), kSmall},
      {"another tag", false, post(0, 6)},
      {"another context", false, post(0, 5), kLarge, 5, 3},
      {"from another", false, post(2, 5)},
      {"without a buffer", false, [](World& w, Bytes&) { w[1].recv_block(0, 5); }},
      {"behind a wildcard", false,
       [&](World& w, Bytes& in) {
         post(kAnySource, kAnyTag)(w, in);
         post(0, 5)(w, in);
       }},
      {"before a wildcard", true,
       [&](World& w, Bytes& in) {
         post(0, 5)(w, in);
         post(kAnySource, kAnyTag)(w, in);
       }},
      {"behind one of another tag", true,
       [&](World& w, Bytes& in) {
         post(kAnySource, 6)(w, in);
         post(0, 5)(w, in);
       }},
      {"behind a short one of this tag", false,
       [&](World& w, Bytes& in) {
         post(0, 5, kSmall)(w, in);
         post(0, 5)(w, in);
       }},
      {"something on the way", false,
       [&](World& w, Bytes& in) {
         post(0, 5)(w, in);
         w[0].send(1, in.data(), kSmall, 9);
       }},
      {"what was on the way has come", true,
       [&](World& w, Bytes& in) {
         post(0, 5)(w, in);
         w[0].send(1, in.data(), kSmall, 9);
         w[1].progress();
       }},
  };
  for (const Case& c : cases) {
    Options o = with(kCopyDirect);
    o.size = 3;
    World w(o);
    Bytes in(kLarge), out = pattern(c.length, 3);
    c.before(w, in);
    w[0].send(1, out.data(), c.length, c.tag, c.context);
    if (pushed(w) != (c.expected ? 1u : 0u)) check::fail(__FILE__, __LINE__, c.name);
  }
}

TEST("04 the next receive of the same kind follows, and order is kept") {
  for (bool receives_first : {true, false}) {
    World w(with(kCopyDirect));
    constexpr uint32_t kMany = 20;
    std::vector<Bytes> out, in(kMany, Bytes(kLarge));
    std::vector<Posted> r;
    for (uint32_t i = 0; i < kMany; ++i) out.push_back(pattern(i % 3 == 1 ? kSmall : kLarge - i, i));
    auto send = [&] {
      for (uint32_t i = 0; i < kMany; ++i) {
        w[0].send(1, out[i].data(), out[i].size(), 1);
        if (i % 4 == 0) w.handlers();
        if (i % 4 == 2) w[1].progress();
      }
    };
    auto receive = [&] {
      for (uint32_t i = 0; i < kMany; ++i) r.push_back(w[1].recv(0, in[i].data(), kLarge, 1));
    };
    receives_first ? (receive(), send()) : (send(), receive());
    w.settle();
    for (uint32_t i = 0; i < kMany; ++i) {
      CHECK_EQ(w[1].outcome(r[i]).length, out[i].size());
      CHECK(std::equal(out[i].begin(), out[i].end(), in[i].begin()));
    }
    CHECK(!receives_first || pushed(w) > 4);
    settle_clean(w);
  }
}

TEST("05 more than can be advertised at a time") {
  World w(with(kCopyDirect));
  std::vector<Bytes> in(30, Bytes(kLarge));
  std::vector<Posted> r;
  for (uint32_t tag = 0; tag < 30; ++tag) r.push_back(w[1].recv(0, in[tag].data(), kLarge, tag));
  Bytes out = pattern(kLarge, 4);
  for (uint32_t tag = 30; tag-- > 0;) {
    w[0].send(1, out.data(), kLarge, tag);
    w[1].progress();
  }
  w.settle();
  for (uint32_t tag = 0; tag < 30; ++tag) CHECK(w[1].error(r[tag]) == Error::None && in[tag] == out);
  CHECK(pushed(w) == kAdverts);
  settle_clean(w);
}

TEST("06 a receive is taken back, or its sender has it: one of the two") {
  World w(with(kCopyDirect));
  Bytes out = pattern(kLarge, 5), in(kLarge), other(kLarge);
  Posted r = w[1].recv(0, in.data(), kLarge, 0);
  CHECK(w[1]->cancel(r.handle));
  w[1].recv(0, other.data(), kLarge, 5);
  w[0].send(1, out.data(), kLarge, 5);
  CHECK(other == out);
  w.settle();
  r = w[1].recv(0, in.data(), kLarge, 5);
  w[0].send(1, out.data(), kLarge, 5);
  CHECK_EQ(pushed(w), 2u);
  CHECK(!w[1]->cancel(r.handle));
  CHECK(!w[1]->cancel(r.handle));
  w.settle();
  CHECK_EQ(w[1].error(r), Error::None);
  CHECK(in == out);
  settle_clean(w);
}

TEST("07 the tag of its message is told, where any would have done") {
  World w(with(kCopyDirect));
  Bytes out = pattern(kLarge, 5), in(kLarge);
  Posted r = w[1].recv(0, in.data(), kLarge, kAnyTag, 3);
  w[0].send(1, out.data(), kLarge, 77, 3);
  w.settle();
  CHECK_EQ(pushed(w), 1u);
  CHECK(w[1].outcome(r).tag == 77 && w[1].outcome(r).source == 0 && in == out);
  settle_clean(w);
}

TEST("08 the receiver closes, abandons, or loses its sender, with a message in its receive") {
  for (int how = 0; how < 4; ++how) {
    World w(with(kCopyDirect));
    Bytes out = pattern(8 << 20, 6), in(8 << 20);
    Posted r = w[1].recv(0, in.data(), in.size(), 1);
    Posted s = w[0].send(1, out.data(), out.size(), 1);
    CHECK_EQ(pushed(w), 1u);
    switch (how) {
      case 0:
        w[1]->begin_close();
        CHECK(!w[1].over(r) || (w[1].collect(), false));  // its sender may write to it
        break;
      case 1:
        w[1]->abandon(Error::Closed);
        break;
      case 2:
        w[1]->peer_gone(0, Cause::Killed);
        break;
      case 3:
        w[0]->abandon(Error::Closed);
        break;
    }
    w.settle(how == 2 ? 0 : kNone);
    w[1].collect();
    if (how == 2) {
      CHECK_EQ(w[1].error(r), Error::PeerExited);
      continue;
    }
    w[0].collect();
    CHECK(w[1].error(r) != Error::None);
    CHECK(w[0].error(s) != Error::None);
    CHECK(w[0]->quiescent() && w[1]->quiescent());
  }
}

TEST("09 by every way to copy that its sender has, and not otherwise") {
  Bytes out = pattern(kLarge, 7);
  for (bool in_heap : {false, true}) {
    for (uint32_t kinds : {uint32_t{kCopyDirect}, uint32_t{kCopyCma}, kCopyHeap | kCopyPipeline, uint32_t{kCopyPipeline}}) {
      World w(with(kinds));
      Bytes own(kLarge);
      unsigned char* in = in_heap ? w[1].heap->base() + w[1]->heap_alloc(kLarge) : own.data();
      Posted r = w[1].recv(0, in, kLarge, 0);
      w[0].send(1, out.data(), kLarge);
      w.settle();
      CHECK_EQ(w[1].error(r), Error::None);
      CHECK(std::equal(out.begin(), out.end(), in));
      CHECK_EQ(pushed(w), (kinds & (kCopyDirect | kCopyCma)) != 0 || (in_heap && (kinds & kCopyHeap) != 0) ? 1u : 0u);
    }
  }
}

TEST("10 what says that a receive is taken finds no room, and follows in order") {
  Options o = with(kCopyDirect);
  o.max_requests = 2048;
  World w(o);
  constexpr uint32_t kMany = 300;  // the reply ring holds about 64 of these pairs
  std::vector<Bytes> in(kMany, Bytes(2000));
  std::vector<Posted> r, s;
  Bytes out = pattern(2000, 8);
  for (uint32_t i = 0; i < kMany; ++i) {
    r.push_back(w[1].recv(0, in[i].data(), 2000, i));
    s.push_back(w[0].send(1, out.data(), 2000, i));
  }
  w.settle();
  for (uint32_t i = 0; i < kMany; ++i) CHECK(w[1].error(r[i]) == Error::None && in[i] == out);
  CHECK(pushed(w) >= kAdverts);
  settle_clean(w);
}

TEST("11 nonsense where receives are advertised is not used") {
  World w(with(kCopyDirect));
  Bytes out = pattern(kLarge, 9), in(kLarge);
  auto* to = reinterpret_cast<Inbound*>(w[1].control->base() + w.layout().inbound(0));
  auto* slot = reinterpret_cast<PublicSlot*>(w[1].control->base() + w.layout().slot(0));
  Posted r = w[1].recv(0, in.data(), kLarge, 5);
  uint64_t proper = to->adverts[0].acquire();
  CHECK(proper != 0);
  const uint64_t words[] = {~0ull, proper + 7, proper + (5ull << 32), 1ull << 32, 0xffffff00u};
  for (uint64_t word : words) {
    to->adverts[0].release(word);
    w[0].send(1, out.data(), kLarge, 6);
    CHECK_EQ(pushed(w), 0u);
    w[1].recv(0, in.data(), kLarge, 6);
    w.settle();
  }
  to->adverts[0].release(proper);
  slot->heap_offset.release(w.geometry.heap_bytes - 1);
  w[0].send(1, out.data(), kLarge, 5);
  CHECK_EQ(pushed(w), 0u);
  w.settle();
  CHECK_EQ(w[1].error(r), Error::None);
  CHECK(in == out);
}

TEST("12 a short message that its receive took out of the ring is not in the way") {
  for (bool advertised_first : {true, false}) {
    World w(with(kCopyDirect));
    Bytes out = pattern(kLarge, 12), in(kLarge), word(8);
    Posted r{};
    if (advertised_first) r = w[1].recv(0, in.data(), kLarge, 5);
    w[0].send(1, out.data(), word.size(), 6);
    CHECK(w[1].recv(0, word.data(), word.size(), 6).handle == kNoHandle);
    if (!advertised_first) r = w[1].recv(0, in.data(), kLarge, 5);
    w[0].send(1, out.data(), kLarge, 5);
    CHECK_EQ(pushed(w), 1u);
    w.settle();
    CHECK_EQ(w[1].error(r), Error::None);
    CHECK(in == out);
  }
}

CHECK_MAIN("engine/adverts")
