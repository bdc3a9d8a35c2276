// Receives that find no memory.
#include "round.h"

#include <deque>

#include "kills/buffer.h"
#include "kills/bytes.h"

namespace kills::rounds {

using namespace uintr;

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

}  // namespace kills::rounds
