// Small protocols whose right answers are known: the simulator's test of
// itself. If it cannot find a store that passed a load, or finds one where the
// processor forbids it, nothing else it says is worth reading.
#pragma once

#include "explore.h"

namespace simulator {

// Runs all of them; prints a line for each that answers wrongly. Returns how
// many did, and adds to *executions.
uint32_t run_litmus(Machine* machine, uint64_t* executions);

// The one with this name, to replay it; nullptr: there is none.
Case* find_litmus(const std::string& name);

}  // namespace simulator
