// The match word of a rendezvous, in the world segment: {generation, state}. It
// decides, by compare-and-swap, what two ranks could otherwise both decide:
// whether a message is matched or withdrawn, and, of an advertised receive,
// whether its sender matches it or its receiver does.
//
// The word is writable by every rank of the world, so each value is judged
// before it is used. Who copies what does not hang on it, nor does the end of
// what both ends know to be matched (claim.h).
#pragma once

#include "engine/failpoint.h"
#include "engine/layout.h"

namespace uintr::match {

enum State : uint32_t { Open = 0, Matched = 1, Closed = 2, Withdrawn = 3 };

constexpr uint64_t make(uint32_t generation, State state) { return (uint64_t{generation} << 32) | state; }

// The sender offers: before the envelope is published. Or a receiver advertises.
inline void open(MatchWord* m, uint32_t gen) { m->word.release(make(gen, Open)); }

// Open → Matched (the receiver matches) or Open → Withdrawn (the sender takes it
// back). Exactly one of the two can win. `met`: what the word said before.
inline bool decide(MatchWord* m, uint32_t gen, State to, uint64_t* met = nullptr) {
  uint64_t expected = make(gen, Open);
  bool won = m->word.cas_sc(&expected, make(gen, to));
  UINTR_FAILPOINT("match.decided");
  if (met != nullptr) *met = expected;
  return won;
}

// Matched → Open: a receiver that has no memory for what it took hands it back,
// before it has said Match. False: the sender has given the message up, and
// waits to hear of it.
inline bool hand_back(MatchWord* m, uint32_t gen) {
  uint64_t expected = make(gen, Matched);
  return m->word.cas_sc(&expected, make(gen, Open));
}

inline bool is_open(const MatchWord* m, uint32_t gen) { return m->word.acquire() == make(gen, Open); }

// Had the receiver taken an offer of this generation when the word said `w`?
inline bool taken(uint64_t w, uint32_t gen) { return w == make(gen, Matched) || w == make(gen, Closed); }

// A sender gives up what may be matched, and has not heard Match. False: nobody
// has it, and nobody takes it any more.
inline bool close(MatchWord* m, uint32_t gen) {
  UINTR_FAILPOINT("match.closing");
  // SYNC POINT: hand-back. Whoever is second of the two sees the other's word:
  // a receiver that finds Closed tells the sender (Core::hand_back).
  return taken(m->word.exchange_sc(make(gen, Closed)), gen);
}

}  // namespace uintr::match
