// The one handler of all the emulator's signals. Everything is blocked while it runs, so it is never on top of itself,
// except around a system call that it makes for the program.
#include <signal.h>

#include "calls.h"
#include "config.h"
#include "cpuid.h"
#include "dispositions.h"
#include "filter.h"
#include "inject.h"
#include "instructions.h"
#include "receiver.h"
#include "stats.h"
#include "strict.h"

namespace emulator {
namespace {

constexpr int kSysSeccomp = 1, kSysUserDispatch = 2;  // si_code of SIGSYS

bool illegal_instruction(Thread& t, siginfo_t* info, Context* c) {
  if (info->si_code <= 0) return false;
  switch (execute(t, c)) {
    case Outcome::Done:
      return true;
    case Outcome::Protection:
      raise_fault(c, SIGSEGV);
      return true;
    case Outcome::NotOurs:
      return false;
  }
  return false;
}

bool system_call(Thread& t, siginfo_t* info, Context* c) {
  const bool dispatched = info->si_code == kSysUserDispatch;
  if (!dispatched && !(info->si_code == kSysSeccomp && filter_is_ours(info))) return false;
  forget_abandoned_calls(t, c);
  if (filter_probed(info, c)) return true;
  if (is_abi_call(reg(c, REG_RAX))) {
    reg(c, REG_RAX) = abi_call(t, c);
  } else if (dispatched) {
    dispatched_call(t, c);
  } else {
    return false;
  }
  return true;
}

bool notification(Thread& t, siginfo_t* info) {
  count(k_recognised);
  if (info->si_code == SI_TIMER) {
    count(k_injected_spurious);
    inject_timer_again(t);
  }
  if (t.registered) {
    inject_on_notification(t);
    recognise(t);
  }
  return true;
}

}  // namespace
}  // namespace emulator

extern "C" __attribute__((visibility("hidden"))) void emulator_handle(int signal_number, siginfo_t* info, void* context,
                                                                      emulator::Record* record) {
  using namespace emulator;
  auto* c = static_cast<Context*>(context);
  Thread& t = this_thread();
  bool ours;
  switch (signal_number) {
    case SIGILL:
      ours = illegal_instruction(t, info, c);
      break;
    case SIGSYS:
      ours = system_call(t, info, c);
      break;
    case SIGSEGV:
      ours = cpuid_emulate(info, c);
      break;
    default:
      ours = notification(t, info);
      break;
  }
  if (!ours) chain(t, signal_number, info, c);
  deliver(t, c, record);
}
