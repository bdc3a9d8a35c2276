// What a closed world leaves behind while a peer may be inside a copy from or to its memory. A peer that is stopped
// there (SIGSTOP, a debugger) stays there for as long as it is stopped, and close() does not wait for that.
#pragma once

#include <node_api.h>

#include <memory>
#include <vector>

#include "addon/backing_store.h"
#include "bootstrap/join.h"

namespace uintr {

struct Remains {
  std::unique_ptr<Joined> joined;   // with the heap, and what tells of the peers' ends
  std::vector<BackingStore> bytes;  // of the buffers
  std::vector<uint32_t> peers;      // that may touch them
};

// Leaves the world for good, and keeps the memory until the last of these peers has gone on or ended. Null `env`: it is
// ending, and its loop is not to look; another environment's will, or nobody.
void remains_keep(napi_env env, Remains remains);
// Gives back what nobody touches any more. Any thread; costs nothing where nothing is kept.
void remains_release();

}  // namespace uintr
