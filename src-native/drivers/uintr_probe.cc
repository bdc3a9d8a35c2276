#include "drivers/uintr_probe.h"

#include <cpuid.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <mutex>

#include "bootstrap/deadline.h"
#include "bootstrap/error.h"
#include "bootstrap/fd.h"
#include "drivers/dispatch.h"
#include "drivers/uintr_entry.h"
#include "engine/arch.h"

// test/emulator defines it where it is preloaded.
extern "C" int uintr_emulator_present() __attribute__((weak));

namespace uintr {
namespace {

constexpr unsigned kChildSeconds = 3;  // after which the kernel ends a child that hangs
constexpr int kParentMs = 5000;
constexpr int64_t kArrivesWithinMs = 1000;

// What the child is at; it says so before each step, so that the parent knows at which one it died.
enum class Step : int32_t { Start, Testui, Ask, Register, CreateFd, RegisterSender, Send, Unregister, Works };
struct Note {
  Step step;
  int32_t result;  // errno with which the step failed; 0: begun
};

// ---- in the child: one thread of a copy of this process, in which only system calls are safe

bool tell(int pipe, Step step, long result = 0) {
  const Note note{step, static_cast<int32_t>(result < 0 ? -result : result)};
  return write(pipe, &note, sizeof note) == sizeof note;
}

// Faults end the child, by their default actions; nothing else reaches it. It leaves no core: #UD is the ordinary
// answer where the kernel does not know user interrupts, and a core_pattern that names a program ignores RLIMIT_CORE.
void isolate() {
  prctl(PR_SET_DUMPABLE, 0);
  struct sigaction by_default{};
  by_default.sa_handler = SIG_DFL;
  sigset_t open;
  sigfillset(&open);
  for (const int s : {SIGILL, SIGSEGV, SIGBUS, SIGSYS, SIGALRM}) {
    sigaction(s, &by_default, nullptr);
    sigdelset(&open, s);
  }
  sigprocmask(SIG_SETMASK, &open, nullptr);
  alarm(kChildSeconds);
}

// Registers, sends to itself and sees the interrupt come.
void try_interrupt(const UintrAbi& abi, int pipe) {
  volatile uint64_t seen = 0;
  DispatchEntry entry{};
  entry.vector = 5;
  entry.self = const_cast<uint64_t*>(&seen);
  entry.run = [](void* self, uint64_t vectors) { *static_cast<volatile uint64_t*>(self) = vectors; };
  dispatch_forget();  // the parent's: their engines are not this process's to run
  dispatch_add(&entry);

  tell(pipe, Step::Register);
  long got = uintr_register_handler(abi, uintr_entry);
  if (got < 0) return void(tell(pipe, Step::Register, got));
  tell(pipe, Step::CreateFd);
  const long fd = uintr_create_fd(abi, entry.vector);
  if (fd < 0) return void(tell(pipe, Step::CreateFd, fd));
  tell(pipe, Step::RegisterSender);
  const long index = uintr_register_sender(abi, static_cast<int>(fd));
  if (index < 0) return void(tell(pipe, Step::RegisterSender, index));
  tell(pipe, Step::Send);
  arch::stui();
  arch::senduipi(static_cast<uint64_t>(index));
  for (const int64_t end = now_ms() + kArrivesWithinMs; seen == 0;) {
    if (now_ms() > end) return void(tell(pipe, Step::Send, ETIMEDOUT));
  }
  if (seen != uint64_t{1} << entry.vector) return void(tell(pipe, Step::Send, EBADMSG));
  tell(pipe, Step::Unregister);
  arch::clui();
  uintr_unregister_sender(abi, static_cast<uint32_t>(index), static_cast<int>(fd));
  got = uintr_unregister_handler(abi);
  tell(pipe, got < 0 ? Step::Unregister : Step::Works, got);
}

[[noreturn]] void child(const UintrAbi& abi, int pipe) {
  isolate();
  tell(pipe, Step::Testui);
  arch::testui();
  tell(pipe, Step::Ask);
  // A kernel with user interrupts refuses the null handler; any other answer is another call's.
  const long answer = uintr_register_handler(abi, nullptr);
  if (answer != -EFAULT) {
    // 0 from a call that is not ours would read as "begun".
    tell(pipe, Step::Ask, answer == 0 ? -ENOSYS : answer);
  } else {
    try_interrupt(abi, pipe);
  }
  _exit(0);
}

// ---- in the parent

struct Outcome {
  Step step = Step::Start;
  int error = 0;   // errno of that step
  int killed = 0;  // signal that ended the child
};

Outcome run_child(const UintrAbi& abi) {
  Outcome outcome;
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) return outcome.error = errno, outcome;
  Fd from(ends[0]), to(ends[1]);
  // No handler of the program's may run in the child before it has isolated itself.
  sigset_t all, before;
  sigfillset(&all);
  sigprocmask(SIG_SETMASK, &all, &before);
  const pid_t pid = fork();
  const int failed = errno;
  if (pid == 0) child(abi, to.get());
  sigprocmask(SIG_SETMASK, &before, nullptr);
  if (pid < 0) return outcome.error = failed, outcome;
  to.reset();

  const Deadline deadline = Deadline::in(kParentMs);
  Note note;
  while (wait_readable(from.get(), -1, deadline) == Wait::Ready && read(from.get(), &note, sizeof note) == sizeof note) {
    outcome.step = note.step;
    outcome.error = note.result;
  }
  kill(pid, SIGKILL);  // of one that has ended there is nothing left to kill; it is ours to reap
  int status = 0;
  pid_t reaped;
  do reaped = waitpid(pid, &status, 0);
  while (reaped < 0 && errno == EINTR);
  // Where the program ignores SIGCHLD there is no status; the notes say enough.
  if (reaped == pid && WIFSIGNALED(status) && outcome.step != Step::Works) outcome.killed = WTERMSIG(status);
  return outcome;
}

const char* title(Step step) {
  switch (step) {
    case Step::Start:
      return "starting a child process";
    case Step::Testui:
      return "testui";
    case Step::Ask:
      return "asking for register_handler";
    case Step::Register:
      return "register_handler";
    case Step::CreateFd:
      return "create_fd";
    case Step::RegisterSender:
      return "register_sender";
    case Step::Send:
      return "senduipi to itself";
    case Step::Unregister:
      return "unregister_handler";
    case Step::Works:
      return "all";
  }
  return "?";
}

std::string how(const Outcome& o) {
  if (o.error == ETIMEDOUT && o.step == Step::Send) return "the interrupt did not arrive within a second";
  if (o.error != 0) return errno_name(o.error);
  if (o.killed == SIGSYS) return "ended by a seccomp filter (SIGSYS)";
  if (o.killed != 0) return "ended by signal " + std::to_string(o.killed);
  return "ended without a word";
}

constexpr const char* kKernelRemedy =
    "boot a kernel with Intel's user-interrupt patches (uintr-next) with `nopti` on its command line";

UintrProbe find_out() {
  UintrProbe probe;
  probe.emulated = uintr_emulator_present != nullptr && uintr_emulator_present() != 0;
  unsigned a = 0, b = 0, c = 0, d = 0;
  probe.cpu = __get_cpuid_count(7, 0, &a, &b, &c, &d) != 0 && (d & (1u << 5)) != 0;
  // Where CPUID cannot be trapped the emulator cannot show the bit, and says itself that the rest is there.
  if (!probe.cpu && !probe.emulated) {
    probe.reason = "this CPU has no user interrupts (CPUID leaf 7, EDX bit 5 is 0)";
    probe.remedy = "a CPU that has them: Intel Sapphire Rapids or later, and in a virtual machine a host that passes them on";
    return probe;
  }
  std::string calls;
  bool filtered = false;
  for (const UintrAbi& abi : kUintrAbis) {
    const Outcome o = run_child(abi);
    if (o.step == Step::Works) {
      probe.enabled = true;
      probe.abi = &abi;
      return probe;
    }
    if (o.step <= Step::Testui) {
      const bool undefined = o.killed == SIGILL;
      probe.reason = undefined ? "the CPU has user interrupts, the kernel does not enable them (testui raises #UD, so CR4.UINTR is 0)"
                               : std::string("probing user interrupts: ") + title(o.step) + ": " + how(o);
      if (undefined) probe.remedy = kKernelRemedy;
      return probe;
    }
    probe.enabled = true;
    const std::string number = std::to_string(abi.register_handler);
    if (o.step != Step::Ask) {
      // This is the table; another one would only do harm.
      probe.reason = std::string("user interrupts by ") + abi.name + " (system call " + number + "…): " + title(o.step) + ": " + how(o);
      return probe;
    }
    // Docker's filter answers EPERM to what it does not know.
    filtered = filtered || o.killed == SIGSYS || o.error == EPERM;
    calls += (calls.empty() ? "" : ", ") + number + ": " + how(o);
  }
  probe.reason = "the kernel has none of the known system calls for user interrupts (register_handler as " + calls + ")";
  probe.remedy = kKernelRemedy;
  if (filtered) probe.remedy += "; and let the container's seccomp filter pass these calls";
  return probe;
}

}  // namespace

const UintrProbe& uintr_probe() {
  static std::mutex mutex;
  static const UintrProbe* found = nullptr;  // never freed: threads may read it until the process ends
  std::lock_guard lock(mutex);
  if (found == nullptr) found = new UintrProbe(find_out());
  return *found;
}

}  // namespace uintr
