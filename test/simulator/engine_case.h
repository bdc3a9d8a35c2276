// A case whose ranks run the engine.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "explore.h"
#include "rank.h"

namespace simulator {

class EngineCase : public Case {
 public:
  // `program` is run by each rank; it ends with finish(), close() or abandon().
  EngineCase(std::string name, Settings settings, std::function<void(Rank&)> program)
      : Case(std::move(name)), settings(settings), program(std::move(program)) {}

  std::string run(Machine* machine, Choices* choices) override;

  Settings settings;
  std::function<void(Rank&)> program;

 private:
  std::vector<Rank> ranks_;
};

// One world for all cases: making its memory is what takes long.
World& the_world();

}  // namespace simulator
