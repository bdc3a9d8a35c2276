// The probe for user interrupts: where the kernel has not enabled them its child dies of an instruction, unseen.
//
// sources: src-native/bootstrap/error.cc src-native/drivers/uintr_abi.cc src-native/drivers/uintr_probe.cc
// sources: src-native/drivers/uintr_entry_handler.S src-native/drivers/dispatch_handler.cc
// sources: test/native/bootstrap/engine_stub.cc
// sources: src-native/drivers/restartable_handler.cc src-native/drivers/rseq_add_handler.S
#include "drivers/uintr_probe.h"

#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../check.h"

using namespace uintr;

namespace {
bool reaped = false, dumped = false;
}

// What the probe asks for and what it is told, seen in passing.
extern "C" pid_t waitpid(pid_t pid, int* status, int options) {
  const auto got = static_cast<pid_t>(syscall(SYS_wait4, pid, status, options, nullptr));
  if (got > 0) {
    reaped = true;
    dumped |= WIFSIGNALED(*status) && WCOREDUMP(*status);
  }
  return got;
}

// As the emulator does: the probe takes this for CPUID's bit, and tries testui.
extern "C" int uintr_emulator_present() { return 1; }

TEST("01 a processor whose kernel has not enabled them costs a child, not a core dump of the program") {
  rlimit limit{};
  CHECK(getrlimit(RLIMIT_CORE, &limit) == 0);
  limit.rlim_cur = limit.rlim_max;
  CHECK(setrlimit(RLIMIT_CORE, &limit) == 0);
  char directory[] = "/tmp/uintr-probe-XXXXXX";
  CHECK(mkdtemp(directory) != nullptr);
  CHECK(chdir(directory) == 0);
  const UintrProbe& probe = uintr_probe();
  CHECK(reaped);
  CHECK(probe.abi != nullptr || !probe.reason.empty());
  CHECK(!dumped);
  CHECK(rmdir(directory) == 0);
}

CHECK_MAIN("probe")
