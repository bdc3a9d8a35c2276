#include "search.h"

#include <chrono>
#include <cstdio>

#include "litmus.h"
#include "programs.h"
#include "scenarios.h"

namespace simulator {

namespace {

unsigned long long number(uint64_t n) { return n; }

double seconds() { return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count(); }

void report(const Case& c, const Outcome& outcome) {
  std::printf("FAILED %s: %s\n  replay: simulator%s%s --replay %s:%s --trace\n", c.name.c_str(),
              outcome.failure.c_str(), active_mutant != nullptr ? " --mutant " : "",
              active_mutant != nullptr ? active_mutant->name : "", c.name.c_str(), to_text(outcome.taken).c_str());
  std::fflush(stdout);
}

}  // namespace

void run_litmus_tests(Machine* machine, Totals* totals) { totals->failed += run_litmus(machine, &totals->executions); }

void run_exhaustive(Machine* machine, const Limits& limits, Totals* totals) {
  uint64_t before = totals->executions;
  double begin = seconds();
  uint32_t cases = 0, three = 0, bounds[10] = {};
  for (const Scenario& s : scenarios()) {
    EngineCase* c = s.engine_case.get();
    if (c->name.find(limits.only) == std::string::npos) continue;
    uint32_t bound = limits.bound >= 0 ? static_cast<uint32_t>(limits.bound) : s.bound;
    double at = seconds();
    Outcome o = exhaust(machine, c, bound, limits.executions != 0 ? limits.executions : ~0ull);
    totals->executions += o.executions;
    totals->points += o.points;
    ++cases;
    three += c->settings.ranks > 2;
    ++bounds[bound < 10 ? bound : 9];
    if (!o.failure.empty()) {
      ++totals->failed;
      report(*c, shrink(machine, c, o));
    }
    bool note = seconds() - at > 5 || !o.complete;
    if (note) {
      std::printf("  %s: bound %u, %llu executions, %.1f s%s\n", c->name.c_str(), bound, number(o.executions),
                  seconds() - at, o.complete ? "" : ", incomplete");
      std::fflush(stdout);
    }
  }
  std::printf("exhaustive: %u scenarios (bound", cases);
  for (int b = 0; b < 10; ++b) {
    if (bounds[b] != 0) std::printf(" %d: %u", b, bounds[b]);
  }
  std::printf("; with three ranks: %u), %llu executions, %.1f s\n", three, number(totals->executions - before), seconds() - begin);
}

void run_random(Machine* machine, const Limits& limits, Totals* totals) {
  double begin = seconds();
  uint32_t failed = 0;
  uint64_t three = 0, threads = 0;
  for (uint64_t i = 0; i < limits.random && failed < 5; ++i) {
    uint64_t seed = limits.seed + i;
    std::unique_ptr<EngineCase> c = random_case(seed);
    three += c->settings.ranks > 2;
    threads += c->settings.process != 0;
    // The quiet schedule first; it also tells how long a run is.
    uint32_t points = 0;
    for (uint64_t schedule = 0; schedule < 3; ++schedule) {
      Outcome o = randomize(machine, c.get(), seed * 3 + schedule, &points);
      ++totals->executions;
      totals->points += o.points;
      if (o.failure.empty()) continue;
      ++failed;
      report(*c, shrink(machine, c.get(), o));
      break;
    }
  }
  totals->failed += failed;
  std::printf("random: seeds %llu to %llu (with three ranks: %llu; with threads of one process: %llu), %.1f s\n",
              number(limits.seed), number(limits.seed + limits.random - 1), number(three), number(threads),
              seconds() - begin);
}

bool switch_on(const std::string& mutant) {
  for (const Mutant& m : mutants()) {
    if (mutant == m.name) active_mutant = &m;
  }
  return active_mutant != nullptr;
}

}  // namespace simulator

// Asked by the planted copy of the engine.
bool simulator_planted(const char* name) { return simulator::mutant_is(name); }
