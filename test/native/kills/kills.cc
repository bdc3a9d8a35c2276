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

constexpr uint64_t kManyRuns = 1000;  // in which somebody ends everywhere
constexpr uint64_t kMayGrowKiB = 4096;

struct Options {
  uint64_t runs = 150, seed = 1;
  std::string step;     // one run, as it was printed: of that seed, to end there, which is reached so often
  uint32_t typical = 0;
  std::string only;     // failpoints that begin with this
  Choice driver = Choice::Auto;
  uint32_t hang_seconds = 60;  // a run takes a fifth of a second, and some seconds where many share the processors
  bool threads = false;  // only ends of a thread whose process goes on
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
    } else if (name == "--hang") {
      o.hang_seconds = static_cast<uint32_t>(std::strtoul(value(), nullptr, 10));
    } else if (name == "--threads") {
      o.threads = true;
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

// Draws one run after another, and remembers where ranks have ended.
class Runner {
 public:
  explicit Runner(const char* directory) : directory_(directory), board_(Board::make()), tally_(failpoints().size()) {}

  std::string failure;  // of the run that was the last one
  uint64_t runs = 0;

  void run_all(const Options& options) {
    const auto& names = failpoints();
    wanted_.clear();
    for (uint32_t i = 0; i < names.size(); ++i)
      if (names[i].starts_with(options.only) && (names[i] != kOfUintr || options.driver == Choice::Uintr))
        wanted_.push_back(i);
    if (wanted_.empty() && options.only != "*") {
      std::fprintf(stderr, "kills: no failpoint begins with %s\n", options.only.c_str());
      std::exit(2);
    }
    failure.clear();
    for (runs = 0; runs < options.runs && failure.empty(); ++runs) {
      run(options, options.seed + runs);
      if (runs == 50) warm_ = resident();
    }
  }

  // KiB since the first runs.
  uint64_t grown() const { return warm_ == 0 || resident() < warm_ ? 0 : resident() - warm_; }

  void report(const Options& options) const {
    const auto& names = failpoints();
    uint32_t never = 0, unreached = 0;
    for (const uint32_t i : wanted_) {
      if (options.verbose)
        std::printf("%8llu ended, %10llu times reached: %s\n", static_cast<unsigned long long>(tally_.ended[i]),
                    static_cast<unsigned long long>(tally_.reached[i]), names[i].c_str());
      never += tally_.ended[i] == 0;
      unreached += tally_.reached[i] == 0;
      if (tally_.ended[i] == 0 && options.runs >= kManyRuns)
        std::printf("%s: %s\n", tally_.reached[i] == 0 ? "never reached" : "nobody ended at", names[i].c_str());
    }
    std::printf("ok kills: %llu runs, %llu ends, %llu of threads and %llu stops at %zu of %zu steps, %u never reached, "
                "%llu runs without any\n",
                static_cast<unsigned long long>(runs), static_cast<unsigned long long>(deaths_),
                static_cast<unsigned long long>(threads_), static_cast<unsigned long long>(stops_), wanted_.size() - never, wanted_.size(), unreached,
                static_cast<unsigned long long>(quiet_));
  }

 private:
  // Any step at all now and then; else one of those at which fewest have ended.
  uint32_t choose(Random* random) const {
    if (wanted_.empty() || random->one_in(8)) return kMostFailpoints;
    uint32_t chosen = wanted_[random->below(static_cast<uint32_t>(wanted_.size()))];
    for (int tries = 0; tries < 4; ++tries) {
      const uint32_t other = wanted_[random->below(static_cast<uint32_t>(wanted_.size()))];
      if (tally_.ended[other] < tally_.ended[chosen]) chosen = other;
    }
    return chosen;
  }

  void run(const Options& options, uint64_t seed) {
    const auto& names = failpoints();
    Random random = Random::of(seed, 3);
    const uint32_t chosen = choose(&random);
    const bool any = chosen == kMostFailpoints;
    const std::string name = !options.step.empty() ? options.step : any ? "*" : names[chosen];
    const uint32_t typical = options.typical != 0
                                 ? options.typical
                                 : static_cast<uint32_t>(tally_.typical[any ? names.size() : chosen]);
    const Plan plan = plan_for(seed, name, typical, options.driver, options.threads);
    if (options.verbose) std::printf("%llu: %s\n", static_cast<unsigned long long>(seed), plan.text().c_str());
    std::fflush(stdout);
    const Outcome outcome = run_once(plan, board_, directory_, options.hang_seconds);
    deaths_ += outcome.deaths, threads_ += outcome.threads, stops_ += outcome.stops;
    quiet_ += outcome.deaths + outcome.threads + outcome.stops == 0;
    for (const auto& process : board_->trails)
      for (const Trail& trail : process) tally_.add(trail, names.size());
    failure = outcome.wrong;
    if (failure.empty()) return;
    std::fprintf(stderr, "run %llu: %s\n  %s\n  again: kills --replay %llu '%s' %u%s\n",
                 static_cast<unsigned long long>(seed), failure.c_str(), plan.text().c_str(),
                 static_cast<unsigned long long>(seed), name.c_str(), typical, options.threads ? " --threads" : "");
  }

  const std::string directory_;
  Board* board_;
  std::vector<uint32_t> wanted_;
  Tally tally_;
  uint64_t deaths_ = 0, threads_ = 0, stops_ = 0, quiet_ = 0, warm_ = 0;
};

#if defined(UINTR_PLANTED)

// A fault that is planted into the product, to see whether the runs find it.
struct Mutant {
  const char *name, *what, *home;
};
constexpr Mutant kMutants[] = {
#define UINTR_MUTANT(name, what, home) {name, what, home},
#include "engine/planted.inc"
// and the other layer's
#include "bootstrap/planted.inc"
#undef UINTR_MUTANT
};
const char* planted = "";

}  // namespace

bool simulator_planted(const char* name) { return std::strcmp(planted, name) == 0; }

namespace {

// Each in turn, until a run fails.
int run_mutants(Options options, Runner* runner, const std::string& which) {
  uint32_t survived = 0, tried = 0;
  for (const Mutant& mutant : kMutants) {
    if (std::string(mutant.name).find(which) == std::string::npos) continue;
    ++tried;
    planted = mutant.name;
    options.only = mutant.home;
    runner->run_all(options);
    if (runner->failure.empty()) ++survived;
    std::printf("%s: %s (%s)\n", mutant.name,
                runner->failure.empty() ? "NOT FOUND" : ("found in run " + std::to_string(runner->runs) + ": " + runner->failure).c_str(),
                mutant.what);
    std::fflush(stdout);
  }
  std::printf("%s kills-mutants: %u of %u planted faults found\n", survived == 0 ? "ok" : "not ok", tried - survived, tried);
  return survived == 0 ? 0 : 1;
}

#endif

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
  prctl(PR_SET_CHILD_SUBREAPER, 1);
  char directory[] = "/tmp/uintr-kills-XXXXXX";
  if (mkdtemp(directory) == nullptr) return 2;
  Runner runner(directory);
  const int descriptors = open_descriptors();
#if defined(UINTR_PLANTED)
  const int found = run_mutants(options, &runner, options.only);
  std::filesystem::remove_all(directory);
  return found;
#endif
  runner.run_all(options);
  std::filesystem::remove_all(directory);
  if (!runner.failure.empty()) return 1;
  if (open_descriptors() != descriptors || threads() != 1 || world_mappings() != 0 || runner.grown() > kMayGrowKiB) {
    std::fprintf(stderr, "the runner itself has lost descriptors, threads or memory: %d and %d descriptors, %llu KiB more\n",
                 descriptors, open_descriptors(), static_cast<unsigned long long>(runner.grown()));
    return 1;
  }
  runner.report(options);
  return 0;
}
