// The system calls of the ABI, under its numbers and with its errnos.
#pragma once

#include "thread.h"

namespace emulator {

constexpr long kCalls = 6;

bool is_abi_call(long number);
long abi_call(Thread& t, Context* c);

}  // namespace emulator
