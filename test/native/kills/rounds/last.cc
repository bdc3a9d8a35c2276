#include "rounds.h"

#include <deque>

#include "kills/bytes.h"
#include "round.h"

namespace kills {

using namespace uintr;

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

}  // namespace kills
