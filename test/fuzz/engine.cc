// Three ranks, of which rank 0 lies: an input is a program of calls of all three, between which what rank 0 may write is
// scribbled over. Collective operations are among them. Whatever it does, the two honest ones make no access outside their memory and buffers, end each request
// once and touch nothing of it afterwards, have what they send each other, and get rid of what they had with the liar.
// sources: src-native/engine/*.cc
#include <algorithm>
#include <memory>
#include <vector>

#include "collectives.h"
#include "engine/liar.h"
#include "input.h"

using namespace test;
using fuzz::Input;

namespace {

constexpr uint32_t kHonest = 9;        // the context in which the two talk; the liar's rings are not theirs
constexpr uint32_t kHonestTogether = 10;
constexpr uint32_t kSteps = 160;
constexpr uint64_t kLengths[] = {0, 8, 300, 512, 600, 5000, 70000};

unsigned char content(uint32_t source, uint32_t id) { return static_cast<unsigned char>(1 + source * 100 + id % 90); }

struct Request {
  uint32_t rank;
  Posted posted;
  bool receive, honest;
  uint32_t source;                      // of an honest receive
  std::unique_ptr<unsigned char[]> own; // exactly as long as the buffer, so that a sanitizer sees the first byte beside it
  unsigned char* buffer;
  uint64_t length;
  bool settled = false;
  std::vector<unsigned char> then{};    // the buffer as it was when it had settled
};

struct Sent {
  uint32_t id;
  uint64_t length;
};

class Run {
 public:
  explicit Run(Input in) : in_(in), world_(options(in_)), collectives_(world_) {}

  void go() {
    for (uint32_t step = 0; step < kSteps && !in_.empty(); ++step) {
      act();
      settle();
    }
    honest_ones_get_on();
    everything_ends();
  }

 private:
  static Options options(Input& in) {
    Options o = narrow();
    o.heap_bytes = 2 << 20;
    o.trusts_bitmap = false;
    o.reduce = &fuzz::add_bytes;
    const uint8_t how = in.byte();
    o.copy_kinds = (how & 1) != 0 ? kCopyHeap | kCopyPipeline : kCopyPipeline;
    o.interrupts = (how & 2) == 0;
    o.interrupt_wakes = (how & 4) == 0;
    o.elastic = (how & 8) != 0;
    return o;
  }

  void act() {
    const uint32_t rank = in_.pick(3), peer = in_.pick(3);
    Rank& r = world_[rank];
    if (rank == 0 && spoilt_ && in_.pick(4) != 0) return scribble();  // its own engine is not at stake
    const uint8_t what = in_.byte();
    if (what >= 240) return together(what % 4, rank);
    switch (what % 20) {
      case 0:
      case 1:
        return send(rank, peer);
      case 2:
      case 3:
        return receive(rank, peer);
      case 4:
        return keep({rank, r.recv_block(peer == rank ? kAnySource : peer), true, false, peer, nullptr, nullptr, 0});
      case 5:
      case 6:
        r.progress(static_cast<Effort>(in_.pick(3)));
        return;
      case 7:
        r.deliver();
        return;
      case 8:
        r->on_interrupt();
        return;
      case 9:
        if (r->prepare_sleep(in_.flag() ? Attention::Blocked : Attention::Sleeping)) r->resume(in_.flag());
        return;
      case 10:
        r->begin_polling();
        r->resume(in_.flag());
        return;
      case 11:
        if (!r.outcomes.empty()) r->give_back(std::next(r.outcomes.begin(), in_.byte() % r.outcomes.size())->first);
        return;
      case 12: {
        Envelope e;
        r->probe(in_.flag() ? kAnySource : peer, 0, kAnyTag, &e);
        return;
      }
      case 13:
        return take(rank, peer);
      case 14:
        return cancel(rank);
      case 15:
        r->kick(in_.flag());
        return;
      case 16:
        if (world_.options.elastic) come_back();
        return;
      default:
        return scribble();
    }
  }

  void scribble() {
    spoilt_ = true;
    if (in_.flag())
      Forger<Input>(in_, world_, 1 + in_.pick(2)).act();
    else
      match_words_spoilt_ |= spoil(in_, world_);
  }

  unsigned char* buffer(Rank& r, uint64_t length, std::unique_ptr<unsigned char[]>* own, bool in_heap) {
    const uint64_t at = in_heap && length != 0 ? r->heap_alloc(length) : kNoHeap;
    if (at != kNoHeap) return r.heap->base() + at;
    *own = std::make_unique<unsigned char[]>(length);
    return own->get();
  }

  bool between_honest(uint32_t rank, uint32_t peer) const { return rank != 0 && peer != 0 && rank != peer && !lost_; }

  void send(uint32_t rank, uint32_t dest) {
    Rank& r = world_[rank];
    Request q{rank, {}, false, between_honest(rank, dest), rank, nullptr, nullptr, kLengths[in_.pick(7)]};
    const bool synchronous = in_.flag(), in_heap = in_.flag();
    const bool lend = in_heap && !q.honest && in_.flag();
    q.buffer = buffer(r, q.length, &q.own, in_heap);
    const uint32_t id = ids_++;
    std::memset(q.buffer, content(rank, id), q.length);
    q.posted = r->post_send({dest, q.honest ? kHonest : 0, q.honest ? id : in_.pick(3), q.buffer, q.length, synchronous, lend,
                             in_.flag()});
    if (q.honest && !refused(q.posted)) sent_[rank].push_back({id, q.length});
    q.then.assign(q.buffer, q.buffer + q.length);  // what is sent is only read
    keep(std::move(q));
  }

  void receive(uint32_t rank, uint32_t source) {
    Rank& r = world_[rank];
    const bool honest = between_honest(rank, source);
    Request q{rank, {}, true, honest, source, nullptr, nullptr, kLengths[in_.pick(7)]};
    q.buffer = buffer(r, q.length, &q.own, in_.flag());
    std::memset(q.buffer, 0xee, q.length);
    const bool any = !honest && in_.flag();
    q.posted = r->post_recv({any ? kAnySource : source, honest ? kHonest : 0, honest || in_.flag() ? kAnyTag : in_.pick(3),
                             q.buffer, q.length, false, false, in_.flag()});
    if (honest && !refused(q.posted)) ++awaited_[source];
    keep(std::move(q));
  }

  void take(uint32_t rank, uint32_t source) {
    Rank& r = world_[rank];
    Envelope e;
    Error error = Error::None;
    const Handle handle = r->improbe(source, 0, kAnyTag, &e, &error);
    if (handle == kNoHandle) return;
    Request q{rank, {}, true, false, source, nullptr, nullptr, kLengths[in_.pick(7)]};
    q.own = std::make_unique<unsigned char[]>(q.length);
    q.buffer = q.own.get();
    q.posted = r->imrecv(handle, q.buffer, q.length, false);
    keep(std::move(q));
  }

  void cancel(uint32_t rank) {
    if (requests_.empty()) return;
    const Request& q = requests_[in_.byte() % requests_.size()];
    if (q.rank == rank && !q.honest && q.posted.handle != kNoHandle) world_[rank]->cancel(q.posted.handle);
  }

  void together(uint32_t what, uint32_t rank) {
    const uint64_t length = kLengths[in_.pick(7)];
    if (what == 0) {
      collectives_.cancel(in_, rank);
    } else if (what == 1) {
      if (!lost_) collectives_.post_pair(kHonestTogether, length);
    } else {
      collectives_.post(in_, rank, length);
    }
  }

  // The liar dies, and another life of it comes.
  void come_back() {
    for (uint32_t rank : {1u, 2u}) {
      world_[rank]->peer_gone(0, Cause::Killed);
      world_[rank].collect();
    }
    for (Request& q : requests_) q.settled |= q.rank == 0;
    world_.come_back(0, {1, 2});
  }

  static bool arrived(const Completion& c) { return c.error == Error::None || c.error == Error::Truncated; }
  static bool refused(const Posted& p) { return p.handle == kNoHandle && !arrived(p.completion); }

  void keep(Request q) { requests_.push_back(std::move(q)); }

  // Notes what has ended, and what it left behind.
  void settle() {
    for (uint32_t rank : {1u, 2u}) world_[rank].collect();
    collectives_.settle();
    for (Request& q : requests_) {
      if (q.rank == 0 || q.settled || !world_[q.rank].over(q.posted)) continue;
      q.settled = true;
      if (!q.receive || q.buffer == nullptr) continue;
      q.then.assign(q.buffer, q.buffer + q.length);
      const Completion c = world_[q.rank].outcome(q.posted);
      if (q.honest && !refused(q.posted)) {
        if (arrived(c)) ++received_[q.source];
        check_content(q, c);
      }
    }
  }

  void check_content(const Request& q, const Completion& c) {
    if (c.error != Error::None) return;
    const auto& all = sent_[q.source];
    const auto found = std::find_if(all.begin(), all.end(), [&](const Sent& s) { return s.id == c.tag; });
    CHECK(found != all.end());
    CHECK_EQ(found->length, c.length);
    const unsigned char wanted = content(q.source, c.tag);
    CHECK(std::all_of(q.buffer, q.buffer + c.length, [&](unsigned char b) { return b == wanted; }));
    CHECK(std::all_of(q.buffer + c.length, q.buffer + q.length, [](unsigned char b) { return b == 0xee; }));
  }

  // What the two have for each other arrives, though the liar says that nothing is there. They sleep when they may; who
  // is not woken then stays asleep.
  void honest_ones_get_on() {
    for (int quiet = 0, round = 0; quiet < 3 && round < 2000; ++round) {
      bool moved = false;
      for (uint32_t rank : {1u, 2u}) {
        Rank& r = world_[rank];
        const uint64_t pieces = r->pieces_copied();
        moved |= r.deliver();
        moved |= r.progress(Effort::Idle) || r->pieces_copied() != pieces;
        if (!r->prepare_sleep(Attention::Blocked)) {
          moved = true;
        } else {
          r->resume(false);
          moved |= r.woken.exchange(0) != 0;
        }
      }
      settle();
      quiet = moved ? 0 : quiet + 1;
    }
    // Whoever scribbles over a match word can keep a message between two others from being matched.
    if (match_words_spoilt_) return;
    for (uint32_t source : {1u, 2u}) {
      CHECK(received_[source] >= std::min<uint64_t>(awaited_[source], sent_[source].size()));
    }
    collectives_.check_pairs();
  }

  void everything_ends() {
    lost_ = true;
    const bool first_close = in_.flag();
    for (uint32_t rank : {1u, 2u}) {
      if (first_close) world_[rank]->begin_close();
      world_[rank]->peer_gone(0, Cause::Killed);
      world_[rank]->abandon(Error::Timeout);
    }
    world_.settle(0);
    // Through a match word it can look as if the other had matched what it has not.
    world_[1]->peer_gone(2, Cause::Killed);
    world_[2]->peer_gone(1, Cause::Killed);
    settle();
    for (const Request& q : requests_) {
      if (q.rank == 0) continue;
      CHECK(world_[q.rank].over(q.posted));
      // What lies in the heap every rank can write to, the liar too.
      CHECK(q.own == nullptr || std::equal(q.then.begin(), q.then.end(), q.buffer));
    }
    collectives_.check_all_over();
    CHECK(world_[1]->quiescent() && world_[2]->quiescent());
  }

  Input in_;
  World world_;
  fuzz::Collectives collectives_;
  std::vector<Request> requests_;
  std::vector<Sent> sent_[3];
  uint64_t awaited_[3] = {}, received_[3] = {};
  uint32_t ids_ = 0;
  bool spoilt_ = false, match_words_spoilt_ = false;
  bool lost_ = false;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  check::aborts = true;
  check::current = "fuzz/engine";
  Run(Input(data, size)).go();
  return 0;
}
