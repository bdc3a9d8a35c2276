#include "sync/per_cpu.h"

#include <sched.h>
#include <stdio.h>

namespace uintr::sync {
namespace {

// The last number in "0-7,16-23", the kernel's list of processors.
uint32_t read_possible() {
  uint32_t last = 0;
  if (FILE* file = fopen("/sys/devices/system/cpu/possible", "re")) {
    char text[4096];
    const size_t n = fread(text, 1, sizeof text - 1, file);
    fclose(file);
    uint32_t number = 0;
    for (size_t i = 0; i < n; ++i) {
      const bool digit = text[i] >= '0' && text[i] <= '9';
      number = digit ? number * 10 + static_cast<uint32_t>(text[i] - '0') : 0;
      if (digit && number < 65536) last = number;
    }
  }
  return last + 1;
}

}  // namespace

uint32_t possible_cpus() {
  static const uint32_t cpus = read_possible();
  return cpus;
}

uint32_t current_cpu() {
  const RseqArea* area = rseq_area();
  if (area != nullptr) return area->cpu_id.relaxed();
  const int cpu = sched_getcpu();
  return cpu < 0 ? 0 : static_cast<uint32_t>(cpu);
}

bool has_restartable_sequences() { return rseq_area() != nullptr; }

void PerCpuCounter::add_anywhere(uint64_t n) { slots_[current_cpu() % cpus_].anywhere.add_sc(n); }

uint64_t PerCpuCounter::sum() const {
  uint64_t sum = 0;
  for (uint32_t cpu = 0; cpu < cpus_; ++cpu) sum += slots_[cpu].here.load_sc() + slots_[cpu].anywhere.load_sc();
  return sum;
}

}  // namespace uintr::sync
