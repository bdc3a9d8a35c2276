// What ranks do with each other, in rounds that each exercise one part of the engine. In each of them every rank knows
// what every other is to send, and so what is missing when one is gone.
#pragma once

#include "kills/member.h"

namespace kills {

// Runs them all, or until this rank is to go. False: it has gone.
bool run_rounds(Member* member);

// Among those of Board::alive: messages of all sizes, whose credit and memory come back to the last block.
void run_last_round(Member* member);

// A context of its own for each round, and for each of its purposes (0 … 7).
constexpr uint32_t context_of(uint32_t round, uint32_t purpose) { return 64 + round * 8 + purpose; }
constexpr uint32_t kTalkContext = 8, kLastContext = 16;

}  // namespace kills
