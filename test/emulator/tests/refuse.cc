// Where the emulator cannot be faithful a program does not start: exit code 69 and the reason on stderr.
// run: LD_PRELOAD=
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#include <string>

#include "uintr.h"

// A system call answered with `action` in everything that follows; `argument`: only with this first argument.
static void filter(uint32_t number, uint32_t action, int64_t argument = -1) {
  sock_filter program[] = {
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, number, 0, 3),
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, args)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, static_cast<uint32_t>(argument), 0, static_cast<uint8_t>(argument < 0 ? 0 : 1)),
      BPF_STMT(BPF_RET | BPF_K, action),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  };
  const sock_fprog all{sizeof program / sizeof *program, program};
  CHECK_EQ(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), 0);
  CHECK_EQ(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &all), 0);
}

struct End {
  int status;
  std::string said;
};
// `before` is done, then a program is executed with the emulator.
template <class F>
static End start(F before, const char* script = "exit 0") {
  int fds[2];
  CHECK_EQ(pipe(fds), 0);
  const pid_t child = in_child([&] {
    dup2(fds[1], 2);
    close(fds[0]);
    close(fds[1]);
    setenv("LD_PRELOAD", getenv("EMULATOR_LIBRARY"), 1);
    before();
    execl("/bin/sh", "sh", "-c", script, nullptr);
    _exit(9);
  });
  close(fds[1]);
  End end{};
  char text[512];
  for (ssize_t n; (n = read(fds[0], text, sizeof text)) > 0;) end.said.append(text, static_cast<size_t>(n));
  close(fds[0]);
  end.status = status_of(child);
  return end;
}

#define REFUSED(end, reason)                                                 \
  do {                                                                       \
    const End is = end;                                                      \
    CHECK_EQ(WIFEXITED(is.status) ? WEXITSTATUS(is.status) : -1, 69);        \
    CHECK(is.said.find("uintr emulator: ") == 0);                            \
    CHECK(is.said.find(reason) != std::string::npos);                        \
  } while (false)

constexpr uint32_t kNo = SECCOMP_RET_ERRNO | EPERM;

TEST("01 without an obstacle it starts, and processes below it add no filter of their own") {
  const End end = start([] {}, "sh -c 'sh -c \"grep -q Seccomp_filters:.1$ /proc/self/status\"'");
  CHECK(end.said.empty());
  CHECK(exited_well(end.status));
}

TEST("02 options that are not known") {
  REFUSED(start([] { setenv("UINTR_EMULATOR_ABI", "6.0", 1); }), "UINTR_EMULATOR_ABI");
  REFUSED(start([] { setenv("UINTR_EMULATOR_INJECT", "sn=1,chaos=3", 1); }), "chaos");
  REFUSED(start([] { setenv("UINTR_EMULATOR_SEED", "many", 1); }), "UINTR_EMULATOR_SEED");
  REFUSED(start([] { setenv("UINTR_EMULATOR_SIGNAL", "9", 1); }), "UINTR_EMULATOR_SIGNAL");
  REFUSED(start([] { setenv("UINTR_EMULATOR_STATS", "/nowhere/at/all", 1); }), "UINTR_EMULATOR_STATS");
}

TEST("03 no memfd, no seccomp") {
  REFUSED(start([] { filter(SYS_memfd_create, kNo); }), "memfd_create");
  REFUSED(start([] { filter(SYS_seccomp, kNo); }), "seccomp");
}

TEST("04 no Syscall User Dispatch, unless it is not asked for") {
  const auto without = [] { filter(SYS_prctl, kNo, 59); };
  REFUSED(start(without), "Syscall User Dispatch");
  CHECK(exited_well(start([&] {
    setenv("UINTR_EMULATOR_STRICT", "0", 1);
    without();
  }).status));
}

TEST("05 another's filter on the numbers, or an emulator's for another ABI") {
  REFUSED(start([] { filter(471, SECCOMP_RET_TRAP | 7); }), "inherited");
  REFUSED(start([] {}, "UINTR_EMULATOR_ABI=rfc exec sh -c true"), "inherited");
  REFUSED(start([] { setenv("UINTR_EMULATOR_ABI", "rfc", 1); }, "UINTR_EMULATOR_ABI=rfc+1 exec sh -c true"), "inherited");
}

CHECK_MAIN("refuse")
