#include "addon/tsc.h"

#include <cpuid.h>
#include <uv.h>

#include "engine/arch.h"

namespace uintr::tsc {
namespace {

struct Reading {
  uint64_t ns = uv_hrtime();
  uint64_t cycles = arch::cycles();
};

// As the addon is loaded: by the time anybody asks, long enough ago to tell the rate.
const Reading loaded;

constexpr uint64_t kLeastNs = 1'000'000;

}  // namespace

bool is_invariant() {
  // Once: where it is trapped, CPUID takes long.
  static const bool invariant = [] {
    unsigned a = 0, b = 0, c = 0, d = 0;
    return __get_cpuid(0x80000007, &a, &b, &c, &d) != 0 && (d & (1u << 8)) != 0;
  }();
  return invariant;
}

uint64_t cycles_in(uint64_t microseconds) {
  if (!is_invariant()) return 0;
  Reading now;
  while (now.ns - loaded.ns < kLeastNs) now = Reading();
  return (now.cycles - loaded.cycles) / ((now.ns - loaded.ns) / 1000) * microseconds;
}

}  // namespace uintr::tsc
