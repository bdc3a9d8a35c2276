// Random programs: several messages of all sorts, every way of waiting, cancels,
// probes, deaths, closings, in a random geometry. A program and its schedule
// are both functions of one seed.
#pragma once

#include <memory>

#include "engine_case.h"

namespace simulator {

std::unique_ptr<EngineCase> random_case(uint64_t seed);

}  // namespace simulator
