// Messages that stay in their sender's arena and are lent.
// sources: src-native/engine/*.cc
#include "engine/records.h"
#include "world.h"

using namespace test;

namespace {

constexpr uint64_t kBytes = 5000;

// As it lies in a ring.
template <class Body>
struct Record {
  RecordHeader header;
  Body body;
};

struct Lender {
  explicit Lender(Rank& rank, uint64_t bytes = kBytes) : rank(rank), offset(rank->heap_alloc(bytes)), length(bytes) {
    auto data = pattern(bytes, 1);
    std::memcpy(at(), data.data(), bytes);
  }
  unsigned char* at() const { return rank.heap->base() + offset; }
  Posted send(uint32_t dest, uint64_t from = 0, uint64_t bytes = kBytes, uint32_t tag = 0) const {
    return rank->post_send({dest, 0, tag, at() + from, bytes, false, true});
  }
  Rank& rank;
  uint64_t offset, length;
};

RequestView::State state(Rank& r, const Posted& p) {
  struct Search {
    Handle handle;
    RequestView::State state;
  } search{p.handle, RequestView::State::Done};
  r->each_request(
      [](void* to, const RequestView& v) {
        auto* s = static_cast<Search*>(to);
        if (v.handle == s->handle) s->state = v.state;
      },
      &search);
  return search.state;
}

Completion borrowed(World& w, uint32_t rank, const Posted& r) {
  Completion c = w[rank].outcome(r);
  CHECK_EQ(c.error, Error::None);
  CHECK(c.heap_offset != kNoHeap && (c.heap_offset & kLent) != 0);
  Loan loan;
  CHECK(w[rank]->loan(r.handle, &loan));
  CHECK_EQ(loan.offset, c.heap_offset & ~kLent);
  CHECK_EQ(loan.length, c.length);
  CHECK_EQ(loan.lender, c.source);
  return c;
}

}  // namespace

TEST("01 a receive without a buffer gets any part of the sender's block where it lies, and nothing is copied") {
  for (uint32_t kinds : {uint32_t{kCopyDirect}, uint32_t{kCopyPipeline}}) {
    for (bool first : {false, true}) {
      for (uint64_t bytes : {uint64_t{1}, uint64_t{100}, kBytes - 3}) {
        Options o;
        o.copy_kinds = kinds;
        World w(o);
        Lender lender(w[0]);
        Posted r{};
        if (first) r = w[1].recv_block(kAnySource);
        Posted s = lender.send(1, 3, bytes, 7);
        if (!first) w[1].progress(), r = w[1].recv_block(0, 7);
        w.settle();
        Completion c = borrowed(w, 1, r);
        CHECK(c.source == 0 && c.tag == 7 && c.length == bytes);
        CHECK_EQ(c.heap_offset & ~kLent, lender.offset + 3);
        CHECK(!w[0].over(s));
        CHECK_EQ(state(w[0], s), RequestView::State::Lent);
        CHECK_EQ(state(w[1], r), RequestView::State::Lent);
        w[1]->give_back(r.handle);
        w[1]->give_back(r.handle);  // once
        w.settle();
        Completion sent = w[0].outcome(s);
        CHECK(sent.error == Error::None && sent.length == bytes && sent.tag == 7);
        Loan loan;
        CHECK(!w[1]->loan(r.handle, &loan));
        CHECK_EQ(w[0].counters().lent, 1u);
        CHECK_EQ(w[1].counters().borrowed, 1u);
        CHECK_EQ(w[0].counters().pieces_copied + w[1].counters().pieces_copied, 0u);
        CHECK_EQ(w[1]->heap_alloc(w.geometry.heap_bytes), uint64_t{0});  // its arena was never touched
        settle_clean(w);
      }
    }
  }
}

TEST("02 handlers alone lend") {
  World w;
  Lender lender(w[0]);
  Posted r = w[1].recv_block(0), s = lender.send(1);
  w.handlers();
  w[1].collect();
  borrowed(w, 1, r);
  w[1]->give_back(r.handle);
  w[0].progress();
  CHECK_EQ(w[0].error(s), Error::None);
  settle_clean(w);
}

TEST("03 a receive with a buffer copies, whoever matches it") {
  for (uint32_t kinds : {uint32_t{kCopyDirect}, uint32_t{kCopyPipeline}}) {
    for (bool first : {false, true}) {
      Options o;
      o.copy_kinds = kinds;
      World w(o);
      Lender lender(w[0]);
      std::vector<unsigned char> in(kBytes);
      Posted r{};
      if (first) r = w[1].recv(0, in.data(), in.size());
      Posted s = lender.send(1);
      if (!first) r = w[1].recv(0, in.data(), in.size());
      w.settle();
      CHECK(w[0].error(s) == Error::None && w[1].error(r) == Error::None);
      CHECK(in == pattern(kBytes, 1));
      CHECK_EQ(w[0].counters().lent, 0u);
      settle_clean(w);
    }
  }
}

TEST("04 one buffer is lent as often as it is sent, to several, in any order back") {
  Options o;
  o.size = 3;
  World w(o);
  Lender lender(w[0]);
  Posted s[4], r[4];
  for (int i = 0; i < 4; ++i) {
    r[i] = w[1 + i % 2].recv_block(0);
    s[i] = lender.send(1 + i % 2, 10 * i, 100);
  }
  w.settle();
  for (int i : {2, 0, 3, 1}) {
    CHECK(!w[0].over(s[i]));
    borrowed(w, 1 + i % 2, r[i]);
    w[1 + i % 2]->give_back(r[i].handle);
    w.settle();
    CHECK_EQ(w[0].error(s[i]), Error::None);
  }
  settle_clean(w);
}

TEST("05 to oneself") {
  World w;
  Lender lender(w[0]);
  Posted s = lender.send(0), r = w[0].recv_block(0);
  w[0].progress();
  borrowed(w, 0, r);
  CHECK(!w[0].over(s));
  w[0]->give_back(r.handle);
  w[0].collect();
  CHECK_EQ(w[0].error(s), Error::None);
  settle_clean(w);
}

TEST("06 taken by a probe, it is lent when it is received") {
  World w;
  Lender lender(w[0]);
  Posted s = lender.send(1);
  Envelope envelope;
  Error error;
  Handle h = w[1]->improbe(0, 0, kAnyTag, &envelope, &error);
  CHECK(h != kNoHandle && envelope.length == kBytes);
  Posted r = w[1]->imrecv(h, nullptr, 0, true);
  w.settle();
  borrowed(w, 1, r);
  CHECK(!w[1]->cancel(r.handle) && !w[0]->cancel(s.handle));
  w[1]->give_back(h);
  w.settle();
  CHECK_EQ(w[0].error(s), Error::None);
  settle_clean(w);
}

TEST("07 before it is matched it can be taken back; what is empty, or no memory of the arena, is not lent") {
  World w;
  Lender lender(w[0]);
  Posted s = lender.send(1);
  CHECK(w[0]->cancel(s.handle));
  Posted r = w[1].recv_block(0);
  w.settle();
  CHECK(!w[1].over(r));
  Posted empty = w[0]->post_send({1, 0, 0, lender.at(), 0, false, true});
  w.settle();
  CHECK(w[0].error(empty) == Error::None && w[1].outcome(r).heap_offset == kNoHeap);
  auto outside = pattern(kBytes, 2);
  r = w[1].recv_block(0);
  Posted copied = w[0]->post_send({1, 0, 0, outside.data(), kBytes, false, true});
  w.settle();
  Completion c = w[1].outcome(r);
  CHECK(w[0].error(copied) == Error::None && c.error == Error::None && (c.heap_offset & kLent) == 0);
  w[1]->heap_free(c.heap_offset);
  settle_clean(w);
}

TEST("08 more loans than the reply ring holds, given back while the lender does not look") {
  Options o;
  o.max_requests = 512;
  World w(o);
  Lender lender(w[0]);
  std::vector<Posted> s, r;
  for (int i = 0; i < 400; ++i) {
    r.push_back(w[1].recv_block(0));
    s.push_back(lender.send(1));
  }
  w.settle(0);
  for (const Posted& p : r)
    if (w[1].over(p)) w[1]->give_back(p.handle);
  w.settle();
  for (const Posted& p : r) w[1]->give_back(p.handle);
  w.settle();
  for (const Posted& p : s) CHECK_EQ(w[0].error(p), Error::None);
  settle_clean(w);
}

TEST("09 a borrower that is gone, or ends without a word, gives the buffer back with an error") {
  World w;
  Lender lender(w[0]);
  Posted r = w[1].recv_block(0), s = lender.send(1);
  w.settle();
  borrowed(w, 1, r);
  w[0]->peer_gone(1, Cause::Killed);
  w[0].collect();
  Completion c = w[0].outcome(s);
  CHECK(c.error == Error::PeerExited && c.cause == Cause::Killed && c.source == 1);
  CHECK(w[0]->quiescent());

  World v;
  Lender other(v[0]);
  r = v[1].recv_block(0), s = other.send(1);
  v.settle();
  v[1]->abandon(Error::PeerExited);
  v[0].progress();
  c = v[0].outcome(s);
  CHECK(c.error == Error::PeerExited && c.cause == Cause::Exited);
}

TEST("10 a lender that is gone, and comes back, is not told; the loan is good until then") {
  Options o;
  o.elastic = true;
  World w(o);
  auto old_heap = w[0].heap->base();
  Lender lender(w[0]);
  Posted r = w[1].recv_block(0), unread = w[1].recv_block(0);
  lender.send(1);
  lender.send(1);
  w[1].engine->progress(Effort::Call);
  Completion first;
  CHECK_EQ(w[1]->drain(&first, 1), 1u);
  // One that the program knows of, and one that it does not.
  w[1]->peer_gone(0, Cause::Killed);
  w[1].collect();
  w[1].outcomes[first.handle] = first;
  borrowed(w, 1, r);
  borrowed(w, 1, unread);
  auto kept = std::move(w[0].heap);
  auto memory = std::move(w[0].memory);
  auto control = std::move(w[0].control);
  w.come_back(0, {1});
  CHECK(std::memcmp(old_heap + lender.offset, pattern(kBytes, 1).data(), kBytes) == 0);
  // In the new life the same slots have loans under way.
  Lender again(w[0]);
  Posted s[2] = {again.send(1), again.send(1)};
  Posted q[2] = {w[1].recv_block(0), w[1].recv_block(0)};
  w.settle();
  w[1]->give_back(r.handle);
  w[1]->give_back(unread.handle);
  w.settle();
  CHECK(!w[0].over(s[0]) && !w[0].over(s[1]));
  for (int i = 0; i < 2; ++i) borrowed(w, 1, q[i]), w[1]->give_back(q[i].handle);
  w.settle();
  CHECK(w[0].error(s[0]) == Error::None && w[0].error(s[1]) == Error::None);
  settle_clean(w);
}

TEST("11 a lender that closes does not wait; what it has not lent yet is received first") {
  World w;
  Lender lender(w[0]);
  Posted r = w[1].recv_block(0), s = lender.send(1), later = lender.send(1);
  w.settle();
  borrowed(w, 1, r);
  w[0]->begin_close();
  w[0].collect();
  CHECK_EQ(w[0].error(s), Error::Closed);
  CHECK(!w[0].over(later));
  Posted second = w[1].recv_block(0);
  w.settle();
  borrowed(w, 1, second);
  CHECK_EQ(w[0].error(later), Error::Closed);
  CHECK(w[0]->quiescent());
  w[0]->publish_life(Life::Closed);
  w[1].progress();
  w[1]->give_back(r.handle);
  w[1]->give_back(second.handle);
  CHECK_EQ(w[1].queues().slots_used, 0u);
}

TEST("12 one that is given up while its Match is on the way ends when that comes") {
  World w;
  Lender lender(w[0]);
  Posted r = w[1].recv_block(0), s = lender.send(1);
  w[1].progress();
  w[0]->abandon(Error::Timeout);
  w[0].collect();
  CHECK_EQ(w[0].error(s), Error::Timeout);
  CHECK(w[0]->quiescent());
  w[1]->give_back(r.handle);
  w.settle();
  CHECK_EQ(w[1].queues().slots_used, 0u);
}

TEST("13 an envelope that lends what is not the sender's, or nothing, is garbage") {
  struct Case {
    uint64_t offset, lend, length;
  };
  Options o;
  for (const Case& c : {Case{kNoHeap, 1, kBytes}, Case{o.heap_bytes - kBytes + 1, 1, kBytes}, Case{~0ull - 100, 1, 200},
                        Case{0, 2, kBytes}, Case{0, 1, 0}}) {
    World w(o);
    Lender lender(w[0]);
    lender.send(1);
    auto& [header, body] = *reinterpret_cast<Record<RtsBody>*>(w[0].control->base() + w.layout().data_ring(1));
    CHECK(header.type == RecordType::Rts && body.lend == 1);
    header.length = c.length, body.heap_offset = c.offset, body.lend = c.lend;
    Posted r = w[1].recv_block(0);
    w[1].progress();
    CHECK_EQ(w[1].error(r), Error::Protocol);
  }
}

TEST("14 a Match that borrows what is not lent, or not all of it, is garbage") {
  struct Case {
    bool lend;
    How how;
    uint64_t length;
  };
  for (const Case& c : {Case{false, How::Lent, kBytes}, Case{true, How::Lent, kBytes - 1},
                        Case{true, static_cast<How>(3), kBytes}}) {
    World w;
    Lender lender(w[0]);
    Posted s = w[0]->post_send({1, 0, 0, lender.at(), kBytes, true, c.lend});
    w[1].progress();
    w[1].recv_block(0);
    auto& [header, body] = *reinterpret_cast<Record<MatchBody>*>(w[1].control->base() + w.layout().reply_ring(0));
    if (!c.lend) {  // copied, and only its Fin is written
      CHECK(header.type == RecordType::Fin);
      header = {kLongRecord, RecordType::Match, 0, 0, 0, 1, kBytes};
      body = {0, kNoHeap, 0, 1, static_cast<uint32_t>(kBytes), How::Lent};
      auto* to = reinterpret_cast<Outbound*>(w[1].control->base() + w.layout().outbound(0));
      to->reply_tail.release(kLongRecord);
    }
    CHECK(header.type == RecordType::Match);
    header.length = c.length, body.how = c.how;
    w[0].progress();
    CHECK_EQ(w[0].error(s), Error::Protocol);
  }
}

CHECK_MAIN("engine/lent")
