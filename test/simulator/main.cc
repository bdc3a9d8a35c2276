// The program: see usage below, and README.md for what it explores.
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "litmus.h"
#include "programs.h"
#include "scenarios.h"
#include "search.h"

namespace simulator {
namespace {

constexpr const char* kUsage =
    "simulator                               the normal run: litmus tests, exhaustive, random\n"
    "simulator --exhaustive [--only TEXT] [--bound N] [--limit EXECUTIONS]\n"
    "simulator --random N [--seed S]         N random programs from seed S on\n"
    "simulator --replay NAME:CHOICES         as printed by a failure; add --trace to see every step\n"
    "simulator --mutants [--only TEXT]       every planted bug must be found\n"
    "--mutant NAME, before any of these, switches one of them on\n";

struct Arguments {
  bool exhaustive = false, mutants = false;
  const char* replay = nullptr;
  const char* mutant = nullptr;
  Limits limits;
  bool usage = false;
};

Arguments parse(int argc, char** argv, Machine* machine) {
  Arguments a;
  for (int i = 1; i < argc; ++i) {
    std::string option = argv[i];
    auto value = [&]() -> const char* {
      if (i + 1 < argc) return argv[++i];
      a.usage = true;
      return "";
    };
    auto number = [&] { return std::strtoull(value(), nullptr, 10); };
    if (option == "--exhaustive") {
      a.exhaustive = true;
    } else if (option == "--mutants") {
      a.mutants = true;
    } else if (option == "--random") {
      a.limits.random = number();
    } else if (option == "--seed") {
      a.limits.seed = number();
    } else if (option == "--only") {
      a.limits.only = value();
    } else if (option == "--bound") {
      a.limits.bound = static_cast<int>(number());
    } else if (option == "--limit") {
      a.limits.executions = number();
    } else if (option == "--replay") {
      a.replay = value();
    } else if (option == "--mutant") {
      a.mutant = value();
    } else if (option == "--trace") {
      machine->tracing = true;
    } else {
      a.usage = true;
    }
  }
  return a;
}

int replay_one(Machine* machine, const std::string& what) {
  size_t colon = what.find(':');
  std::string name = what.substr(0, colon);
  std::unique_ptr<EngineCase> program;
  Case* c = find_litmus(name);
  for (const Scenario& s : scenarios()) {
    if (s.engine_case->name == name) c = s.engine_case.get();
  }
  if (c == nullptr && !name.empty() && name.find_first_not_of("0123456789") == std::string::npos) {
    program = random_case(std::strtoull(name.c_str(), nullptr, 10));
    c = program.get();
  }
  if (c == nullptr) {
    std::printf("no such case: %s\n", name.c_str());
    return 2;
  }
  Outcome o = replay(machine, c, from_text(colon == std::string::npos ? "" : what.substr(colon + 1)));
  std::printf("%s\n", o.failure.empty() ? "ok" : o.failure.c_str());
  return o.failure.empty() ? 0 : 1;
}

int run(int argc, char** argv) {
  static Machine machine;
  Arguments a = parse(argc, argv, &machine);
  if (a.usage) {
    std::fputs(kUsage, stderr);
    return 2;
  }
  if (a.mutant != nullptr && !switch_on(a.mutant)) {
    std::fprintf(stderr, "no such mutant in this build: %s\n", a.mutant);
    return 2;
  }
  if (a.replay != nullptr) return replay_one(&machine, a.replay);
  if (a.mutants) return run_mutants(&machine, a.limits);
  bool all = !a.exhaustive && a.limits.random == 0;
  Totals totals;
  if (all) run_litmus_tests(&machine, &totals);
  if (all || a.exhaustive) run_exhaustive(&machine, a.limits, &totals);
  if (all) a.limits.random = kNormalRandom;
  if (a.limits.random != 0) run_random(&machine, a.limits, &totals);
  std::printf("states explored: %llu, in %llu executions\n", static_cast<unsigned long long>(totals.points),
              static_cast<unsigned long long>(totals.executions));
  std::printf(totals.failed != 0 ? "%llu executions\n" : "ok simulator %llu checks\n",
              static_cast<unsigned long long>(totals.executions));
  return totals.failed != 0;
}

}  // namespace
}  // namespace simulator

int main(int argc, char** argv) { return simulator::run(argc, argv); }
