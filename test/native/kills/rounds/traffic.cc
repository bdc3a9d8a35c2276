// Numbered messages of every length, in both directions.
#include "round.h"

#include <deque>

#include "kills/buffer.h"
#include "kills/bytes.h"

namespace kills::rounds {

using namespace uintr;

namespace {

constexpr uint32_t kMessages = 16, kWindow = 5;

struct Item {
  uint64_t length;
  uint32_t tag;
  bool synchronous, any_tag, allocate;
};
Item item(const Member& m, uint32_t round, uint32_t from, uint32_t to, uint32_t k) {
  Random r = Random::of(m.plan().seed, round, from, to, k, 5);
  static constexpr uint64_t kAround[] = {0, 8, 500, 1023, 1024, 4000, 12000, 65536};
  uint64_t length = r.below(12) < 10 ? kAround[r.below(8)] + r.below(3) : 70'000 + r.below(150'000);
  return {length, k, r.one_in(8), r.one_in(4), r.one_in(6)};
}

class Traffic {
 public:
  Traffic(Member* m, uint32_t round) : m_(*m), round_(round), parts_(kRanks) {}

  // `until_done` false: posts what it can, and leaves it there.
  void run(bool until_done) {
    while (!done()) {
      for (const uint32_t peer : others(m_)) {
        take(peer);
        while (m_.random().one_in(2)) send(peer);
        while (m_.random().one_in(2)) receive(peer);
      }
      if (!until_done && m_.random().one_in(8)) return;
      m_.step(!can_post() && !done());
    }
  }

 private:
  struct One {
    uint32_t k;
    Op op;
    Buffer buffer;
  };
  struct Part {
    uint32_t sent = 0, received = 0;
    std::deque<One> sending, receiving;
  };

  bool can_post() const {
    for (const uint32_t peer : others(m_)) {
      const Part& p = parts_[peer];
      if (p.sent < kMessages && p.sending.size() < kWindow) return true;
      if (p.received < kMessages && p.receiving.size() < kWindow) return true;
      if (!p.sending.empty() && p.sending.front().op.over) return true;
      if (!p.receiving.empty() && p.receiving.front().op.over) return true;
    }
    return false;
  }

  bool done() const {
    for (const uint32_t peer : others(m_)) {
      const Part& p = parts_[peer];
      if (p.sent < kMessages || p.received < kMessages || !p.sending.empty() || !p.receiving.empty()) return false;
    }
    return true;
  }

  void send(uint32_t peer) {
    Part& p = parts_[peer];
    if (p.sent == kMessages || p.sending.size() >= kWindow) return;
    const Item i = item(m_, round_, m_.rank(), peer, p.sent);
    p.sending.push_back({p.sent, {}, Buffer(&m_, i.length, m_.plan().heap_buffers || m_.random().one_in(4))});
    One& one = p.sending.back();
    fill(one.buffer.data(), i.length, key_of(m_, round_, m_.rank(), peer, p.sent));
    ++p.sent;
    m_.send(&one.op, peer, context_of(round_, 0), i.tag, one.buffer.data(), i.length, i.synchronous);
    note_sent(peer, one);
  }

  // The peer has it in any case, even if this process ends now.
  void note_sent(uint32_t peer, const One& one) {
    if (one.op.over && one.op.error() == Error::None)
      m_.board()->sent[round_][m_.rank()][peer].fetch_or(uint64_t{1} << one.k);
  }

  void receive(uint32_t peer) {
    Part& p = parts_[peer];
    if (p.received == kMessages || p.receiving.size() >= kWindow) return;
    const Item i = item(m_, round_, peer, m_.rank(), p.received);
    p.receiving.push_back(
        {p.received, {}, i.allocate ? Buffer() : Buffer(&m_, i.length, m_.plan().heap_buffers || m_.random().one_in(4))});
    One& one = p.receiving.back();
    ++p.received;
    post_receive(peer, one);
  }
  void post_receive(uint32_t peer, One& one) {
    const Item i = item(m_, round_, peer, m_.rank(), one.k);
    // Of a peer that is gone some messages came whole, and some between them did not, or were taken back: each is asked
    // for by its tag.
    const bool any = i.any_tag && !m_.gone(peer) && peer != m_.plan().leaver;
    m_.receive(&one.op, peer, context_of(round_, 0), any ? kAnyTag : i.tag, one.buffer.data(), i.length,
               i.allocate);
  }

  void take(uint32_t peer) {
    Part& p = parts_[peer];
    // The latest one is taken back and posted anew, or it is too late for that.
    if (!p.receiving.empty() && !p.receiving.back().op.over && m_.random().one_in(12)) {
      One& last = p.receiving.back();
      if (m_->cancel(last.op.posted.handle)) {
        m_.until_over(last.op);
        HOLDS(last.op.error() == Error::Cancelled);
        post_receive(peer, last);
      }
    }
    while (!p.sending.empty() && p.sending.front().op.over) {
      m_.judge(p.sending.front().op, peer);
      note_sent(peer, p.sending.front());
      p.sending.pop_front();
    }
    while (!p.receiving.empty() && p.receiving.front().op.over) {
      One& one = p.receiving.front();
      arrived(peer, one);
      p.receiving.pop_front();
    }
  }

  void arrived(uint32_t peer, One& one) {
    const Item i = item(m_, round_, peer, m_.rank(), one.k);
    const Completion& c = one.op.outcome();
    m_.judge(one.op, peer);
    if (c.error != Error::None) {
      // What its sender knows to be over lies here, or in memory that outlives the sender.
      const uint64_t sent = m_.board()->sent[round_][peer][m_.rank()].load();
      if (c.error == Error::PeerExited && (sent >> one.k & 1) != 0 && !m_.revived(peer) && i.length <= m_.joined().geometry.eager_limit &&
          !i.synchronous)
        wrong(__FILE__, __LINE__, "message " + std::to_string(one.k) + " of rank " + std::to_string(peer) +
                                      " was delivered, and cannot be received");
      return;
    }
    HOLDS(c.source == peer && c.tag == i.tag && c.length == i.length);
    if (i.allocate) one.buffer.adopt(&m_, c.heap_offset);
    HOLDS(is_filled(one.buffer.data(), i.length, key_of(m_, round_, peer, m_.rank(), one.k)));
  }

  Member& m_;
  const uint32_t round_;
  std::vector<Part> parts_;
};

}  // namespace

void traffic(Member* m, uint32_t round) { Traffic(m, round).run(true); }

void leave_in_traffic(Member* m, uint32_t round) {
  Traffic last(m, round);  // whose buffers others copy until it has gone
  last.run(false);
  m->leave(m->random().one_in(2));
}

}  // namespace kills::rounds
