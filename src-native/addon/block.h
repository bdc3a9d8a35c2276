// A block of the shared heap that JavaScript holds as an ArrayBuffer.
#pragma once

#include <cstdint>
#include <memory>

#include "bootstrap/segments.h"

namespace uintr {

class World;

// Deleted by the ArrayBuffer's finalizer.
struct Block {
  std::shared_ptr<World> world;  // null: given back
  HeapMapping* heap;             // retained
  uint64_t offset;
};

}  // namespace uintr
