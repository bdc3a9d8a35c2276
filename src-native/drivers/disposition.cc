#include "drivers/disposition.h"

#include <atomic>
#include <cerrno>
#include <csignal>
#include <mutex>

#include "drivers/dispatch.h"

namespace uintr {
namespace {

struct Installed {
  unsigned users = 0;
  struct sigaction before{};
};
std::mutex mutex;
Installed installed[65];  // by signal number
std::atomic<uint32_t> changes;

using Handler = void (*)(int, siginfo_t*, void*);
Handler ours() { return reinterpret_cast<Handler>(uintr_signal_handler); }

bool is_ours(const struct sigaction& action) {
  return (action.sa_flags & SA_SIGINFO) != 0 && action.sa_sigaction == ours();
}

bool is_nobodys(const struct sigaction& action) {
  return (action.sa_flags & SA_SIGINFO) == 0 && (action.sa_handler == SIG_DFL || action.sa_handler == SIG_IGN);
}

// SIGURG is ignored by default; the others that the option allows (signal_name.cc) end the process.
bool default_kills(int signal_number) { return signal_number != SIGURG; }

struct sigaction our_action() {
  struct sigaction action{};
  action.sa_sigaction = ours();
  // SA_RESTART: a computation's system calls are not to fail because a message came.
  action.sa_flags = SA_RESTART | SA_SIGINFO;
  // One handler of ours at a time per thread, though worlds of one thread may use different signals, and no profiler's
  // on top of it. Faults cannot be held off.
  sigfillset(&action.sa_mask);
  for (const int fault : {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGTRAP, SIGSYS, SIGABRT}) sigdelset(&action.sa_mask, fault);
  return action;
}

struct ThreadMask {
  uint8_t users[65];
  bool was_blocked[65];
};
thread_local ThreadMask thread_mask{};

}  // namespace

bool disposition_take(int signal_number, JoinError* error) {
  std::lock_guard lock(mutex);
  const std::string name = "signal " + std::to_string(signal_number);
  struct sigaction current{};
  if (sigaction(signal_number, nullptr, &current) != 0) return fail_syscall(error, "sigaction", errno, name);
  Installed& i = installed[signal_number];
  if (!is_ours(current)) {
    if (!is_nobodys(current)) {
      return fail(error, "ERR_UINTR_JOIN",
                  name +
                      ": this program has a handler of its own for it; choose another one with the option `signal`, "
                      "or another driver");
    }
    const struct sigaction action = our_action();
    if (sigaction(signal_number, &action, nullptr) != 0) return fail_syscall(error, "sigaction", errno, name);
    i.before = current;
  }
  ++i.users;
  return true;
}

void disposition_give_back(int signal_number) {
  std::lock_guard lock(mutex);
  Installed& i = installed[signal_number];
  if (i.users == 0 || --i.users > 0) return;
  struct sigaction current{};
  if (sigaction(signal_number, nullptr, &current) != 0 || !is_ours(current)) return;
  // A peer that does not know yet that this rank has closed may still signal.
  if (i.before.sa_handler == SIG_DFL && default_kills(signal_number)) i.before.sa_handler = SIG_IGN;
  sigaction(signal_number, &i.before, nullptr);
}

bool disposition_is_ours(int signal_number) {
  struct sigaction current{};
  return sigaction(signal_number, nullptr, &current) == 0 && is_ours(current);
}

bool disposition_in_use(int signal_number) {
  std::lock_guard lock(mutex);
  return installed[signal_number].users > 0;
}

void disposition_spare(int signal_number) {
  struct sigaction current{};
  if (!default_kills(signal_number) || sigaction(signal_number, nullptr, &current) != 0) return;
  if ((current.sa_flags & SA_SIGINFO) != 0 || current.sa_handler != SIG_DFL) return;
  struct sigaction ignored{};
  ignored.sa_handler = SIG_IGN;
  sigaction(signal_number, &ignored, nullptr);
}

void disposition_changed() { changes.fetch_add(1, std::memory_order_release); }
uint32_t disposition_changes() { return changes.load(std::memory_order_acquire); }

// sigprocmask is per thread on Linux, and pthread_sigmask has a newer symbol version.
void thread_mask_take(int signal_number) {
  if (thread_mask.users[signal_number]++ > 0) return;
  sigset_t one, before;
  sigemptyset(&one);
  sigaddset(&one, signal_number);
  sigprocmask(SIG_UNBLOCK, &one, &before);
  thread_mask.was_blocked[signal_number] = sigismember(&before, signal_number) == 1;
}

void thread_mask_give_back(int signal_number) {
  if (thread_mask.users[signal_number] == 0 || --thread_mask.users[signal_number] > 0) return;
  if (!thread_mask.was_blocked[signal_number]) return;
  sigset_t one;
  sigemptyset(&one);
  sigaddset(&one, signal_number);
  sigprocmask(SIG_BLOCK, &one, nullptr);
}

}  // namespace uintr
