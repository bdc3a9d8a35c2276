// The fixed scenarios: small, each about one thing, explored exhaustively.
#pragma once

#include <memory>
#include <vector>

#include "engine_case.h"

namespace simulator {

struct Scenario {
  std::unique_ptr<EngineCase> engine_case;
  uint32_t bound;  // of a normal run
};

const std::vector<Scenario>& scenarios();

}  // namespace simulator
