// How a process of this test comes to its end: at a named step of the product (engine/failpoint.h), the n-th time it is
// there.
#pragma once

#include <atomic>
#include <cstdint>
#include <string>
#include <vector>

namespace kills {

constexpr uint32_t kMostFailpoints = 256;

enum class How : uint32_t {
  Kill,      // SIGKILL
  Exit,      // _exit: no destructor and no exit handler runs
  Exec,      // another program takes its pid
  Stop,      // SIGSTOP, and when the others have gone on without it, SIGCONT
  StopKill,  // SIGSTOP, and when the others have gone on without it, SIGKILL
};
constexpr uint32_t kHows = 5;
const char* name_of(How how);

struct Arm {
  std::string name;  // "": none; "*": whichever comes
  uint32_t hit = 1;
  How how = How::Kill;
  // Is the process gone for good?
  bool deadly() const { return !name.empty() && how != How::Stop; }
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

// The argument with which this program, executed anew, does nothing until it is killed.
constexpr const char* kLinger = "--linger";

}  // namespace kills
