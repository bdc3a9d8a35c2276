#include "cpuid.h"

#include <asm/prctl.h>
#include <cpuid.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "config.h"
#include "gate.h"

namespace emulator {
namespace {
constexpr uint32_t kFeatures = 7, kUintr = 1u << 5;
bool trapped;
}  // namespace

void cpuid_trap() {
  // Of this thread and of all that it creates; exec ends it.
  trapped = config.cpuid && kernel(SYS_arch_prctl, ARCH_SET_CPUID, 0) == 0;
}

bool cpuid_emulate(const siginfo_t* info, Context* c) {
  if (!trapped || info->si_code != SI_KERNEL) return false;
  const auto* code = reinterpret_cast<const uint8_t*>(reg(c, REG_RIP));
  if (code[0] != 0x0f || code[1] != 0xa2) return false;
  const auto leaf = static_cast<uint32_t>(reg(c, REG_RAX)), subleaf = static_cast<uint32_t>(reg(c, REG_RCX));
  uint32_t a, b, cx, d;
  kernel(SYS_arch_prctl, ARCH_SET_CPUID, 1);
  __cpuid_count(leaf, subleaf, a, b, cx, d);
  kernel(SYS_arch_prctl, ARCH_SET_CPUID, 0);
  if (leaf == kFeatures && subleaf == 0) d |= kUintr;
  reg(c, REG_RAX) = a;
  reg(c, REG_RBX) = b;
  reg(c, REG_RCX) = cx;
  reg(c, REG_RDX) = d;
  reg(c, REG_RIP) += 2;
  return true;
}

}  // namespace emulator
