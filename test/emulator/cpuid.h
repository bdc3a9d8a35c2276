// CPUID(7,0).EDX[5], where the processor can make CPUID fault: then it is a #GP, which arrives as SIGSEGV.
#pragma once

#include <signal.h>

#include "thread.h"

namespace emulator {

void cpuid_trap();
bool cpuid_emulate(const siginfo_t* info, Context* c);

}  // namespace emulator
