// The seccomp filter that makes the ABI's numbers trap. Filters outlive exec and add up, so an inherited one is found
// out first, by calling.
#pragma once

#include <signal.h>

#include "thread.h"

namespace emulator {

void filter_install();
bool filter_is_ours(const siginfo_t* info);
// While filter_install() tries out what is trapped.
bool filter_probed(const siginfo_t* info, Context* c);

}  // namespace emulator
