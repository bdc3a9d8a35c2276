// Memory of the shared heap that JavaScript holds as an ArrayBuffer: a block of the own arena, or a message that lies in
// its sender's and is lent.
#pragma once

#include <node_api.h>

#include <cstdint>
#include <memory>

#include "bootstrap/segments.h"
#include "engine/types.h"

namespace uintr {

class World;

// Deleted by the ArrayBuffer's finalizer.
struct Block {
  std::shared_ptr<World> world;  // null: given back
  HeapMapping* heap;             // retained
  uint64_t offset;
  Handle loan;                   // kNoHandle: a block
  int64_t uncounted;             // of its bytes, that V8 is not to take for memory of this thread's
  napi_ref buffer;               // of a loan: weak
  std::weak_ptr<void> store;  // the backing store; expired when no ArrayBuffer has it any more
  bool watched;               // false: `store` could not be had
};

}  // namespace uintr
