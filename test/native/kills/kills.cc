// Ranks are real processes, over the engine, the drivers and the bootstrap as they are, and one of them ends at a named
// step of a protocol: killed, replaced by another program, or stopped. The others' requests settle, with the right error;
// they go on with each other, and end; and nothing is left behind. README.md tells how to use it.
#include <signal.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <map>

#include "process.h"
#include "run.h"

using namespace kills;
using Choice = uintr::DriverOptions::Choice;

namespace {

// Only one driver comes there.
constexpr const char* kOfUintr = "interrupt.senduipi";

struct Options {
  uint64_t runs = 150, seed = 1;
  std::string step;     // one run, as it was printed: of that seed, to end there, which is reached so often
  uint32_t typical = 0;
  std::string only;     // failpoints that begin with this
  Choice driver = Choice::Auto;
  bool list = false, verbose = false;
};

Options read_options(int argc, char** argv) {
  Options o;
  for (int i = 1; i < argc; ++i) {
    const std::string name = argv[i];
    auto value = [&]() -> const char* {
      if (i + 1 < argc) return argv[++i];
      std::fprintf(stderr, "kills: %s needs a value\n", name.c_str());
      std::exit(2);
    };
    if (name == "--runs") {
      o.runs = std::strtoull(value(), nullptr, 10);
    } else if (name == "--seed") {
      o.seed = std::strtoull(value(), nullptr, 10);
    } else if (name == "--only") {
      o.only = value();
    } else if (name == "--driver") {
      const std::string driver = value();
      o.driver = driver == "uintr" ? Choice::Uintr : driver == "poll" ? Choice::Poll : Choice::Signal;
    } else if (name == "--replay") {
      o.runs = 1;
      o.seed = std::strtoull(value(), nullptr, 10);
      o.step = value();
      o.typical = static_cast<uint32_t>(std::strtoul(value(), nullptr, 10));
      o.verbose = true;
    } else if (name == "--list") {
      o.list = true;
    } else if (name == "--verbose") {
      o.verbose = true;
    } else {
      std::fprintf(stderr, "kills: unknown option %s\n", argv[i]);
      std::exit(2);
    }
  }
  return o;
}

// Resident memory of this process, in KiB.
uint64_t resident() {
  std::ifstream statm("/proc/self/statm");
  uint64_t pages = 0;
  statm >> pages >> pages;
  return pages * 4;
}

// What is known of each step from the runs so far; the last entry is of all of them together.
struct Tally {
  explicit Tally(size_t steps) : reached(steps + 1), ended(steps + 1), typical(steps + 1, 1) {}
  std::vector<uint64_t> reached, ended, typical;

  void add(const Trail& trail, size_t steps) {
    if (const uint32_t died = trail.died.load(); died != 0) ++ended[died - 1];
    uint64_t all = 0;
    for (size_t i = 0; i < steps; ++i) {
      all += trail.reached[i].load();
      add(i, trail.reached[i].load());
    }
    add(steps, all);
  }

 private:
  // How often a process is there that comes there at all; of late.
  void add(size_t i, uint64_t times) {
    reached[i] += times;
    if (times != 0) typical[i] = (3 * typical[i] + times) / 4;
    if (typical[i] == 0) typical[i] = 1;
  }
};

}  // namespace

int main(int argc, char** argv) {
  if (argc == 2 && std::strcmp(argv[1], kLinger) == 0) {
    for (;;) pause();
  }
  const Options options = read_options(argc, argv);
  const auto& names = failpoints();
  if (options.list) {
    for (const std::string& name : names) std::printf("%s\n", name.c_str());
    return 0;
  }
  std::vector<uint32_t> wanted;
  for (uint32_t i = 0; i < names.size(); ++i)
    if (names[i].starts_with(options.only) && (names[i] != kOfUintr || options.driver == Choice::Uintr))
      wanted.push_back(i);
  if (wanted.empty() && options.only != "*") {
    std::fprintf(stderr, "kills: no failpoint begins with %s\n", options.only.c_str());
    return 2;
  }
  prctl(PR_SET_CHILD_SUBREAPER, 1);
  char directory[] = "/tmp/uintr-kills-XXXXXX";
  if (mkdtemp(directory) == nullptr) return 2;
  Board* board = Board::make();
  const int descriptors = open_descriptors();
  Tally tally(names.size());
  uint64_t deaths = 0, stops = 0, quiet = 0, warm = 0, failed = 0;
  for (uint64_t run = 0; run < options.runs && failed == 0; ++run) {
    const uint64_t seed = options.seed + run;
    Random random = Random::of(seed, 3);
    // Any step at all now and then; else one of those at which fewest have ended.
    uint32_t chosen = kMostFailpoints;
    if (!wanted.empty() && !random.one_in(8)) {
      chosen = wanted[random.below(static_cast<uint32_t>(wanted.size()))];
      for (int tries = 0; tries < 4; ++tries) {
        const uint32_t other = wanted[random.below(static_cast<uint32_t>(wanted.size()))];
        if (tally.ended[other] < tally.ended[chosen]) chosen = other;
      }
    }
    const std::string name = !options.step.empty() ? options.step : chosen == kMostFailpoints ? "*" : names[chosen];
    const uint32_t typical = options.typical != 0         ? options.typical
                             : chosen == kMostFailpoints ? static_cast<uint32_t>(tally.typical[names.size()])
                                                         : static_cast<uint32_t>(tally.typical[chosen]);
    const Plan plan = plan_for(seed, name, typical, options.driver);
    if (options.verbose) std::printf("%llu: %s\n", static_cast<unsigned long long>(seed), plan.text().c_str());
    std::fflush(stdout);
    const Outcome outcome = run_once(plan, board, directory);
    deaths += outcome.deaths, stops += outcome.stops;
    quiet += outcome.deaths + outcome.stops == 0;
    for (const auto& process : board->trails)
      for (const Trail& trail : process) tally.add(trail, names.size());
    if (!outcome.wrong.empty()) {
      ++failed;
      std::fprintf(stderr, "run %llu: %s\n  %s\n  again: kills --replay %llu %s %u\n",
                   static_cast<unsigned long long>(seed), outcome.wrong.c_str(), plan.text().c_str(),
                   static_cast<unsigned long long>(seed), name.c_str(), typical);
    }
    if (run == 50) warm = resident();
  }
  std::filesystem::remove_all(directory);
  if (failed != 0) return 1;
  if (open_descriptors() != descriptors || threads() != 1 || world_mappings() != 0 || (warm != 0 && resident() > warm + 4096)) {
    std::fprintf(stderr, "the runner itself has lost descriptors, threads or memory: %d and %d descriptors, %llu and %llu KiB\n",
                 descriptors, open_descriptors(), static_cast<unsigned long long>(warm),
                 static_cast<unsigned long long>(resident()));
    return 1;
  }
  uint32_t never = 0, unreached = 0;
  for (const uint32_t i : wanted) {
    if (options.verbose)
      std::printf("%8llu ended, %10llu times reached: %s\n", static_cast<unsigned long long>(tally.ended[i]),
                  static_cast<unsigned long long>(tally.reached[i]), names[i].c_str());
    never += tally.ended[i] == 0;
    unreached += tally.reached[i] == 0;
    if (tally.reached[i] == 0 && options.runs >= 1000) std::printf("never reached: %s\n", names[i].c_str());
    else if (tally.ended[i] == 0 && options.runs >= 1000) std::printf("nobody ended at: %s\n", names[i].c_str());
  }
  std::printf("ok kills: %llu runs, %llu ends and %llu stops at %zu of %zu steps, %u never reached, %llu runs without any\n",
              static_cast<unsigned long long>(options.runs), static_cast<unsigned long long>(deaths),
              static_cast<unsigned long long>(stops), wanted.size() - never, wanted.size(), unreached,
              static_cast<unsigned long long>(quiet));
  return 0;
}
