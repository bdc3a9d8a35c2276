#include "rounds.h"

#include <deque>

#include "buffer.h"
#include "bytes.h"
#include "engine/schedule.h"
#include "reduction/reduction.h"
#include "talk.h"

namespace kills {

using namespace uintr;

namespace {

uint64_t key_of(const Member& m, uint32_t round, uint32_t from, uint32_t to, uint32_t k) {
  return Random::of(m.plan().seed, round, from, to, k).next();
}

// Whoever is there to talk to, in this life of the world.
std::vector<uint32_t> others(const Member& m) {
  std::vector<uint32_t> ranks;
  for (uint32_t r = 0; r < kRanks; ++r)
    if (r != m.rank()) ranks.push_back(r);
  return ranks;
}

// ---- traffic: numbered messages of every length, in both directions --------------------

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

// ---- wildcards: they wait while anybody is left who could send -----------------------------

void wildcards(Member* m, uint32_t round) {
  constexpr uint32_t kEach = 4;
  struct Message {
    uint32_t from, k;
    unsigned char rest[3000];
  };
  const auto length_of = [](uint32_t k) { return k % 2 == 0 ? uint64_t{16} : sizeof(Message); };
  std::deque<Op> sends, receives;
  std::deque<Message> out, in;
  std::vector<uint32_t> came(kRanks);
  for (const uint32_t peer : others(*m)) {
    for (uint32_t k = 0; k < kEach; ++k) {
      out.push_back({m->rank(), k, {}});
      sends.emplace_back();
      m->send(&sends.back(), peer, context_of(round, 0), k, &out.back(), length_of(k));
      in.emplace_back();
      receives.emplace_back();
      m->receive(&receives.back(), kAnySource, context_of(round, 0), kAnyTag, &in.back(), sizeof(Message));
      m->step();
    }
  }
  std::vector<bool> seen(receives.size());
  m->until([&] {
    for (size_t i = 0; i < receives.size(); ++i) {
      if (!receives[i].over || seen[i]) continue;
      seen[i] = true;
      const Completion& c = receives[i].outcome();
      m->judge(receives[i], c.source);
      if (c.error != Error::None) continue;
      HOLDS(in[i].from == c.source && in[i].k < kEach && c.length == length_of(in[i].k));
      ++came[c.source];
    }
    for (const uint32_t peer : others(*m))
      if (came[peer] != kEach && !(*m).gone(peer)) return false;
    for (const Op& op : sends)
      if (!op.over) return false;
    return true;
  });
  for (Op& op : receives) {
    if (op.over) continue;
    (*m)->cancel(op.posted.handle);  // or it is being matched
    m->until_over(op);
    const Error e = op.error();
    HOLDS(e == Error::Cancelled || e == Error::PeerExited || e == Error::None);
  }
  // What was sent first has met the receive that was posted first.
  std::vector<uint32_t> next(kRanks);
  for (size_t i = 0; i < receives.size(); ++i) {
    if (receives[i].error() != Error::None) continue;
    HOLDS(in[i].k >= next[in[i].from]);
    next[in[i].from] = in[i].k + 1;
  }
  for (size_t i = 0; i < sends.size(); ++i) m->judge(sends[i], others(*m)[i / kEach]);
}

// ---- a collective operation: everybody's numbers, added up ------------------------------------

void collective(Member* m, uint32_t round) {
  constexpr uint32_t kNumbers = 9000;
  std::vector<uint32_t> own(kNumbers, m->rank() + 1), sum(own);
  std::vector<std::vector<uint32_t>> theirs(kRanks, std::vector<uint32_t>(kNumbers));
  std::vector<ScheduleStep> steps;
  const uint32_t add = reduce_kind(ReduceType::U32, ReduceOp::Sum);
  const uint64_t bytes = kNumbers * sizeof(uint32_t);
  auto bytes_of = [](std::vector<uint32_t>& v) { return reinterpret_cast<unsigned char*>(v.data()); };
  for (const uint32_t peer : others(*m))
    steps.push_back({ScheduleStep::Kind::Receive, peer, bytes_of(theirs[peer]), nullptr, bytes, 0, 0});
  for (const uint32_t peer : others(*m))
    steps.push_back({ScheduleStep::Kind::Send, peer, nullptr, bytes_of(own), bytes, 0, 0});
  steps.push_back({ScheduleStep::Kind::End, 0, nullptr, nullptr, 0, 0, 0});
  for (const uint32_t peer : others(*m))
    steps.push_back({ScheduleStep::Kind::Reduce, 0, bytes_of(sum), bytes_of(theirs[peer]), bytes, add, 0});
  Schedule schedule{};
  schedule.steps = steps.data();
  schedule.count = static_cast<uint32_t>(steps.size());
  schedule.context = context_of(round, 0);
  for (const uint32_t peer : others(*m))
    if (m->revived(peer)) return;
  Op op;
  m->collective(&op, &schedule);
  bool given_up = false;
  m->until([&] {
    bool somebody = false;
    for (const uint32_t peer : others(*m)) somebody |= m->gone(peer);
    // As the layer above: whoever hears of a death gives it up, for the others have.
    if (somebody && !given_up && !op.over) {
      (*m)->cancel(op.posted.handle);
      given_up = true;
    }
    return op.over;
  });
  if (op.error() == Error::Cancelled) {
    HOLDS(given_up);
  } else if (op.error() != Error::None) {
    m->judge(op, op.outcome().source);
  } else {
    for (const uint32_t n : sum) HOLDS(n == 1 + 2 + 3);
  }
}

// ---- messages that are lent -----------------------------------------------------------------

void lend(Member* m, uint32_t round) {
  constexpr uint64_t kBytes = 20'000;
  std::deque<Op> sends, receives;
  std::vector<Buffer> out, in;
  // What is lent lies in memory of the lender's life of now, which is held for as long as it is looked at.
  std::vector<std::unique_ptr<HeapMapping, ReleaseHeap>> held(kRanks);
  for (const uint32_t peer : others(*m)) {
    if (HeapMapping* heap = m->joined().heap_of(peer); heap != nullptr) {
      heap->retain();
      held[peer].reset(heap);
    }
    out.emplace_back(m, kBytes, true);
    fill(out.back().data(), kBytes, key_of(*m, round, m->rank(), peer, 0));
    sends.emplace_back();
    m->send(&sends.back(), peer, context_of(round, 0), 0, out.back().data(), kBytes, false, true);
    const bool borrows = m->random().below(4) != 0;
    in.emplace_back(m, borrows ? 0 : kBytes, false);
    receives.emplace_back();
    m->receive(&receives.back(), peer, context_of(round, 0), 0, in.back().data(), kBytes, borrows);
    m->step();
  }
  const auto peers = others(*m);
  std::vector<bool> taken(receives.size());
  // Not until(): others wait for what this rank holds back.
  auto through = [&] {
    bool all = true;
    for (size_t i = 0; i < receives.size(); ++i) {
      all &= sends[i].over && taken[i];
      if (!receives[i].over || taken[i] || m->random().one_in(3)) continue;
      taken[i] = true;
      const Completion& c = receives[i].outcome();
      m->judge(receives[i], peers[i]);
      if (c.error != Error::None) continue;
      Loan loan;
      const uint64_t key = key_of(*m, round, peers[i], m->rank(), 0);
      if ((*m)->loan(c.handle, &loan)) {
        HOLDS(loan.lender == peers[i] && loan.length == kBytes);
        // Also when its lender has died since: the memory is as it was.
        HOLDS(is_filled(held[loan.lender]->base() + loan.offset, kBytes, key));
        (*m)->give_back(c.handle);
      } else {
        if (c.heap_offset != kNoHeap) in[i].adopt(m, c.heap_offset);
        HOLDS(is_filled(in[i].data(), kBytes, key));
      }
    }
    return all;
  };
  while (!through()) m->step();
  for (size_t i = 0; i < sends.size(); ++i) m->judge(sends[i], peers[i]);
}

// ---- messages that are probed for, and taken out of matching -----------------------------------

void probe(Member* m, uint32_t round) {
  constexpr uint64_t kLengths[] = {100, 5'000, 90'000};
  std::deque<Op> sends;
  std::deque<Buffer> out;
  for (const uint32_t peer : others(*m)) {
    for (uint32_t k = 0; k < 3; ++k) {
      out.emplace_back(m, kLengths[k], false);
      fill(out.back().data(), kLengths[k], key_of(*m, round, m->rank(), peer, k));
      sends.emplace_back();
      m->send(&sends.back(), peer, context_of(round, 0), k, out.back().data(), kLengths[k]);
    }
  }
  (*m)->watch(true);
  for (const uint32_t peer : others(*m)) {
    for (uint32_t k = 0; k < 3; ++k) {
      Envelope envelope{};
      Handle handle = kNoHandle;
      m->until([&] {
        Error error;
        handle = (*m)->improbe(peer, context_of(round, 0), k, &envelope, &error);
        HOLDS(error == Error::None);
        return handle != kNoHandle || m->gone(peer);
      });
      if (handle == kNoHandle) continue;
      HOLDS(envelope.source == peer && envelope.tag == k && envelope.length == kLengths[k]);
      for (uint32_t i = m->random().below(4); i > 0; --i) m->step();
      Buffer in(m, envelope.length, false);
      Op op;
      m->post(&op, (*m)->imrecv(handle, in.data(), envelope.length, false));
      m->until_over(op);
      m->judge(op, peer);
      if (op.error() == Error::None)
        HOLDS(is_filled(in.data(), envelope.length, key_of(*m, round, peer, m->rank(), k)));
    }
  }
  (*m)->watch(false);
  (*m)->take_sightings();
  m->until([&] {
    for (const Op& op : sends)
      if (!op.over) return false;
    return true;
  });
  for (size_t i = 0; i < sends.size(); ++i) m->judge(sends[i], others(*m)[i / 3]);
}

// ---- requests that are taken back ------------------------------------------------------------

// A long message whose sender, or whose receiver, tries to take it back at any moment. The sender tells what came of it.
void cancel(Member* m, uint32_t round) {
  constexpr uint64_t kBytes = 90'000;
  const auto peers = others(*m);
  struct Part {
    Op send, receive, tell, hear;
    std::vector<unsigned char> out, in;
    uint32_t taken_back = 0, told = 0;
    bool told_yet = false, settled = false;
  };
  std::vector<Part> parts(peers.size());
  for (size_t i = 0; i < peers.size(); ++i) {
    Part& p = parts[i];
    p.out.resize(kBytes), p.in.resize(kBytes);
    fill(p.out.data(), kBytes, key_of(*m, round, m->rank(), peers[i], 0));
    m->receive(&p.receive, peers[i], context_of(round, 0), 0, p.in.data(), kBytes);
    m->receive(&p.hear, peers[i], context_of(round, 1), 0, &p.told, sizeof p.told);
    for (uint32_t n = m->random().below(3); n > 0; --n) m->step();
    m->send(&p.send, peers[i], context_of(round, 0), 0, p.out.data(), kBytes);
    for (uint32_t n = m->random().below(3); n > 0; --n) m->step();
    // The receiver's try: what it takes back it posts again.
    if (!p.receive.over && m->random().one_in(2) && (*m)->cancel(p.receive.posted.handle)) {
      m->until_over(p.receive);
      HOLDS(p.receive.error() == Error::Cancelled);
      m->receive(&p.receive, peers[i], context_of(round, 0), 0, p.in.data(), kBytes);
    }
    // And the sender's.
    if (!p.send.over && m->random().one_in(2)) p.taken_back = (*m)->cancel(p.send.posted.handle) ? 1 : 0;
  }
  m->until([&] {
    bool all = true;
    for (size_t i = 0; i < parts.size(); ++i) {
      Part& p = parts[i];
      if (p.send.over && !p.told_yet) {
        p.told_yet = true;
        HOLDS((p.taken_back != 0) == (p.send.error() == Error::Cancelled));
        if (p.taken_back == 0) m->judge(p.send, peers[i]);
        m->send(&p.tell, peers[i], context_of(round, 1), 0, &p.taken_back, sizeof p.taken_back);
      }
      if (p.hear.over && !p.settled) {
        p.settled = true;
        m->judge(p.hear, peers[i]);
        if (p.hear.error() == Error::None && p.told != 0) {
          // Nobody else has matched it, so it can be taken back, unless the end of the peer was first.
          HOLDS(p.receive.over ? p.receive.error() == Error::PeerExited : (*m)->cancel(p.receive.posted.handle));
        }
      }
      // Once more, for its sender may have matched it in the meantime, and not come to say so.
      if (!p.receive.over && !p.settled && m->random().one_in(4) && (*m)->cancel(p.receive.posted.handle)) {
        m->until_over(p.receive);
        m->receive(&p.receive, peers[i], context_of(round, 0), 0, p.in.data(), kBytes);
      }
      all &= p.told_yet && p.tell.over && p.settled && p.receive.over;
    }
    return all;
  });
  for (size_t i = 0; i < parts.size(); ++i) {
    Part& p = parts[i];
    m->judge(p.tell, peers[i]);
    if (p.receive.error() == Error::Cancelled)
      HOLDS(p.told != 0);
    else
      m->judge(p.receive, peers[i]);
    if (p.receive.error() == Error::None)
      HOLDS(is_filled(p.in.data(), kBytes, key_of(*m, round, peers[i], m->rank(), 0)));
  }
}

// ---- receives that find no memory --------------------------------------------------------------

void stall(Member* m, uint32_t round) {
  constexpr uint64_t kBytes = 40'000;
  const auto peers = others(*m);
  std::deque<Op> sends;
  std::vector<std::vector<unsigned char>> out;
  for (const uint32_t peer : peers) {
    out.emplace_back(kBytes);
    fill(out.back().data(), kBytes, key_of(*m, round, m->rank(), peer, 0));
    sends.emplace_back();
    m->send(&sends.back(), peer, context_of(round, 0), 0, out.back().data(), kBytes);
  }
  // All there is, in pieces, so that some of it can come back.
  std::vector<uint64_t> blocks;
  for (uint64_t bytes = m->joined().geometry.heap_bytes; bytes >= 32'768;) {
    const uint64_t at = (*m)->heap_alloc(bytes);
    if (at == kNoHeap)
      bytes /= 2;
    else
      blocks.push_back(at);
  }
  const bool gives_up = m->random().one_in(2);
  for (const uint32_t peer : peers) {
    Op op;
    Buffer in;
    m->receive(&op, peer, context_of(round, 0), 0, nullptr, 0, true);
    m->until([&] { return op.over || (*m)->is_stalled(op.posted.handle); });
    for (uint32_t n = m->random().below(4); n > 0; --n) m->step();
    if (!op.over && gives_up && (*m)->give_up_stalled(op.posted.handle)) {
      m->until_over(op);
      HOLDS(op.error() == Error::NoMemory);
      // The message is there for the next receive.
      in = Buffer(m, kBytes, false);
      m->receive(&op, peer, context_of(round, 0), 0, in.data(), kBytes);
    }
    if (!op.over) {
      while (!blocks.empty()) {
        (*m)->heap_free(blocks.back());
        blocks.pop_back();
      }
    }
    m->until_over(op);
    m->judge(op, peer);
    if (op.error() != Error::None) continue;
    if (op.outcome().heap_offset != kNoHeap) in.adopt(m, op.outcome().heap_offset);
    HOLDS(is_filled(in.data(), kBytes, key_of(*m, round, peer, m->rank(), 0)));
  }
  for (const uint64_t at : blocks) (*m)->heap_free(at);
  m->until([&] {
    for (const Op& op : sends)
      if (!op.over) return false;
    return true;
  });
  for (size_t i = 0; i < sends.size(); ++i) m->judge(sends[i], peers[i]);
}

// ---- more replies than a reply ring holds --------------------------------------------------------

void flood(Member* m, uint32_t round) {
  constexpr uint32_t kEach = 100;  // 96 bytes of replies each, and 8 KiB of room
  const auto peers = others(*m);
  std::deque<Op> sends, receives;
  unsigned char byte = 0;
  std::vector<unsigned char> in(peers.size() * kEach);
  for (size_t i = 0; i < peers.size(); ++i)
    for (uint32_t k = 0; k < kEach; ++k)
      m->send(&sends.emplace_back(), peers[i], context_of(round, 0), k, &byte, 1, true);
  for (size_t i = 0; i < peers.size(); ++i) {
    for (uint32_t k = 0; k < kEach; ++k)
      m->receive(&receives.emplace_back(), peers[i], context_of(round, 0), k, &in[i * kEach + k], 1);
  }
  m->until([&] {
    for (size_t i = 0; i < sends.size(); ++i)
      if (!sends[i].over || !receives[i].over) return false;
    return true;
  });
  for (size_t i = 0; i < sends.size(); ++i) {
    m->judge(sends[i], peers[i / kEach]);
    m->judge(receives[i], peers[i / kEach]);
  }
}

}  // namespace

bool run_rounds(Member* m) {
  const Plan& plan = m->plan();
  for (uint32_t round = 0; round < plan.rounds.size(); ++round) {
    m->board()->where[m->rank()] = round;
    if (round == plan.leaves_in && m->rank() == plan.leaver) {
      Traffic last(m, round);
      last.run(false);
      m->leave(m->random().one_in(2));
      return false;
    }
    switch (plan.rounds[round]) {
      case Kind::Traffic:
        Traffic(m, round).run(true);
        break;
      case Kind::Wildcards:
        wildcards(m, round);
        break;
      case Kind::Collective:
        collective(m, round);
        break;
      case Kind::Lend:
        lend(m, round);
        break;
      case Kind::Probe:
        probe(m, round);
        break;
      case Kind::Cancel:
        cancel(m, round);
        break;
      case Kind::Stall:
        stall(m, round);
        break;
      case Kind::Flood:
        flood(m, round);
        break;
    }
  }
  m->board()->where[m->rank()] = static_cast<uint32_t>(plan.rounds.size());
  return true;
}

// ---- what is left ------------------------------------------------------------------------------

namespace {

std::vector<uint32_t> living(const Member& m) {
  std::vector<uint32_t> ranks;
  for (const uint32_t peer : others(m))
    if ((m.board()->alive.load() >> peer & 1) != 0) ranks.push_back(peer);
  return ranks;
}

}  // namespace

void run_last_round(Member* m) {
  constexpr uint64_t kLengths[] = {0, 8, 1000, 1024, 3000, 20'000, 65'537, 400'000};
  const auto peers = living(*m);
  const uint32_t round = kMostRounds;
  struct Part {
    Op send, receive;
    std::vector<unsigned char> out, in;
  };
  for (uint32_t k = 0; k < std::size(kLengths); ++k) {
    std::vector<Part> parts(peers.size());
    for (size_t i = 0; i < peers.size(); ++i) {
      Part& p = parts[i];
      p.out.resize(kLengths[k] + 1), p.in.resize(kLengths[k] + 1);
      fill(p.out.data(), kLengths[k], key_of(*m, round, m->rank(), peers[i], k));
      m->receive(&p.receive, peers[i], kLastContext, k, p.in.data(), kLengths[k]);
      m->send(&p.send, peers[i], kLastContext, k, p.out.data(), kLengths[k]);
    }
    for (size_t i = 0; i < peers.size(); ++i) {
      Part& p = parts[i];
      m->until([&] { return p.send.over && p.receive.over; });
      HOLDS(p.send.error() == Error::None && p.receive.error() == Error::None);
      HOLDS(is_filled(p.in.data(), kLengths[k], key_of(*m, round, peers[i], m->rank(), k)));
    }
  }
  // The peer has received all that went before, and says so; then all credit is back, and each of these goes at once.
  const uint32_t credit = m->joined().geometry.credit_blocks;
  std::deque<Op> sends, receives;
  unsigned char byte = 0, in[kRanks];
  for (const uint32_t peer : peers) {
    m->receive(&receives.emplace_back(), peer, kLastContext + 1, 0, &in[peer], 1);
    m->send(&sends.emplace_back(), peer, kLastContext + 1, 0, &byte, 1, true);
  }
  m->until([&] {
    for (size_t i = 0; i < peers.size(); ++i)
      if (!sends[i].over || !receives[i].over) return false;
    return true;
  });
  for (const uint32_t peer : peers) {
    for (uint32_t n = 0; n < credit; ++n) {
      Op op;
      m->send(&op, peer, kLastContext + 2, 0, &byte, 1);
      HOLDS(op.over && op.error() == Error::None);
    }
  }
  for (const uint32_t peer : peers) {
    for (uint32_t n = 0; n < credit; ++n) {
      Op op;
      m->receive(&op, peer, kLastContext + 2, 0, &in[peer], 1);
      m->until_over(op);
      HOLDS(op.error() == Error::None);
    }
  }
  // Nothing of the dead is left: no request, no message, no memory.
  m->until([&] { return (*m)->quiescent(); });
  QueueView queues{};
  (*m)->queues(&queues);
  HOLDS(queues.slots_used == 0 && queues.posted == 0 && queues.active == 0 && queues.queued_sends == 0);
  const uint64_t whole = (*m)->heap_alloc(m->joined().geometry.heap_bytes);
  HOLDS(whole != kNoHeap);
  (*m)->heap_free(whole);
}

// ---- while somebody is stopped -------------------------------------------------------------------

void keep_talking(Member* m) {
  static thread_local bool talking = false;
  static thread_local uint32_t talked = 0;
  const uint32_t stopped = m->board()->stopped.load();
  // Not at once: what is under way with it goes on for a while, into whatever it has left half done.
  if (talking || stopped == talked || !m->random().one_in(16)) return;
  talking = true;
  // Nor with one that may not be there yet, or not any more.
  const uint32_t silent = m->plan().stoppable() | m->plan().mortal() | m->plan().early();
  for (const uint32_t peer : others(*m)) {
    if (((silent >> peer | silent >> m->rank()) & 1) != 0) continue;
    for (const uint64_t length : {uint64_t{100}, uint64_t{100'000}}) {
      std::vector<unsigned char> out(length), in(length);
      fill(out.data(), length, stopped);
      Op send, receive;
      m->receive(&receive, peer, kTalkContext, stopped, in.data(), length);
      m->send(&send, peer, kTalkContext, stopped, out.data(), length);
      m->until([&] { return send.over && receive.over; });
      // It may be on its way out, as this one may.
      if (receive.error() == Error::None) HOLDS(is_filled(in.data(), length, stopped));
      else if (receive.error() != Error::Closed) m->judge(receive, peer);
      if (send.error() != Error::Closed) m->judge(send, peer);
    }
  }
  talked = stopped;
  m->board()->talked[m->rank()] = stopped;
  talking = false;
}

}  // namespace kills
