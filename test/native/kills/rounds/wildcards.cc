// Receives from anybody: they wait while anybody is left who could send.
#include "round.h"

#include <deque>

namespace kills::rounds {

using namespace uintr;

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

}  // namespace kills::rounds
