// Are there user interrupts here? Asked step by step, each only if the one before succeeded, because an instruction
// that the kernel has not enabled raises #UD and the numbers of the system calls mean something else on other kernels.
#pragma once

#include <string>

#include "drivers/uintr_abi.h"

namespace uintr {

struct UintrProbe {
  bool cpu = false;               // CPUID(7,0).EDX[5]
  bool enabled = false;           // the kernel has set CR4.UINTR: testui executes
  const UintrAbi* abi = nullptr;  // a user interrupt to oneself arrived by this table; null: see reason
  bool emulated = false;          // by test/emulator
  std::string reason;             // why not
  std::string remedy;             // what would help; may be empty
};

// The answer for this process; the first call finds it out, in child processes, and any thread may call.
const UintrProbe& uintr_probe();

}  // namespace uintr
