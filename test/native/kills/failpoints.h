// How a process of this test comes to its end: at a named step of the product (engine/failpoint.h), the n-th time it is
// there.
#pragma once

#include <atomic>
#include <cstdint>
#include <string>
#include <vector>

#include "engine/types.h"

namespace kills {

constexpr uint32_t kMostFailpoints = 256;

enum class How : uint32_t {
  Kill,      // SIGKILL
  Exit,      // _exit: no destructor and no exit handler runs
  Exec,      // another program takes its pid
  Stop,      // SIGSTOP, and when the others have gone on without it, SIGCONT
  StopKill,  // SIGSTOP, and when the others have gone on without it, SIGKILL
  Thread,    // one rank of a process ends as worker.terminate() ends it: when it is out of the engine, with no close()
};
constexpr uint32_t kHows = 6;
const char* name_of(How how);

struct Arm {
  std::string name;  // "": none; "*": whichever comes
  uint32_t hit = 1;
  How how = How::Kill;
  uint32_t rank = uintr::kNone;  // whose thread's visits count; kNone: all
  // Is the process gone for good?
  bool deadly() const { return !name.empty() && how != How::Stop && how != How::Thread; }
};

// What a process tells of itself, in memory that its runner shares.
struct Trail {
  std::atomic<uint32_t> reached[kMostFailpoints];
  std::atomic<uint32_t> died;  // index of the failpoint, plus one
};

// All that there are in this program.
const std::vector<std::string>& failpoints();

// From here on for this process, whichever thread gets there.
void set_failpoint(const Arm& arm, Trail* trail);
// The calling thread is this rank.
void is_thread_of(uint32_t rank);
// Is the calling thread to end? True once.
bool takes_end();

// The argument with which this program, executed anew, does nothing until it is killed.
constexpr const char* kLinger = "--linger";

}  // namespace kills
