// The claim word of a rendezvous, in the world segment: {generation, state,
// next chunk}. It decides, by compare-and-swap, the three things that two ranks
// could otherwise both decide: whether a message is matched or withdrawn, who
// copies a chunk, and that nobody starts another one.
//
// The word is writable by every rank of the world, so each value is judged
// before it is used; nonsense reads as "nothing to claim".
#pragma once

#include "engine/layout.h"

namespace uintr::claim {

enum State : uint32_t { Open = 0, Moving = 1, Closed = 2, Withdrawn = 3 };

constexpr uint32_t kNextBits = 30;
constexpr uint32_t kMaxChunks = (1u << kNextBits) - 1;

constexpr uint64_t make(uint32_t generation, State state, uint32_t next) {
  return (uint64_t{generation} << 32) | (uint32_t{state} << kNextBits) | next;
}
constexpr uint32_t generation(uint64_t w) { return static_cast<uint32_t>(w >> 32); }
constexpr State state(uint64_t w) { return static_cast<State>((w >> kNextBits) & 3); }
constexpr uint32_t next(uint64_t w) { return static_cast<uint32_t>(w) & kMaxChunks; }

// The sender offers: before the envelope is published. Or a receiver advertises.
inline void open(ClaimWord* c, uint32_t gen) { c->word.release(make(gen, Open, 0)); }

// A send that its sender has matched: nobody else ever saw it open.
inline void begin(ClaimWord* c, uint32_t gen) { c->word.release(make(gen, Moving, 0)); }

// Open → Moving (the receiver matches) or Open → Withdrawn (the sender takes it
// back). Exactly one of the two can win. `met`: what the word said before.
inline bool decide(ClaimWord* c, uint32_t gen, State to, uint64_t* met = nullptr) {
  uint64_t expected = make(gen, Open, 0);
  bool won = c->word.cas_sc(&expected, make(gen, to, 0));
  if (met != nullptr) *met = expected;
  return won;
}

// Moving → Open: a receiver that has no memory for what it took hands it back,
// before it has said Match or claimed anything. False: the sender has given the
// message up, and waits to hear of it.
inline bool hand_back(ClaimWord* c, uint32_t gen) {
  uint64_t expected = make(gen, Moving, 0);
  return c->word.cas_sc(&expected, make(gen, Open, 0));
}

inline bool is_open(const ClaimWord* c, uint32_t gen) { return c->word.acquire() == make(gen, Open, 0); }

// Takes the next chunk's index, or kNone where there is none left, the transfer
// is closed, or the slot has moved on to another generation.
inline uint32_t take(ClaimWord* c, uint32_t gen, uint32_t chunks) {
  uint64_t w = c->word.acquire();
  for (;;) {
    if (generation(w) != gen || state(w) != Moving || next(w) >= chunks) return kNone;
    if (c->word.cas_sc(&w, w + 1)) return next(w);
  }
}

inline bool any_left(const ClaimWord* c, uint32_t gen, uint32_t chunks) {
  uint64_t w = c->word.acquire();
  return generation(w) == gen && state(w) == Moving && next(w) < chunks;
}

// Had the receiver taken an offer of this generation when the word said `w`?
inline bool taken(uint64_t w, uint32_t gen) {
  return generation(w) == gen && (state(w) == Moving || state(w) == Closed);
}

// Is this what no correct rank leaves in the word of an active transfer? `own`:
// the word is the asker's, so only the asker moves it to another generation.
inline bool nonsense(const ClaimWord* c, uint32_t gen, uint32_t chunks, bool own) {
  uint64_t w = c->word.acquire();
  if (generation(w) != gen) return own;
  return state(w) == Open || state(w) == Withdrawn || next(w) > chunks;
}

// Nobody claims after this. Returns how many chunks were claimed in all, or
// kNone if the sender's slot has moved on, or nobody had taken the message
// (then the transfer is over).
inline uint32_t close(ClaimWord* c, uint32_t gen) {
  uint64_t w = c->word.acquire();
  for (;;) {
    if (generation(w) != gen) return kNone;
    if (state(w) == Closed) return next(w);
    // SYNC POINT: hand-back. Whoever is second of the two sees the other's word:
    // a receiver that finds Closed tells the sender (Core::hand_back).
    if (c->word.cas_sc(&w, make(gen, Closed, next(w)))) return state(w) == Open ? kNone : next(w);
  }
}

}  // namespace uintr::claim
