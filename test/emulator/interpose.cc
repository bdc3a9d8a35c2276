// The C library's functions that change dispositions and masks, in front of its own. (Threads whose system calls are
// dispatched are also caught at the system call; others are not, and the library's own calls, which block all signals
// for a few instructions, make none of the emulated calls meanwhile.)
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <sys/syscall.h>

#include "dispositions.h"
#include "gate.h"
#include "masks.h"

#define EXPORTED extern "C" __attribute__((visibility("default")))

namespace emulator {
namespace {


uint64_t& first_word(sigset_t* set) { return *reinterpret_cast<uint64_t*>(set); }

int with_errno(long result) {
  if (result >= 0) return 0;
  errno = static_cast<int>(-result);
  return -1;
}

int set_action(int signal_number, const struct sigaction* set, struct sigaction* before) {
  // The C library keeps its two for itself.
  if (signal_number == 32 || signal_number == 33) return with_errno(-EINVAL);
  KernelAction wanted, was{};
  if (set != nullptr) {
    wanted = KernelAction{word(set->sa_handler), set->sa_flags | kSaRestorer, word(emulator_restorer),
                          *reinterpret_cast<const uint64_t*>(&set->sa_mask)};
  }
  const long result = disposition_set(signal_number, set != nullptr ? &wanted : nullptr, &was);
  if (result == 0 && before != nullptr) {
    *before = {};
    before->sa_handler = reinterpret_cast<sighandler_t>(was.handler);
    before->sa_flags = static_cast<int>(was.flags & ~kSaRestorer);
    first_word(&before->sa_mask) = was.mask;
  }
  return with_errno(result);
}

sighandler_t set_handler(int signal_number, sighandler_t handler, int flags) {
  struct sigaction set{}, before;
  set.sa_handler = handler;
  set.sa_flags = flags;
  return set_action(signal_number, &set, &before) == 0 ? before.sa_handler : SIG_ERR;
}

int change_mask(int how, const sigset_t* set, sigset_t* before) {
  const auto* wanted = reinterpret_cast<const uint64_t*>(set);
  uint64_t was = 0, real = 0;
  Thread& t = this_thread();
  const long result = mask_change(t, how, wanted, &was, &real);
  if (result != 0) return static_cast<int>(-result);
  if (wanted != nullptr) kernel(SYS_rt_sigprocmask, SIG_SETMASK, &real, 0, 8);
  if (before != nullptr) {
    *before = {};
    first_word(before) = was;
  }
  return 0;
}

}  // namespace
}  // namespace emulator

EXPORTED int sigaction(int signal_number, const struct sigaction* set, struct sigaction* before) noexcept {
  return emulator::set_action(signal_number, set, before);
}
EXPORTED int __sigaction(int signal_number, const struct sigaction* set, struct sigaction* before) noexcept {
  return emulator::set_action(signal_number, set, before);
}
EXPORTED sighandler_t signal(int signal_number, sighandler_t handler) noexcept {
  return emulator::set_handler(signal_number, handler, SA_RESTART);
}
EXPORTED sighandler_t bsd_signal(int signal_number, sighandler_t handler) noexcept {
  return emulator::set_handler(signal_number, handler, SA_RESTART);
}
EXPORTED sighandler_t sysv_signal(int signal_number, sighandler_t handler) noexcept {
  return emulator::set_handler(signal_number, handler, SA_RESETHAND | SA_NODEFER);
}
EXPORTED int pthread_sigmask(int how, const sigset_t* set, sigset_t* before) noexcept {
  return emulator::change_mask(how, set, before);
}
EXPORTED int sigprocmask(int how, const sigset_t* set, sigset_t* before) noexcept {
  const int error = emulator::change_mask(how, set, before);
  if (error == 0) return 0;
  errno = error;
  return -1;
}
