// The claim word of one end of a transfer, in its public slot: {generation, over,
// inside, how many chunks it has claimed}. Its owner alone writes it, so nobody
// else can make a rank believe that its partner touches a buffer no more.
//
// The receiver takes its chunks from the front and the sender from the back, so
// two numbers say which chunks are left, and each end works in one part of the
// buffers, which with the next message may still be in its cache.
//
// SYNC POINT: claim. An end says that it is inside, or that it gives the transfer
// up, by a sequentially consistent read-modify-write of its own word, then looks
// at the other's. So who goes inside after the other has given up sees that, and
// leaves without copying; and who gives up sees who is still inside, and waits
// for it before it settles. Of two that claim the last chunk at least one sees
// it, and gives it back. Who leaves says so, then looks: of two that finish at
// once at least one sees that all is copied and nobody inside.
#pragma once

#include "engine/layout.h"

namespace uintr::claim {

constexpr uint32_t kOver = 1u << 31;    // has given the transfer up
constexpr uint32_t kInside = 1u << 30;  // inside a copy, of the chunk it has claimed last
// A receive that was advertised and has been taken back: whoever believes that he has matched it there is wrong.
constexpr uint32_t kRetracted = 1u << 29;
constexpr uint32_t kMaxChunks = kRetracted - 1;
// So often an end that meets the other at the last chunk looks again. Two that keep the protocol do not meet so often; one
// that does not is not to hold the other in a handler.
constexpr uint32_t kTries = 1000;

constexpr uint64_t make(uint32_t generation, uint32_t what) { return (uint64_t{generation} << 32) | what; }

// What the other end's word says of the transfer in which it has that generation. `by_advert`: who asks has matched it
// where it was advertised.
struct Seen {
  uint32_t claimed;
  bool inside, over;
};
// Another generation: that end has let go of this transfer, and how much it has copied is not known any more.
constexpr Seen seen(uint64_t word, uint32_t generation, bool by_advert) {
  const auto what = static_cast<uint32_t>(word);
  if (word >> 32 != generation) return {0, false, true};
  // Taken back: what that end copies since then is of another transfer.
  if (by_advert && (what & kRetracted) != 0) return {0, false, true};
  return {what & kMaxChunks, (what & kInside) != 0, (what & kOver) != 0};
}

}  // namespace uintr::claim
