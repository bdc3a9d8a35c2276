// Every planted bug must be found by the same searches that pass the engine as
// it is, within about the same budget.
#include <cstdio>

#include "programs.h"
#include "scenarios.h"
#include "search.h"

namespace simulator {

namespace {

struct Found {
  bool found = false;
  uint64_t executions = 0;
  std::string where, failure;
};

// The same choices on the engine as it is: a failure there is not the mutant's.
bool passes_without(Machine* machine, Case* c, const Outcome& o) {
  const Mutant* mutant = std::exchange(active_mutant, nullptr);
  bool passes = replay(machine, c, o.taken).failure.empty();
  active_mutant = mutant;
  return passes;
}

bool random_programs(Machine* machine, uint64_t from, uint64_t to, Found* result) {
  for (uint64_t seed = from; seed < to; ++seed) {
    std::unique_ptr<EngineCase> c = random_case(seed);
    uint32_t points = 0;
    for (uint64_t schedule = 0; schedule < 3; ++schedule) {
      Outcome o = randomize(machine, c.get(), seed * 3 + schedule, &points);
      ++result->executions;
      if (o.failure.empty() || !passes_without(machine, c.get(), o)) continue;
      *result = {true, result->executions, "program " + c->name, o.failure};
      return true;
    }
  }
  return false;
}

bool all_scenarios(Machine* machine, const std::string& only, Found* result) {
  for (const Scenario& s : scenarios()) {
    if (!only.empty() && s.engine_case->name != only) continue;
    Outcome o = exhaust(machine, s.engine_case.get(), s.bound, ~0ull);
    result->executions += o.executions;
    if (o.failure.empty() || !passes_without(machine, s.engine_case.get(), o)) continue;
    *result = {true, result->executions, s.engine_case->name, o.failure};
    return true;
  }
  return false;
}

// What was made for it first; then a few random programs, because most mutants
// fall to those at once; then all the rest that the engine as it is must pass.
Found search(Machine* machine, const Mutant& m, uint64_t random) {
  Found result;
  uint64_t few = random / 10 + 1;
  (*m.home != 0 && all_scenarios(machine, m.home, &result)) || random_programs(machine, 1, few, &result) ||
      all_scenarios(machine, "", &result) || random_programs(machine, few, random + 1, &result);
  return result;
}

}  // namespace

int run_mutants(Machine* machine, const Limits& limits) {
  uint32_t missed = 0, found = 0;
  for (const Mutant& m : mutants()) {
    if (std::string(m.name).find(limits.only) == std::string::npos) continue;
    active_mutant = &m;
    Found f = search(machine, m, limits.random != 0 ? limits.random : kNormalRandom / 3);
    active_mutant = nullptr;
    if (f.found) {
      ++found;
      std::printf("%-26s found after %7llu executions in %s: %s\n", m.name,
                  static_cast<unsigned long long>(f.executions), f.where.c_str(), f.failure.c_str());
    } else {
      ++missed;
      std::printf("%-26s MISSED in %llu executions: %s\n", m.name, static_cast<unsigned long long>(f.executions),
                  m.what);
    }
    std::fflush(stdout);
  }
  if (missed == 0) std::printf("ok simulator-mutants %u checks\n", found);
  return missed != 0;
}

}  // namespace simulator
