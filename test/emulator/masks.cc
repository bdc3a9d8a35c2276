#include "masks.h"

#include <signal.h>
#include <sys/syscall.h>

#include "dispositions.h"
#include "gate.h"

namespace emulator {

long mask_apply(Thread& t, int how, const uint64_t* set, uint64_t* was, uint64_t* real) {
  const uint64_t own = own_signals();
  // A handler of the program's that runs inside a dispatched call has the notification blocked, and keeps it so.
  const uint64_t kept = t.call != nullptr ? *real & own : 0;
  *was = (*real & ~own) | t.hidden_mask;
  if (set == nullptr) return 0;
  uint64_t now = *was;
  switch (how) {
    case SIG_BLOCK:
      now |= *set;
      break;
    case SIG_UNBLOCK:
      now &= ~*set;
      break;
    case SIG_SETMASK:
      now = *set;
      break;
    default:
      return -EINVAL;
  }
  t.hidden_mask = now & own;
  *real = (now & ~own) | kept;
  return 0;
}

long mask_change(Thread& t, int how, const uint64_t* set, uint64_t* was, uint64_t* real) {
  kernel(SYS_rt_sigprocmask, SIG_SETMASK, 0, real, 8);
  return mask_apply(t, how, set, was, real);
}

}  // namespace emulator
