// What the processes of one run tell each other beside the product: a page that all share. Nobody waits by it for
// anything that the product is to do.
#pragma once

#include <sys/mman.h>

#include <atomic>
#include <cstdint>
#include <cstdlib>
#include <new>

#include "failpoints.h"

namespace kills {

constexpr uint32_t kRanks = 3;
constexpr uint32_t kMostLives = 4;
constexpr uint32_t kMostRounds = 8;

// Through: its rounds are over. Ready: and no failpoint of its process ends it any more.
enum class Stage : uint32_t { Starting, Joining, NotJoined, Joined, Through, Ready, Leaving, Left };

struct Board {
  // ---- by the runner
  std::atomic<uint32_t> over;     // 1: who is to go is gone; 2: what follows is among those of `alive`
  std::atomic<uint32_t> alive;    // by rank, as bits
  std::atomic<uint32_t> stopped;  // how often somebody was stopped
  std::atomic<uint32_t> mortal;   // ranks that may be gone, as bits
  // ---- by the ranks
  std::atomic<uint32_t> stage[kRanks];
  std::atomic<uint32_t> life[kRanks];     // of that rank, that has joined last
  std::atomic<int32_t> sees[kRanks][kRanks];  // whose pid it has joined with
  std::atomic<uint32_t> closing, exiting; // ranks that have said so, or are about to
  std::atomic<uint32_t> ended;            // threads that have ended while their process went on
  std::atomic<uint32_t> talked[kRanks];   // how many stops it has gone on without whoever was stopped
  std::atomic<uint64_t> sent[kMostRounds][kRanks][kRanks];  // messages whose send is over and well, as bits
  std::atomic<uint32_t> incarnations[kRanks][kRanks];
  std::atomic<uint32_t> where[kRanks];    // round, for whoever asks why it hangs
  std::atomic<uint32_t> asked;            // by the runner: all are to say what they wait for
  Trail trails[kRanks + 1][kMostLives];   // by process; the last one is the launcher's

  static Board* make() {
    void* at = mmap(nullptr, sizeof(Board), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    return at == MAP_FAILED ? nullptr : new (at) Board();
  }
  Stage stage_of(uint32_t rank) const { return static_cast<Stage>(stage[rank].load()); }
  bool may_be_gone(uint32_t rank) const { return (mortal.load() >> rank & 1) != 0; }
};

}  // namespace kills
