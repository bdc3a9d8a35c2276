// Strict blocking: a receiver's system calls are not cut short, and what is posted meanwhile is delivered on return from
// them, as the hardware does for flags 0. Done by Syscall User Dispatch, of registered threads only.
#pragma once

#include "thread.h"

namespace emulator {

constexpr long kSetSyscallUserDispatch = 59;  // PR_SET_SYSCALL_USER_DISPATCH

void dispatch_on(Thread& t);
void dispatch_off(Thread& t);

// Any system call of a dispatched thread but those of the ABI.
void dispatched_call(Thread& t, Context* c);
// Program handlers that left by longjmp leave calls behind that no longer exist.
void forget_abandoned_calls(Thread& t, const Context* c);

}  // namespace emulator
