#include "filter.h"

#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "calls.h"
#include "config.h"
#include "gate.h"
#include "refuse.h"

namespace emulator {
namespace {

// SECCOMP_RET_DATA of the emulator's filters, + the ABI; comes back as si_errno.
constexpr uint32_t kMark = 0x5570;

bool probing;
int found;  // the mark of a filter that trapped the probe; 0: none did

// Calls with arguments that do nothing on any kernel: they are refused, or yield.
int trapped_by(long number) {
  probing = true;
  found = 0;
  kernel(number, 0, 0, -1, 0, 0, 0);
  probing = false;
  return found;
}

uint32_t mark_of(Abi abi) { return kMark + static_cast<uint32_t>(abi); }

}  // namespace

bool filter_is_ours(const siginfo_t* info) {
  return static_cast<uint32_t>(info->si_errno) == mark_of(config.abi) || probing;
}

bool filter_probed(const siginfo_t* info, Context* c) {
  if (!probing) return false;
  found = info->si_errno;
  reg(c, REG_RAX) = -ENOSYS;
  return true;
}

void filter_install() {
  // One number of each ABI that is in no other.
  constexpr long kProbes[] = {449, 455, 471};
  bool inherited = false;
  for (const long number : kProbes) {
    const int by = trapped_by(number);
    if (by == 0) continue;
    if (static_cast<uint32_t>(by) != mark_of(config.abi)) {
      refuse("a seccomp filter that this process has inherited traps system call %ld", number);
    }
    inherited = true;
  }
  if (inherited) return;

  const auto first = static_cast<uint32_t>(abi_base());
  sock_filter program[] = {
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, arch)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, AUDIT_ARCH_X86_64, 0, 4),
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
      BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, first, 0, 2),
      BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, first + static_cast<uint32_t>(kCalls), 1, 0),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_TRAP | mark_of(config.abi)),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  };
  const sock_fprog filter{sizeof program / sizeof *program, program};
  const auto install = [&filter] {
    return kernel(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC, &filter);
  };
  long result = install();
  if (result == -EACCES) {
    // Without CAP_SYS_ADMIN it takes this promise, which keeps set-user-ID programs from being what they are.
    kernel(SYS_prctl, PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    result = install();
  }
  if (result != 0) refuse("the seccomp filter is refused (errno %ld)", -result);
  if (static_cast<uint32_t>(trapped_by(abi_base())) != mark_of(config.abi)) {
    refuse("the seccomp filter does not trap system call %ld", abi_base());
  }
}

}  // namespace emulator
