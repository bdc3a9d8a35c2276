// Child processes of a test, which end when it does, and how they wait for each other. A check that fails ends a child
// with a code that is not 0. Whoever includes this has CHECK.
#pragma once

#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>

namespace test {

// A child that runs `body` and dies with its parent.
template <class Body>
pid_t child(Body body) {
  fflush(nullptr);
  const pid_t pid = fork();
  if (pid != 0) return pid;
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  alarm(60);
  body();
  _exit(0);
}

inline void ended_well(pid_t pid) {
  int status = -1;
  CHECK(waitpid(pid, &status, 0) == pid);
  CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

inline void was_killed(pid_t pid, int signal_number) {
  int status = -1;
  CHECK(waitpid(pid, &status, 0) == pid);
  CHECK(WIFSIGNALED(status) && WTERMSIG(status) == signal_number);
}

// A pipe on which processes of one test wait for each other.
struct Gate {
  int ends[2];
  Gate() { CHECK(pipe(ends) == 0); }
  void open(int count = 1) const {
    for (int i = 0; i < count; ++i) CHECK(write(ends[1], "x", 1) == 1);
  }
  void pass() const {
    char c;
    CHECK(read(ends[0], &c, 1) == 1);
  }
};

}  // namespace test
