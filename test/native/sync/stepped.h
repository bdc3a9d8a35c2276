// A child that runs an instruction at a time, so that it can be killed, or overtaken, at any one of them.
#pragma once

#include <sys/ptrace.h>

#include <cerrno>

#include "children.h"

namespace test {

class Stepped {
 public:
  // Runs `prepare` at once, and stops before `body`.
  template <class Prepare, class Body>
  Stepped(Prepare prepare, Body body) {
    pid_ = child([&] {
      CHECK(ptrace(PTRACE_TRACEME, 0, nullptr, nullptr) == 0);
      auto prepared = prepare();
      raise(SIGSTOP);
      body(prepared);
    });
    stops();
  }
  Stepped(const Stepped&) = delete;
  ~Stepped() {
    if (pid_ > 0) kill();
  }

  pid_t pid() const { return pid_; }
  void step() {
    CHECK(ptrace(PTRACE_SINGLESTEP, pid_, nullptr, nullptr) == 0);
    stops();
  }
  template <class Condition>
  void step_until(Condition condition) {
    while (!condition()) step();
  }
  void go_on() { CHECK(ptrace(PTRACE_DETACH, pid_, nullptr, nullptr) == 0); }
  void kill() {
    CHECK(::kill(pid_, SIGKILL) == 0);
    was_killed(pid_, SIGKILL);
    pid_ = -1;
  }
  void end() {
    ended_well(pid_);
    pid_ = -1;
  }

 private:
  void stops() {
    int status = 0;
    while (waitpid(pid_, &status, 0) < 0) CHECK(errno == EINTR);
    if (WIFEXITED(status)) check::fail(__FILE__, __LINE__, "a child has ended that should have stopped");
    CHECK(WIFSTOPPED(status));
  }

  pid_t pid_;
};

}  // namespace test
