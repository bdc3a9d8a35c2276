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
  std::weak_ptr<void> store;  // the backing store; expired when no ArrayBuffer has it any more
  bool watched;               // false: `store` could not be had
};

}  // namespace uintr
