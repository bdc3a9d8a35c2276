// One run, all of it, from its seed: which world, who does what, and who ends where.
#pragma once

#include <string>
#include <vector>

#include "board.h"
#include "drivers/driver.h"
#include "random.h"

namespace kills {

enum class Kind : uint32_t { Traffic, Wildcards, Collective, Lend, Probe, Cancel, Stall, Flood };
constexpr uint32_t kKinds = 8;
enum class Meeting : uint32_t { Launched, Named, Elastic };

struct Plan {
  uint64_t seed = 0;
  Meeting meeting = Meeting::Launched;
  uintr::DriverOptions::Choice driver = uintr::DriverOptions::Choice::Signal;
  uint32_t copies = 0;       // CopyKind bits
  bool threads = false;      // ranks 1 and 2 are threads of one process
  bool heap_buffers = false;
  std::vector<Kind> rounds;
  // A rank that goes by itself, in the midst of that round, or (kNone) wherever its thread comes to its end.
  uint32_t leaver = uintr::kNone, leaves_in = 0;
  // The launcher is killed when this rank is in this round.
  uint32_t launcher_outlived_by = uintr::kNone, launcher_outlived_in = 0;
  Arm arms[kRanks + 1][kMostLives];  // by process and life; the last process is the launcher

  uint32_t process_of(uint32_t rank) const { return threads && rank == 2 ? 1 : rank; }
  const Arm& arm_of(uint32_t rank) const { return arms[process_of(rank)][0]; }
  // Ranks of which some life may be killed; may be stopped; go before the others, which so see them go, in ranks as bits.
  uint32_t mortal() const;
  uint32_t stoppable() const;
  uint32_t early() const;
  // Any of that: whoever waits for such a one may wait for ever.
  uint32_t unsteady() const;
  std::string text() const;
};

constexpr uint32_t kLauncher = kRanks;

// Where is it worth trying this failpoint, and how? `typical`: how often a process has been there in a run so far.
// `of_a_thread`: a thread ends there, and its process goes on.
Plan plan_for(uint64_t seed, const std::string& failpoint, uint32_t typical, uintr::DriverOptions::Choice driver,
              bool of_a_thread);

}  // namespace kills
