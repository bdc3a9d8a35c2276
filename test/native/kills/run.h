// One run from start to end, and what has to hold of it as seen from outside.
#pragma once

#include <string>

#include "plan.h"

namespace kills {

struct Outcome {
  std::string wrong;  // empty: all is as it should be
  uint32_t deaths = 0, stops = 0;
  uint32_t threads = 0;  // that have ended while their process went on
};

// `board` is made anew in its place. Nothing of the run is left when this returns. A run that takes longer hangs.
Outcome run_once(const Plan& plan, Board* board, const std::string& directory, uint32_t hang_seconds);

}  // namespace kills
