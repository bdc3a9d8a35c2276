#include "stats.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#include "config.h"
#include "gate.h"
#include "refuse.h"

namespace emulator {
namespace {
uint64_t own[kCounters];
constexpr long kBytes = 4096;
}  // namespace

uint64_t* counters = own;

void stats_open() {
  if (config.stats == nullptr) return;
  const long fd = kernel(SYS_openat, AT_FDCWD, config.stats, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (fd < 0) refuse("UINTR_EMULATOR_STATS: cannot open '%s' (errno %ld)", config.stats, -fd);
  // Grows an empty file and leaves the counters of others alone.
  if (kernel(SYS_ftruncate, fd, kBytes) < 0) refuse("UINTR_EMULATOR_STATS: cannot size '%s'", config.stats);
  const long at = kernel(SYS_mmap, 0, kBytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  if (at < 0 && at > -4096) refuse("UINTR_EMULATOR_STATS: cannot map '%s' (errno %ld)", config.stats, -at);
  counters = reinterpret_cast<uint64_t*>(at);
  kernel(SYS_close, fd);
}

}  // namespace emulator

extern "C" __attribute__((visibility("default"))) const volatile uint64_t* uintr_emulator_stats(void) {
  return emulator::counters;
}
