#include "addon/other_process.h"

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
#include "bootstrap/probe.h"

namespace uintr {
namespace {

constexpr int kAnswersWithinMs = 2000;
constexpr uint64_t kParents = 1, kTargets = 2, kReaders = 3;

// Of each process its own, at the same address.
uint64_t word = kParents;

enum class Step : int32_t { Ready, Read, Write, Works };
struct Note {
  Step step;
  int32_t error;
};

void tell(int pipe, Step step, int error) {
  const Note note{step, error};
  if (write(pipe, &note, sizeof note) != sizeof note) _exit(1);
}

// ---- in the children: one thread of a copy of this process, in which only system calls are safe

// Allows what a rank that a launcher started allows, and stays until the parent lets go.
[[noreturn]] void target(int parent, int answers, int hold) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() != parent) _exit(1);
  word = kTargets;
  prctl(PR_SET_PTRACER, static_cast<unsigned long>(parent), 0, 0, 0);
  tell(answers, Step::Ready, 0);
  char none;
  while (read(hold, &none, 1) < 0 && errno == EINTR) continue;
  _exit(0);
}

// As that one's peer.
[[noreturn]] void reader(int32_t pid, int answers) {
  const auto address = reinterpret_cast<uint64_t>(&word);
  uint64_t found = 0;
  int failed = peek(pid, address, &found);
  if (failed == 0 && found != kTargets) failed = EFAULT;
  if (failed != 0) {
    tell(answers, Step::Read, failed);
  } else {
    failed = poke(pid, address, kReaders);
    tell(answers, failed != 0 ? Step::Write : Step::Works, failed);
  }
  _exit(0);
}

// ---- in the parent

// No handler of the program's may run in the child.
template <typename Body>
pid_t start(Body body) {
  sigset_t all, before;
  sigfillset(&all);
  sigprocmask(SIG_SETMASK, &all, &before);
  const pid_t pid = fork();
  const int failed = errno;
  if (pid == 0) body();
  sigprocmask(SIG_SETMASK, &before, nullptr);
  errno = failed;
  return pid;
}

void reap(pid_t pid) {
  if (pid <= 0) return;
  // Where the program ignores SIGCHLD the kernel reaps it, and its pid may be another's by now.
  if (waitpid(pid, nullptr, WNOHANG) != 0) return;
  kill(pid, SIGKILL);
  while (waitpid(pid, nullptr, 0) < 0 && errno == EINTR) continue;
}

bool hear(int answers, Note* note) {
  return wait_readable(answers, -1, Deadline::in(kAnswersWithinMs)) == Wait::Ready &&
         read(answers, note, sizeof *note) == sizeof *note;
}

std::string text_of_file(const char* path) {
  const Fd file(open(path, O_RDONLY | O_CLOEXEC));
  char text[32];
  const ssize_t n = file ? read(file.get(), text, sizeof text) : -1;
  std::string result(text, n > 0 ? static_cast<size_t>(n) : 0);
  while (!result.empty() && result.back() == '\n') result.pop_back();
  return result;
}

// What forbids one process of a user to touch another, as far as this one can know.
std::string cause() {
  if (prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) != 1) return "this process is not dumpable (PR_SET_DUMPABLE)";
  const std::string scope = text_of_file("/proc/sys/kernel/yama/ptrace_scope");
  if (!scope.empty() && scope != "0") return "kernel.yama.ptrace_scope is " + scope;
  return "the kernel or a security module allows no ptrace here";
}

CopyTrial refused(const char* call, const char* whom, int error, const std::string& why) {
  CopyTrial trial;
  trial.reason = std::string(call) + " of " + whom + ": " + errno_name(error);
  if (!why.empty()) trial.reason += " (" + why + ")";
  return trial;
}

CopyTrial untried(const char* call, int error) {
  CopyTrial trial;
  trial.reason = std::string("not tried: ") + call + " failed with " + errno_name(error);
  return trial;
}

CopyTrial find_out() {
  uint64_t found = 0;
  // The kernel never forbids this: where it fails, it lacks the call, or a filter refuses it.
  const int own = peek(getpid(), reinterpret_cast<uint64_t>(&word), &found);
  if (own != 0) {
    return refused("process_vm_readv", "this process itself", own,
                   own == ENOSYS ? "" : "a seccomp filter, of a container for example, forbids the call");
  }
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) return untried("pipe2", errno);
  const Fd answers(ends[0]), answer(ends[1]);
  if (pipe2(ends, O_CLOEXEC) != 0) return untried("pipe2", errno);
  const Fd hold(ends[0]);
  Fd held(ends[1]);

  const pid_t parent = getpid();
  const pid_t first = start([&] {
    held.reset();
    target(parent, answer.get(), hold.get());
  });
  if (first < 0) return untried("fork", errno);
  Note note{Step::Ready, ETIMEDOUT};
  pid_t second = 0;
  int failed = 0;
  if (hear(answers.get(), &note)) {
    second = start([&] { reader(first, answer.get()); });
    failed = second < 0 ? errno : 0;
    if (second > 0 && !hear(answers.get(), &note)) note = {Step::Ready, ETIMEDOUT};
  }
  reap(second);
  reap(first);
  if (failed != 0) return untried("fork", failed);
  switch (note.step) {
    case Step::Read:
      return refused("process_vm_readv", "another process", note.error, note.error == EPERM ? cause() : "");
    case Step::Write:
      return refused("process_vm_writev", "another process", note.error, note.error == EPERM ? cause() : "");
    case Step::Works:
      return CopyTrial{true, {}};
    default:
      return untried("a process started for it", ETIMEDOUT);
  }
}

}  // namespace

const CopyTrial& copies_between_processes() {
  static std::mutex mutex;
  static const CopyTrial* found = nullptr;  // never freed: threads may read it until the process ends
  std::lock_guard lock(mutex);
  if (found == nullptr) found = new CopyTrial(find_out());
  return *found;
}

}  // namespace uintr
