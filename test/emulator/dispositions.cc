#include "dispositions.h"

#include <sys/syscall.h>
#include <unistd.h>

#include "config.h"
#include "gate.h"
#include "receiver.h"

namespace emulator {
namespace {

constexpr int kFaults[] = {SIGILL, SIGSYS, SIGSEGV};

// By signal number. Of signals that are not the emulator's, only the handler, and only where there is one.
KernelAction wanted[65];

using Handler = void (*)(int, siginfo_t*, void*);

long install(int signal_number, const KernelAction* action, KernelAction* before) {
  return kernel(SYS_rt_sigaction, signal_number, action, before, 8);
}

// With the default disposition the signal ends the process at the instruction that caused it.
void let_kernel_end(Context* c, int signal_number) {
  const KernelAction by_default{};
  install(signal_number, &by_default, nullptr);
  mask_of(c) &= ~bit_of(signal_number);
}

// In front of every handler of the program's. One that comes while a dispatched call blocks is a return to user mode:
// what was posted meanwhile is delivered before it, and interrupts are on while it runs. It may leave by siglongjmp.
void program_handler(int signal_number, siginfo_t* info, void* context) {
  const auto handler = reinterpret_cast<Handler>(__atomic_load_n(&wanted[signal_number].handler, __ATOMIC_ACQUIRE));
  Thread* t = thread_in_call();
  if (t == nullptr) return handler(signal_number, info, context);
  const uint64_t notification = bit_of(config.notify_signal);
  Call* call = t->call;
  t->call = nullptr;
  unsuppress(*t);
  if (t->uif && t->uirr != 0) {
    kernel(SYS_tgkill, kernel(SYS_getpid), t->tid, config.notify_signal);
  }
  kernel(SYS_rt_sigprocmask, SIG_UNBLOCK, &notification, 0, 8);
  handler(signal_number, info, context);
  kernel(SYS_rt_sigprocmask, SIG_BLOCK, &notification, 0, 8);
  suppress(*t);
  t->call = call;
}

bool is_handler(long handler) { return handler != word(SIG_DFL) && handler != word(SIG_IGN); }

}  // namespace

uint64_t own_signals() {
  return bit_of(SIGILL) | bit_of(SIGSYS) | bit_of(SIGSEGV) | bit_of(config.notify_signal);
}

void dispositions_take() {
  // SA_ONSTACK does nothing for a thread without an alternative stack, and SIGSEGV of a full stack needs it.
  const auto ours = [](long more) {
    return KernelAction{word(emulator_on_signal), SA_SIGINFO | kSaRestorer | more, word(emulator_restorer), kAllSignals};
  };
  const KernelAction plain = ours(0), on_stack = ours(SA_ONSTACK);
  for (const int s : kFaults) install(s, s == SIGSEGV ? &on_stack : &plain, &wanted[s]);
  install(config.notify_signal, &plain, &wanted[config.notify_signal]);
  uint64_t mask = own_signals();
  kernel(SYS_rt_sigprocmask, SIG_UNBLOCK, &mask, &mask, 8);
  this_thread().hidden_mask = mask & own_signals();
}

long disposition_set(long signal_number, const KernelAction* set, KernelAction* before) {
  if (is_own(signal_number)) {
    const KernelAction was = wanted[signal_number];
    if (set != nullptr) wanted[signal_number] = *set;
    if (before != nullptr) *before = was;
    return 0;
  }
  if (signal_number <= 0 || signal_number > 64) return -EINVAL;
  KernelAction was{};
  const long was_wanted = wanted[signal_number].handler;
  long result;
  if (set == nullptr) {
    result = install(static_cast<int>(signal_number), nullptr, &was);
  } else {
    KernelAction action = *set;
    // A handler may execute the instructions, or be interrupted by a user interrupt: the hardware asks no mask.
    action.mask &= ~own_signals();
    if (is_handler(action.handler)) {
      __atomic_store_n(&wanted[signal_number].handler, action.handler, __ATOMIC_RELEASE);
      action.handler = word(program_handler);
    }
    result = install(static_cast<int>(signal_number), &action, &was);
    if (result != 0) __atomic_store_n(&wanted[signal_number].handler, was_wanted, __ATOMIC_RELEASE);
  }
  if (was.handler == word(program_handler)) was.handler = was_wanted;
  if (before != nullptr) *before = was;
  return result;
}

void chain(Thread& t, int signal_number, siginfo_t* info, Context* c) {
  KernelAction& action = wanted[signal_number];
  const bool blocked = (t.hidden_mask & bit_of(signal_number)) != 0;
  const bool sent = info->si_code <= 0;
  if (action.handler == word(SIG_IGN) && sent) return;
  if (action.handler == word(SIG_DFL) || action.handler == word(SIG_IGN) || (blocked && !sent)) {
    let_kernel_end(c, signal_number);
    // A fault repeats itself; what kill() sent does not.
    if (sent) kernel(SYS_tgkill, kernel(SYS_getpid), kernel(SYS_gettid), signal_number);
    return;
  }
  const KernelAction now = action;
  if ((now.flags & SA_RESETHAND) != 0) action.handler = word(SIG_DFL);
  // As if the kernel had called it: the mask is the interrupted one and the handler's own, so that it may also leave by
  // siglongjmp.
  const uint64_t mask = (mask_of(c) | now.mask) & ~own_signals();
  kernel(SYS_rt_sigprocmask, SIG_SETMASK, &mask, 0, 8);
  if ((now.flags & SA_SIGINFO) != 0) {
    reinterpret_cast<Handler>(now.handler)(signal_number, info, c);
  } else {
    reinterpret_cast<void (*)(int)>(now.handler)(signal_number);
  }
  kernel(SYS_rt_sigprocmask, SIG_SETMASK, &kAllSignals, 0, 8);
  mask_of(c) &= ~own_signals();
}

void raise_fault(Context* c, int signal_number) {
  siginfo_t info{};
  info.si_signo = signal_number;
  info.si_code = SI_KERNEL;
  const long pid = kernel(SYS_getpid);
  mask_of(c) &= ~bit_of(signal_number);
  kernel(SYS_rt_tgsigqueueinfo, pid, kernel(SYS_gettid), signal_number, &info);
}

}  // namespace emulator
