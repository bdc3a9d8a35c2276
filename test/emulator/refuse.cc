#include "refuse.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#include <cstdarg>
#include <cstdio>

#include "config.h"
#include "dispositions.h"
#include "gate.h"
#include "strict.h"
#include "upid.h"

namespace emulator {

void refuse(const char* format, ...) {
  char text[512];
  int n = snprintf(text, sizeof text, "uintr emulator: ");
  va_list arguments;
  va_start(arguments, format);
  n += vsnprintf(text + n, sizeof text - n - 1, format, arguments);
  va_end(arguments);
  if (n > static_cast<int>(sizeof text) - 2) n = sizeof text - 2;
  text[n++] = '\n';
  kernel(SYS_write, 2, text, n);
  kernel(SYS_exit_group, kRefused);
  __builtin_unreachable();
}

namespace {

// Until the emulator's own handler is there.
void skip_testui(int, siginfo_t*, void* context) {
  auto* uc = static_cast<ucontext_t*>(context);
  uc->uc_mcontext.gregs[REG_RAX] = 1;
  uc->uc_mcontext.gregs[REG_RIP] += 4;
}

// CPUID alone does not say: where the kernel leaves CR4.UINTR clear, the instructions trap, and that is all the
// emulator needs.
bool instructions_work() {
  KernelAction before, guard{word(skip_testui), SA_SIGINFO | kSaRestorer, word(emulator_restorer), 0};
  kernel(SYS_rt_sigaction, SIGILL, &guard, &before, 8);
  uint64_t trapped = 0;
  asm volatile(".byte 0xf3, 0x0f, 0x01, 0xed" : "+a"(trapped) : : "cc");
  kernel(SYS_rt_sigaction, SIGILL, &before, 0, 8);
  return trapped == 0;
}

}  // namespace

void refuse_unless_possible() {
  const uint64_t illegal = bit_of(SIGILL);
  kernel(SYS_rt_sigprocmask, SIG_UNBLOCK, &illegal, 0, 8);
  if (instructions_work()) refuse("this machine has user interrupts: use them");
  const long fd = kernel(SYS_memfd_create, "uintr-probe", MFD_CLOEXEC | MFD_ALLOW_SEALING);
  if (fd < 0) refuse("memfd_create is refused (errno %ld)", -fd);
  const long again = reopen(static_cast<int>(fd));
  if (again < 0) refuse("/proc/self/fd is not there (errno %ld)", -again);
  kernel(SYS_close, again);
  kernel(SYS_close, fd);
  if (config.strict && kernel(SYS_prctl, kSetSyscallUserDispatch, 0, 0, 0, 0) != 0) {
    refuse("the kernel has no Syscall User Dispatch; UINTR_EMULATOR_STRICT=0 does without");
  }
}

}  // namespace emulator
