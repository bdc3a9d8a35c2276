// An engine that only counts its handler runs.
#pragma once

#include <cstdint>

#include "engine/engine.h"

namespace uintr {

struct StubEngine {
  uint64_t runs = 0;
  Engine* engine() { return reinterpret_cast<Engine*>(this); }
};

}  // namespace uintr
