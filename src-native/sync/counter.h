// A 64-bit counter by locked instructions (atomic64_t of Documentation/core-api/local_ops.rst and atomic_t.rst). It wraps.
#pragma once

#include "engine/shared.h"
#include "sync/layout.h"

namespace uintr::sync {

struct alignas(kLine) AtomicCounterWords {
  Shared<uint64_t> value;
};

}  // namespace uintr::sync
