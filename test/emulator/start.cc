// Before main(): everything is in place, or the process has ended.
#include "config.h"
#include "cpuid.h"
#include "dispositions.h"
#include "filter.h"
#include "refuse.h"
#include "stats.h"
#include "thread.h"

#if !defined(__x86_64__) || !defined(__linux__)
#error "user interrupts are of x86-64, and this emulator is for Linux"
#endif

namespace {

__attribute__((constructor(101))) void start() {
  using namespace emulator;
  config_read();
  refuse_unless_possible();
  stats_open();
  count(k_processes);
  thread_prepare();
  dispositions_take();
  filter_install();
  cpuid_trap();
}

}  // namespace

// Tells a program that its processor is this one.
extern "C" __attribute__((visibility("default"))) int uintr_emulator_present(void) { return 1; }
