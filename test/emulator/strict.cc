#include "strict.h"

#include <linux/prctl.h>
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "config.h"
#include "dispositions.h"
#include "gate.h"
#include "masks.h"
#include "receiver.h"
#include "refuse.h"
#include "stats.h"

namespace emulator {
namespace {

enum class Way { InHandler, InPlace };

// These create tasks, replace the image, or may take the memory that the handler's frame stands on (a thread that ends
// gives its unused stack back by madvise). None of them blocks, so they are made by the program itself, in a stub.
Way way_of(long number) {
  switch (number) {
    case SYS_clone:
    case SYS_clone3:
    case SYS_fork:
    case SYS_vfork:
    case SYS_execve:
    case SYS_execveat:
    case SYS_sigaltstack:
    case SYS_mmap:
    case SYS_mprotect:
    case SYS_munmap:
    case SYS_mremap:
    case SYS_madvise:
    case SYS_brk:
    case SYS_pkey_mprotect:
    case SYS_exit:
    case SYS_exit_group:
      return Way::InPlace;
    default:
      return Way::InHandler;
  }
}

uint64_t stub_for(uint64_t back) {
  for (uint32_t i = 0; i < EMULATOR_STUBS; ++i) {
    uint64_t is = __atomic_load_n(&emulator_returns[i], __ATOMIC_ACQUIRE);
    if (is == 0 &&
        __atomic_compare_exchange_n(&emulator_returns[i], &is, back, false, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE)) {
      is = back;
    }
    if (is == back) return reinterpret_cast<uint64_t>(emulator_stubs) + 8 * i;
  }
  refuse("more than %d places of the program make system calls that need a stub", EMULATOR_STUBS);
}

long change_mask(Thread& t, Context* c, const uint64_t* set, uint64_t* before, long how, long size) {
  if (size != 8) return -EINVAL;
  uint64_t was;
  // A library's raw calls save the mask in order to restore it, maybe in a thread that is not dispatched: it is told
  // the real one, and what the program believes to have blocked is no affair of theirs.
  const uint64_t hidden = t.hidden_mask;
  const long result = mask_apply(t, static_cast<int>(how), set, &was, &mask_of(c));
  t.hidden_mask = hidden;
  if (result == 0 && before != nullptr) *before = was & ~own_signals();
  return result;
}

long change_action(long signal_number, const KernelAction* set, KernelAction* before, long size) {
  return size == 8 ? disposition_set(signal_number, set, before) : -EINVAL;
}

// Calls that have a mask of their own must hold the notification off too, and nothing else of the emulator's.
struct OwnMask {
  uint64_t mask;
  struct {
    const uint64_t* mask;
    uint64_t bytes;
  } pair;
};

void replace_mask(long* argument, OwnMask* own) {
  if (*argument == 0) return;
  own->mask = (*reinterpret_cast<const uint64_t*>(*argument) & ~own_signals()) | bit_of(config.notify_signal);
  *argument = word(&own->mask);
}

void own_masks(long number, long* a, OwnMask* own) {
  switch (number) {
    case SYS_ppoll:
      return replace_mask(&a[3], own);
    case SYS_epoll_pwait:
    case SYS_epoll_pwait2:
      return replace_mask(&a[4], own);
    case SYS_rt_sigsuspend:
      return replace_mask(&a[0], own);
    case SYS_pselect6:
      if (a[5] != 0) {
        __builtin_memcpy(&own->pair, reinterpret_cast<const void*>(a[5]), sizeof own->pair);
        long mask = word(own->pair.mask);
        replace_mask(&mask, own);
        own->pair.mask = reinterpret_cast<const uint64_t*>(mask);
        a[5] = word(&own->pair);
      }
      return;
    case SYS_rt_sigtimedwait:
    case SYS_signalfd:
    case SYS_signalfd4: {
      // Here the set is of signals to take, and the emulator's are not to be had.
      long* set = &a[number == SYS_rt_sigtimedwait ? 0 : 1];
      replace_mask(set, own);
      if (*set == word(&own->mask)) own->mask &= ~bit_of(config.notify_signal);
      return;
    }
    default:
      return;
  }
}

long make_call(Thread& t, Context* c, long number) {
  long a[6] = {reg(c, REG_RDI), reg(c, REG_RSI), reg(c, REG_RDX), reg(c, REG_R10), reg(c, REG_R8), reg(c, REG_R9)};
  switch (number) {
    case SYS_rt_sigprocmask:
      return change_mask(t, c, reinterpret_cast<const uint64_t*>(a[1]), reinterpret_cast<uint64_t*>(a[2]), a[0], a[3]);
    case SYS_rt_sigaction:
      return change_action(a[0], reinterpret_cast<const KernelAction*>(a[1]), reinterpret_cast<KernelAction*>(a[2]),
                           a[3]);
    default:
      break;
  }
  OwnMask own;
  own_masks(number, a, &own);
  Call call{t.call};
  t.call = &call;
  // As the kernel does for a thread that is descheduled: no notification is sent, and PIR is looked at on the way back.
  suppress(t);
  const uint64_t mask = mask_of(c) | bit_of(config.notify_signal);
  kernel(SYS_rt_sigprocmask, SIG_SETMASK, &mask, 0, 8);
  const long result = kernel(number, a[0], a[1], a[2], a[3], a[4], a[5]);
  kernel(SYS_rt_sigprocmask, SIG_SETMASK, &kAllSignals, 0, 8);
  const uint64_t before = t.uirr;
  if (t.registered) unsuppress(t);
  if (t.uif && (t.uirr & ~before) != 0) count(k_deferred);
  t.call = call.outer;
  return result;
}

}  // namespace

void dispatch_on(Thread& t) {
  const long result = kernel(SYS_prctl, kSetSyscallUserDispatch, 1, emulator_gate_begin,
                             emulator_gate_end - emulator_gate_begin, 0);
  if (result != 0) refuse("Syscall User Dispatch is refused (errno %ld)", -result);
  t.dispatched = true;
}

void dispatch_off(Thread& t) {
  if (!t.dispatched) return;
  kernel(SYS_prctl, kSetSyscallUserDispatch, 0, 0, 0, 0);
  t.dispatched = false;
}

void forget_abandoned_calls(Thread& t, const Context* c) {
  const auto sp = static_cast<uint64_t>(c->uc_mcontext.gregs[REG_RSP]);
  while (t.call != nullptr && sp > reinterpret_cast<uint64_t>(t.call)) t.call = t.call->outer;
}

void dispatched_call(Thread& t, Context* c) {
  count(k_dispatched);
  if (t.replaced) {
    t.replaced = false;
    mask_of(c) &= ~bit_of(config.notify_signal);
  }
  const long number = reg(c, REG_RAX);
  if (number == SYS_rt_sigreturn) {
    // The program's frame is at its RSP. Of the mask in it only what the emulator cannot do without is changed.
    mask_of(reinterpret_cast<Context*>(reg(c, REG_RSP))) &= ~(own_signals() & ~bit_of(config.notify_signal));
    reg(c, REG_RIP) = word(emulator_restorer);
    return;
  }
  if (way_of(number) == Way::InPlace) {
    // Another program begins with the mask of this one, and would be ended by a notification that comes before it has
    // the emulator. Where there is none, the next call lets it come.
    if (number == SYS_execve || number == SYS_execveat) {
      t.replaced = true;
      mask_of(c) |= bit_of(config.notify_signal);
    }
    reg(c, REG_RIP) = static_cast<greg_t>(stub_for(static_cast<uint64_t>(reg(c, REG_RIP))));
    return;
  }
  reg(c, REG_RAX) = make_call(t, c, number);
}

}  // namespace emulator
