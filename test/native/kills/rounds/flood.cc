// More replies than a reply ring holds.
#include "round.h"

#include <deque>

namespace kills::rounds {

using namespace uintr;

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

}  // namespace kills::rounds
