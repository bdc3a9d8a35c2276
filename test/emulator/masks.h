// What a program may block: everything but the emulator's signals, which it only believes it has.
#pragma once

#include "thread.h"

namespace emulator {

// Of `how` and `set` on the calling thread's mask `real`: *was is what the program is told it had, *real what its mask
// is now to be. `real` comes from the kernel when the caller has no context to take it from.
long mask_apply(Thread& t, int how, const uint64_t* set, uint64_t* was, uint64_t* real);
long mask_change(Thread& t, int how, const uint64_t* set, uint64_t* was, uint64_t* real);

}  // namespace emulator
