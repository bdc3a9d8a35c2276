// Each round, by its name, and what they share.
#pragma once

#include <vector>

#include "kills/member.h"
#include "rounds.h"

namespace kills {

// What the k-th message of a round is filled with.
inline uint64_t key_of(const Member& m, uint32_t round, uint32_t from, uint32_t to, uint32_t k) {
  return Random::of(m.plan().seed, round, from, to, k).next();
}

// Whoever is there to talk to, in this life of the world.
inline std::vector<uint32_t> others(const Member& m) {
  std::vector<uint32_t> ranks;
  for (uint32_t r = 0; r < kRanks; ++r)
    if (r != m.rank()) ranks.push_back(r);
  return ranks;
}

namespace rounds {

void traffic(Member* m, uint32_t round);
// Posts what it can, and goes in the midst of it.
void leave_in_traffic(Member* m, uint32_t round);
void wildcards(Member* m, uint32_t round);
void collective(Member* m, uint32_t round);
void lend(Member* m, uint32_t round);
void probe(Member* m, uint32_t round);
void cancel(Member* m, uint32_t round);
void stall(Member* m, uint32_t round);
void flood(Member* m, uint32_t round);

}  // namespace rounds
}  // namespace kills
