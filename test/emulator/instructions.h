// SIGILL: the five instructions.
#pragma once

#include "thread.h"

namespace emulator {

enum class Outcome {
  Done,      // RIP is past it (or where uiret leads); pending interrupts may be delivered
  NotOurs,   // #UD for another reason
  Protection // #GP
};

Outcome execute(Thread& t, Context* c);

}  // namespace emulator
