// Runs one case again and again, each time with other choices.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "machine.h"

namespace simulator {

// Something that can be run: a litmus test, a scenario of the engine.
class Case {
 public:
  explicit Case(std::string name) : name(std::move(name)) {}
  virtual ~Case() = default;
  // One run. Empty: nothing was wrong.
  virtual std::string run(Machine* machine, Choices* choices) = 0;

  const std::string name;
};

struct Outcome {
  uint64_t executions = 0;
  uint64_t points = 0;   // of these: states in which the run could have gone on in several ways
  bool complete = true;  // nothing within the bound was left out
  std::string failure;   // of the last execution; empty: none failed
  std::vector<Choices::Taken> taken;
};

// Every run within `bound`, up to the first failure or `max_executions`.
Outcome exhaust(Machine* machine, Case* c, uint32_t bound, uint64_t max_executions);

// One run with the choices that belong to `seed`. `expected_points`: about how
// many choices it has; the actual number comes back in it.
Outcome randomize(Machine* machine, Case* c, uint64_t seed, uint32_t* expected_points);

Outcome replay(Machine* machine, Case* c, const std::vector<Choices::Taken>& taken);

// Leaves choices out as long as some failure remains.
Outcome shrink(Machine* machine, Case* c, Outcome failed);

}  // namespace simulator
