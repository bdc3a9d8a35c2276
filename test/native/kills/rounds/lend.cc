// Messages that are lent.
#include "round.h"

#include <deque>

#include "kills/buffer.h"
#include "kills/bytes.h"

namespace kills::rounds {

using namespace uintr;

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

}  // namespace kills::rounds
