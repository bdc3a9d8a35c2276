// What the program does with cases: the normal searches, and the mutants that
// these must find.
#pragma once

#include <cstdint>
#include <string>

#include "machine.h"

namespace simulator {

constexpr uint64_t kNormalRandom = 150000;

struct Limits {
  std::string only;         // cases or mutants whose name contains this
  int bound = -1;           // of all exhaustive searches; -1: each scenario's own
  uint64_t executions = 0;  // of one exhaustive search; 0: no limit
  uint64_t random = 0;
  uint64_t seed = 1;
};

struct Totals {
  uint64_t executions = 0;
  uint64_t points = 0;  // Outcome::points
  uint32_t failed = 0;
};

void run_litmus_tests(Machine* machine, Totals* totals);
void run_exhaustive(Machine* machine, const Limits& limits, Totals* totals);
void run_random(Machine* machine, const Limits& limits, Totals* totals);

// Exit code.
int run_mutants(Machine* machine, const Limits& limits);
bool switch_on(const std::string& mutant);

}  // namespace simulator
