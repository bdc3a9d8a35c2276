// Chooses the header of the processor this is built for.
#pragma once

#if defined(__x86_64__)
#include "engine/arch_x86_64.h"
#else
#error "uintr: no arch header for this processor yet (see engine/arch_x86_64.h)"
#endif
